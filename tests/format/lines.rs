//! The lines of an envelope: line ends, limits, and damage by transport.

use encl::envelope::Class;

use crate::kit::{Forge, Keys, Parts, Person, opens, refused, request, sealed};

const POLICY_MAX: usize = 8 << 20;
const ACCESS_MAX: usize = 40 << 20;

#[test]
#[expect(clippy::too_many_lines, reason = "one list of cases")]
fn kinds_of_transport_damage_are_distinguished() {
    let bob = Person::classic("Bob");
    let envelope = sealed(&request(&[&bob], None), b"content");
    let parts = Parts::of(&envelope);
    let head = |text: String| [text.as_bytes(), &parts.payload].concat();
    let lines = |first: &str, end: &str| {
        head(format!(
            "{first}{end}{}{end}{}{end}{}{end}",
            parts.policy, parts.access, parts.mac
        ))
    };
    let utf16: Vec<u8> = envelope.iter().flat_map(|byte| [*byte, 0]).collect();
    let cases: Vec<(&str, Vec<u8>, Class)> = vec![
        ("CRLF", lines("encl/1", "\r\n"), Class::Mangled),
        ("CR", lines("encl/1", "\r"), Class::Mangled),
        (
            "BOM",
            [b"\xEF\xBB\xBF".as_slice(), &envelope].concat(),
            Class::Mangled,
        ),
        (
            "UTF-16LE",
            [b"\xFF\xFE".as_slice(), &utf16].concat(),
            Class::Mangled,
        ),
        (
            "UTF-16BE",
            [b"\xFE\xFF".as_slice(), &utf16].concat(),
            Class::Mangled,
        ),
        ("encl/2", lines("encl/2", "\n"), Class::Newer),
        ("encl/01", lines("encl/01", "\n"), Class::Newer),
        ("encl/10", lines("encl/10", "\n"), Class::Newer),
        ("encl/x", lines("encl/x", "\n"), Class::NotAnEnvelope),
        ("Encl/1", lines("Encl/1", "\n"), Class::NotAnEnvelope),
        ("blank first", lines("\nencl/1", "\n"), Class::NotAnEnvelope),
        ("empty", Vec::new(), Class::NotAnEnvelope),
        ("a PDF", b"%PDF-1.7\n".to_vec(), Class::NotAnEnvelope),
        (
            "an age file",
            b"age-encryption.org/v1\n".to_vec(),
            Class::NotAnEnvelope,
        ),
        ("e", b"e".to_vec(), Class::Truncated),
        ("encl/1 and no more", b"encl/1".to_vec(), Class::Truncated),
        ("line 1 alone", b"encl/1\n".to_vec(), Class::Truncated),
        (
            "no LF after the mac",
            head(format!(
                "encl/1\n{}\n{}\n{}",
                parts.policy, parts.access, parts.mac
            )),
            Class::Malformed,
        ),
        (
            "a fifth text line",
            head(format!(
                "encl/1\n{}\n{}\n{}\n\n",
                parts.policy, parts.access, parts.mac
            )),
            Class::Damaged,
        ),
        (
            "CR in line 2",
            head(format!(
                "encl/1\n{}\r\n{}\n{}\n",
                parts.policy, parts.access, parts.mac
            )),
            Class::Mangled,
        ),
        (
            "CR in line 3",
            head(format!(
                "encl/1\n{}\n{}\r\n{}\n",
                parts.policy, parts.access, parts.mac
            )),
            Class::Mangled,
        ),
        (
            "a short mac",
            head(format!(
                "encl/1\n{}\n{}\n{}\n",
                parts.policy,
                parts.access,
                &parts.mac[..43]
            )),
            Class::Malformed,
        ),
        (
            "no policy",
            head(format!("encl/1\n\n{}\n{}\n", parts.access, parts.mac)),
            Class::Malformed,
        ),
        (
            "lines swapped",
            head(format!(
                "encl/1\n{}\n{}\n{}\n",
                parts.access, parts.policy, parts.mac
            )),
            Class::Newer,
        ),
    ];
    for (what, bytes, class) in &cases {
        refused(bytes, &mut Keys::of(&[&bob]), *class, what);
    }
    assert_eq!(cases.len(), 24);
}

#[test]
fn each_line_keeps_its_limit_and_not_one_byte_more() {
    let bob = Person::classic("Bob");
    let mut forge = Forge::new(&[&bob], "");
    forge
        .policy
        .extend(std::iter::repeat_n(' ', POLICY_MAX - forge.policy.len()));
    let access = forge.slots(&[&bob]);
    opens(
        &forge.envelope(&access, b"{}\nx"),
        &mut Keys::of(&[&bob]),
        b"x",
        "a policy of 8 MiB",
    );
    forge.policy.push(' ');
    refused(
        &forge.envelope(&access, b"{}\nx"),
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "a policy of 8 MiB and a byte",
    );

    let forge = Forge::new(&[&bob], "");
    let mut access = forge.slots(&[&bob]);
    access.extend(std::iter::repeat_n(' ', ACCESS_MAX - access.len()));
    opens(
        &forge.envelope(&access, b"{}\nx"),
        &mut Keys::of(&[&bob]),
        b"x",
        "an access line of 40 MiB",
    );
    access.push(' ');
    refused(
        &forge.envelope(&access, b"{}\nx"),
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "40 MiB and a byte",
    );

    let forge = Forge::new(&[&bob], "");
    let access = forge.slots(&[&bob]);
    let private = |bytes: usize| format!("{{}}{}\nx", " ".repeat(bytes - 2));
    let full = forge.envelope(&access, private(POLICY_MAX).as_bytes());
    opens(
        &full,
        &mut Keys::of(&[&bob]),
        b"x",
        "a private line of 8 MiB",
    );
    let over = forge.envelope(&access, private(POLICY_MAX + 1).as_bytes());
    refused(
        &over,
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "a private line of 8 MiB and a byte",
    );
    let endless = forge.envelope(&access, &vec![b' '; POLICY_MAX + 100_000]);
    refused(
        &endless,
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "a private line without an end",
    );
    refused(
        &forge.envelope(&access, b"{}"),
        &mut Keys::of(&[&bob]),
        Class::Malformed,
        "no line feed at all",
    );
    refused(
        &forge.envelope(&access, b""),
        &mut Keys::of(&[&bob]),
        Class::Malformed,
        "no content at all",
    );
}

#[test]
fn armor_is_decoded_and_its_damage_reported() {
    use std::io::Write;
    let bob = Person::classic("Bob");
    let envelope = sealed(&request(&[&bob], None), b"content");
    let mut writer = encl::envelope::ArmorWriter::new(Vec::new()).unwrap();
    writer.write_all(&envelope).unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    let keys = || Keys::of(&[&bob]);
    opens(text.as_bytes(), &mut keys(), b"content", "LF");
    opens(
        text.replace('\n', "\r\n").as_bytes(),
        &mut keys(),
        b"content",
        "CRLF",
    );
    opens(
        format!("{text}\n \n").as_bytes(),
        &mut keys(),
        b"content",
        "blank lines behind",
    );
    let without_end = text.split("-----END").next().unwrap();
    let folded: String = text
        .lines()
        .map(|line| line.replacen("Zm", "Zm\n", 1) + "\n")
        .collect();
    for (what, changed, class) in [
        (
            "a blank line in front",
            format!("\n{text}"),
            Class::NotAnEnvelope,
        ),
        (
            "mixed line ends",
            text.replacen('\n', "\r\n", 3),
            Class::Mangled,
        ),
        (
            "text behind",
            format!("{text}--\nsent from afar\n"),
            Class::Mangled,
        ),
        ("quoted", text.replace('\n', "\n> "), Class::Mangled),
        ("no END line", without_end.to_owned(), Class::Truncated),
        (
            "BEGIN alone",
            "-----BEGIN ENCL/1-----\n".into(),
            Class::Truncated,
        ),
        ("half of BEGIN", "-----BEGIN EN".into(), Class::Truncated),
        (
            "another program's armor",
            "-----BEGIN PGP MESSAGE-----\n".into(),
            Class::NotAnEnvelope,
        ),
        (
            "a newer armor",
            text.replace("ENCL/1", "ENCL/2"),
            Class::Newer,
        ),
        (
            "nothing inside",
            "-----BEGIN ENCL/1-----\n-----END ENCL/1-----\n".into(),
            Class::NotAnEnvelope,
        ),
    ] {
        refused(changed.as_bytes(), &mut keys(), class, what);
    }
    assert!(folded != text);
    for bit in 0..text.len() as u64 * 8 {
        let mut changed = text.clone().into_bytes();
        changed[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
        let outcome = crate::kit::open(&changed, &mut keys());
        // White space after END has no meaning.
        let last = bit / 8 + 1 == text.len() as u64;
        assert!(
            outcome.class.is_some() || last,
            "bit {bit} of the armor was flipped and accepted"
        );
    }
}
