//! Envelopes that open: armor, spaces, private lines.

use super::case::Case;
use super::edits::{armored, content};
use super::forge::{Lock, Wish, access, plain};
use super::passphrases::COMPOSED;
use super::people::{ANN, BOB, EVE, FRANK};

const HELLO: &[u8] = b"hello, encl\n";

fn opens(name: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).opens(HELLO)
}

/// One envelope in several forms, and private lines.
pub(super) fn cases() -> Vec<Case> {
    let signed = Wish::of(&[&BOB])
        .signed(&ANN)
        .forge("armored")
        .honest(HELLO);
    let text = armored(&signed);
    let missing = (48 - plain().honest(b"").len() % 48) % 48;
    let full_content = content(u32::try_from(missing).unwrap());
    let full = plain().honest(&full_content);
    let line = access(&plain().slots());
    let spaces = 4_096 - plain().head(&line).len();
    let aligned = plain().head(&(line + &" ".repeat(spaces)));
    let payload = plain().payload(&plain().message(&plain().data(HELLO)));
    let private = |members: &str| {
        let forge = plain();
        forge.with_message(&[forge.private_line(members).as_bytes(), b"\n", HELLO].concat())
    };
    let skeleton = encl::json::to_b64(&[7; 32]);
    let attachment = format!(
        r#""mail":{{"mode":"attachment","part":2,"parts":3,"eol":"crlf","skeleton":"{skeleton}"}}"#
    );
    let long = content(16_500);
    let long_text = armored(&plain().honest(&long));
    vec![
        opens("armored", "armor with LF", text.clone().into_bytes()),
        opens(
            "armored_crlf",
            "armor with CRLF throughout",
            text.replace('\n', "\r\n").into_bytes(),
        ),
        opens(
            "armored_without_last_line_end",
            "END without a line end",
            text.trim_end().into(),
        ),
        opens(
            "armored_blanks_behind_end",
            "spaces, TAB, CR and LF behind END",
            (text + " \t\r\n\n ").into_bytes(),
        ),
        Case::envelope("armored_two_chunks", "armor around two chunks", long_text).opens(&long),
        Case::envelope(
            "armored_last_line_full",
            "the last line of base64 has 64 columns",
            armored(&full),
        )
        .opens(&full_content),
        opens(
            "aligned",
            "line 3 ends in spaces, h is 4,096",
            [aligned, payload].concat(),
        ),
        opens(
            "about_the_content",
            "name, type, modified, subject, created",
            private(
                r#""name":"report.pdf","type":"application/pdf","modified":"2026-11-01T00:00:00Z","subject":"the report","created":"2026-11-24T06:24:00Z""#,
            ),
        ),
        opens(
            "mail_message",
            "a whole message, with two fields as written outside",
            private(
                r#""type":"message/rfc822","mail":{"mode":"message","outer":[["Subject","..."],["To","bob@example.org"]]}"#,
            ),
        ),
        opens(
            "mail_message_without_fields",
            "outer may be empty",
            private(r#""mail":{"mode":"message","outer":[]}"#),
        ),
        opens(
            "mail_attachment",
            "the second of three attachments",
            private(&attachment),
        ),
        opens(
            "identity_at_rest",
            "an identity file as it stands at rest",
            {
                let forge = Wish::locks(&[Lock::of(1, &[]).or(COMPOSED)]).forge("at rest");
                forge.honest((FRANK.identity() + "\n").as_bytes())
            },
        )
        .opens((FRANK.identity() + "\n").as_bytes())
        .by(&[])
        .with_passphrase(COMPOSED),
        opens("slots_in_another_order", "the slots of two locks, mixed", {
            let forge = Wish::locks(&[Lock::of(1, &[&BOB, &EVE]), Lock::of(1, &[&ANN, &BOB])]);
            let forge = forge.forge("mixed order");
            let slots = forge.slots();
            forge.with_slots(&[3, 0, 2, 1].map(|at: usize| slots[at].clone()), HELLO)
        }),
    ]
}
