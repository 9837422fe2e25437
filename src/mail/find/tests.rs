use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::envelope::ArmorWriter;
use std::io::Write;

/// Not a whole envelope, but nothing here looks further than the first line.
fn envelope() -> Vec<u8> {
    let mut bytes = b"encl/1\n{}\n".to_vec();
    bytes.extend((0..=255).cycle().take(3_000));
    bytes
}

fn base64(columns: usize, line_end: &str) -> String {
    let text = STANDARD.encode(envelope());
    let lines = text.as_bytes().chunks(columns);
    let lines = lines.map(|line| String::from_utf8(line.to_vec()).unwrap() + line_end);
    lines.collect()
}

fn found(message: &[u8]) -> Findings {
    let findings = find(&mut &*message).unwrap();
    let leaves = findings
        .structure
        .parts
        .iter()
        .filter(|part| part.is_leaf());
    assert_eq!(
        leaves.count(),
        findings.envelopes.len() + findings.others.len()
    );
    for sealed in &findings.envelopes {
        let mut bytes = Vec::new();
        open_body(&message, sealed)
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        let is_whole = bytes == envelope() || sealed.form == Form::Armored;
        assert!(is_whole, "{:?}", String::from_utf8_lossy(&bytes));
    }
    findings
}

fn only(message: &[u8]) -> Sealed {
    let findings = found(message);
    assert!(findings.others.is_empty());
    let [sealed] = findings.envelopes.try_into().unwrap();
    sealed
}

#[test]
fn an_envelope_is_found_whatever_it_says_to_be() {
    for kind in ["application/vnd.encl", "image/png", "text/plain; name=x"] {
        for (encoding, columns) in [
            ("base64", 76),
            ("base64", 4_104),
            ("7bit", 60),
            ("", 1),
            ("x-none", 3),
        ] {
            for line_end in ["\n", "\r\n", " \t\r\n"] {
                let text = format!(
                    "Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n{}",
                    base64(columns, line_end)
                );
                let sealed = only(text.as_bytes());
                assert_eq!(sealed.encoding, Encoding::Base64);
                assert_eq!(sealed.is_declared, kind == MEDIA_TYPE);
                assert_eq!(
                    (sealed.trailing_bytes, sealed.part.number.as_str()),
                    (0, "1")
                );
            }
        }
    }
}

#[test]
fn an_envelope_is_found_in_other_encodings() {
    let head = b"Content-Transfer-Encoding: binary\n\n".to_vec();
    let sealed = only(&[head, envelope()].concat());
    assert_eq!(
        (sealed.encoding, sealed.form),
        (Encoding::Binary, Form::Binary)
    );
    let quoted: Vec<_> = envelope()
        .iter()
        .map(|byte| format!("={byte:02X}=\r\n"))
        .collect();
    let quoted = quoted.concat();
    let text = format!("Content-Transfer-Encoding: quoted-printable\n\n{quoted}");
    assert_eq!(only(text.as_bytes()).encoding, Encoding::QuotedPrintable);
}

#[test]
fn armor_ends_with_its_last_line() {
    let mut writer = ArmorWriter::new(Vec::new()).unwrap();
    writer.write_all(&envelope()).unwrap();
    let armor = String::from_utf8(writer.finish().unwrap()).unwrap();
    for line_end in ["\n", "\r\n"] {
        let armor = armor.replace('\n', line_end);
        for (behind, leftover) in [("", 0), ("\r\n \n", 0), ("\n--\nfooter\n", 9)] {
            let message = format!("\n{armor}{behind}");
            let sealed = only(message.as_bytes());
            assert_eq!(
                (sealed.form, sealed.trailing_bytes),
                (Form::Armored, leftover)
            );
            let mut text = String::new();
            let message = message.as_bytes();
            open_body(&message, &sealed)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, armor);
        }
    }
}

#[test]
fn what_was_glued_on_is_counted() {
    let text = format!("\n{}\n____\nlist\n\n", base64(76, "\n"));
    assert_eq!(only(text.as_bytes()).trailing_bytes, 9);
}

#[test]
fn other_versions_are_found_and_other_texts_not() {
    for text in [
        "encl/2\n",
        "encl/123456789\n",
        "-----BEGIN ENCL/2-----",
        "ZW5jbC8yCg==",
    ] {
        let findings = find(&mut format!("\n{text}").as_bytes()).unwrap();
        assert_eq!(findings.envelopes.len(), 1, "{text}");
    }
    for text in [
        "",
        "encl/",
        "encl/1",
        "encl/\n",
        "encl/1\r\n",
        "encl/1234567890\n",
        " encl/1\n",
        "> ZW5jbC8xCg==",
    ] {
        let findings =
            find(&mut format!("Content-Type: application/vnd.encl\n\n{text}").as_bytes()).unwrap();
        assert!(findings.envelopes.is_empty(), "{text}");
        assert!(findings.others[0].is_declared);
    }
}

#[test]
fn all_envelopes_and_all_else_are_told() {
    let sealed = format!("Content-Transfer-Encoding: base64\n\n{}", base64(76, "\n"));
    let inner =
        format!("Content-Type: multipart/mixed; boundary=c\n\n--c\n{sealed}\n--c\n\nx\n--c--\n");
    let text = format!(
        "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\nnotice\n--b\n{sealed}\n--b\n\
         Content-Type: message/rfc822\n\n{inner}\n--b\nContent-Type: text/html; name=\"a.html\"\n\n<p>\n--b--\n{sealed}"
    );
    let findings = found(text.as_bytes());
    let numbers: Vec<_> = findings
        .envelopes
        .iter()
        .map(|found| found.part.number.as_str())
        .collect();
    assert_eq!(numbers, ["2", "3.1"]);
    let others: Vec<_> = findings
        .others
        .iter()
        .map(|other| {
            let part = &other.part;
            (
                part.number.as_str(),
                part.media_type.as_str(),
                part.body_bytes(),
                part.name.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        others,
        [
            ("1", "text/plain", 6, None),
            ("3.2", "text/plain", 1, None),
            ("4", "text/html", 3, Some("a.html"))
        ]
    );
    // An envelope in the epilogue is none.
    assert!(findings.outside_bytes > 4_000);
}

/// What is said of its beginning must hold of the whole body.
#[test]
fn a_line_that_is_foreign_further_on_is_no_envelope() {
    for columns in [600, 4_000] {
        let text = format!("\n{}_{}", &base64(9_999, "")[..columns], "x".repeat(9_000));
        let text = text.replace("xxxxx", "xxxx\n");
        let findings = find(&mut text.as_bytes()).unwrap();
        assert!(findings.envelopes.is_empty(), "{columns}");
    }
}

#[test]
fn blanks_without_end_are_refused() {
    let blanks = io::repeat(b' ').take(1 << 31);
    let mut message = (&b"Content-Transfer-Encoding: base64\n\n"[..]).chain(blanks);
    assert!(matches!(
        find(&mut message),
        Err(ScanError::OverLimit { .. })
    ));
}
