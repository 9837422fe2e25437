//! Messages that try to cost time or memory.

use super::letter::{LETTER, envelope_part, fields, mixed, sealed, sealed_by};
use super::measured::Input;
use super::{Case, is_full};
use crate::letters::People;

const OVER_LIMIT: Option<&str> = Some("over-limit");
const SHOW: &[&str] = &["mail", "show"];
const INSPECT: &[&str] = &["mail", "inspect"];
const WRAP: &[&str] = &["mail", "wrap"];
const WRAP_TO_BOB: &[&str] = &["mail", "wrap", "--to", "bob@example.org"];

pub(crate) fn cases(people: &People) -> Vec<Case> {
    let mut cases = blanks();
    cases.extend(many(people));
    cases.extend(long(people));
    cases.extend(shown(people));
    cases.extend(wrapped());
    cases
}

/// Endless input: the program must not read more than it needs to refuse it.
fn blanks() -> Vec<Case> {
    let bytes = if is_full() { 2 << 30 } else { 256 << 20 };
    let part = "--b\nContent-Type: application/vnd.encl\nContent-Transfer-Encoding: base64\n\n";
    let head = || {
        let message = format!(
            "{}Content-Type: multipart/mixed; boundary=b\n\n{part}",
            fields()
        );
        Input::Blanks {
            head: message.into_bytes(),
            bytes,
        }
    };
    let behind_magic = || Input::Blanks {
        head: format!("{}\nZW5jbC8xCn", fields()).into_bytes(),
        bytes,
    };
    vec![
        Case::new("2 GiB of blanks as base64", head()).refused(4, OVER_LIMIT),
        Case::new("2 GiB of blanks shown", head())
            .by("bob", SHOW)
            .refused(4, OVER_LIMIT),
        Case::new("2 GiB of blanks inspected", head())
            .by("bob", INSPECT)
            .refused(4, OVER_LIMIT),
        Case::new("2 GiB of blanks within base64", behind_magic()).refused(4, OVER_LIMIT),
        Case::new(
            "2 GiB of blanks in a header",
            Input::Blanks {
                head: b"Subject: x\n ".to_vec(),
                bytes,
            },
        )
        .refused(4, OVER_LIMIT),
    ]
}

fn many(people: &People) -> Vec<Case> {
    let part = envelope_part(&sealed(people));
    let ours = sealed(people);
    let notice = ours.split("\n\n").nth(2).unwrap();
    let text = format!("\n{}", "All work and no play.\n".repeat(900_000));
    let notices = format!("\nx {notice}");
    let behind = |first: &str, number: usize, part: &str| {
        mixed(&[&[first][..], &vec![part; number]].concat())
    };
    let broken = "Content-Type: application/vnd.encl\n\nencl/1\n\n";
    vec![
        Case::new("200,000 parts", behind(&part, 200_000, "\nx")).refused(4, OVER_LIMIT),
        Case::new("4,000 texts like ours behind a long one", {
            let message = behind(&text, 4_000, &notices);
            message.replacen("--b\n", &format!("--b\n{part}\n--b\n"), 1)
        })
        .opens(LETTER)
        .says("more parts"),
        Case::new("9,000 envelopes that are none", behind(&text, 9_000, broken))
            .refused(4, None),
        Case::new("9,000 envelopes that are none, inspected", behind(&text, 9_000, broken))
            .by("bob", INSPECT)
            .refused(4, Some("truncated")),
        Case::new("2,000 envelopes behind a long text, inspected", behind(&text, 2_000, &part))
            .by("bob", INSPECT)
            .says("1980 more envelopes"),
        Case::new(
            "1,000,000 header fields",
            format!("{}{}", "a: b\n".repeat(1_000_000), sealed(people)),
        )
        .refused(4, OVER_LIMIT),
        Case::new("300,000 header fields of one letter", {
            format!("{}{}", "a:\n".repeat(300_000), sealed(people))
        })
        .opens(LETTER),
        Case::new("100,000 To fields outside", {
            format!("{}{}", "To:x@y\n".repeat(100_000), sealed(people))
        })
        .opens(LETTER)
        .says("more fields were changed outside"),
        Case::new("1,000 parts with 16 KiB of encoded names", {
            let name = "=?utf-8?q?a?= ".repeat(1_100);
            let part = format!(
                "Content-Type: a/b; name=\"{name}\"\nContent-Disposition: attachment; filename=\"{name}\"\n\nx"
            );
            behind(&envelope_part(&sealed(people)), 1_000, &part)
        })
        .opens(LETTER),
        Case::new("1,000 parts with names in 900 sections", {
            let sections: String = (0..900).map(|n| format!("; name*{n}*=''%41")).collect();
            let part = format!("Content-Type: a/b{sections}\n\nx");
            behind(&envelope_part(&sealed(people)), 1_000, &part)
        })
        .opens(LETTER),
    ]
}

fn long(people: &People) -> Vec<Case> {
    let part = envelope_part(&sealed(people));
    let sealed = sealed(people);
    let letter = sealed.as_str();
    let boundaries: String = (0..90)
        .map(|level| {
            let boundary = format!("{level}{}", "x".repeat(10_000));
            format!("Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n")
        })
        .collect();
    let almost = format!("--0{}y\n", "x".repeat(10_000)).repeat(2_000);
    vec![
        Case::new(
            "a header of 20 MB",
            format!("Subject: {}\n{letter}", "x".repeat(20_000_000)),
        )
        .refused(4, OVER_LIMIT),
        Case::new(
            "a part's header of 20 MB",
            mixed(&[&part, &format!("X: {}\n\nx", "x".repeat(20_000_000))]),
        )
        .refused(4, OVER_LIMIT),
        Case::new("90 boundaries of 10 KB, and 20 MB of lines like them", {
            format!("{}{boundaries}{part}\n{almost}", fields())
        })
        .opens(LETTER),
        Case::new("a boundary of 900 KB", {
            let boundary = "x".repeat(900_000);
            let lines = format!("--{}\n", "x".repeat(899_999)).repeat(20);
            format!(
                "{}Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n{part}\n{lines}--{boundary}--\n",
                fields()
            )
        })
        .opens(LETTER),
        Case::new("blanks behind a boundary, 1 MB", {
            mixed(&[&part, "\nx"]).replace("--b\n\n", &format!("--b{}\n\n", " ".repeat(1_000_000)))
        })
        .refused(4, OVER_LIMIT),
        Case::new("a content type of 900 KB of comments", {
            let comments = "(".repeat(450_000) + &")".repeat(450_000);
            mixed(&[&part.replace("application/vnd.encl", &format!("{comments} a/b"))])
        })
        .opens(LETTER),
        Case::new("a content type of 100,000 parameters", {
            let parameters: String = (0..100_000).map(|n| format!(";b{n}=c")).collect();
            mixed(&[&part.replace("; name=\"message.eml.encl\"", &parameters)])
        })
        .opens(LETTER),
        Case::new("a line of 40 MB", {
            mixed(&[&part, &format!("\n{}", "x".repeat(40_000_000))])
        })
        .opens(LETTER),
        Case::new("40 MB of hyphens", mixed(&[&part, &format!("\n{}", "-".repeat(40_000_000))]))
            .opens(LETTER),
        Case::new("10 MB of lines `--`", mixed(&[&part, &format!("\n{}", "--\n".repeat(3_000_000))]))
            .opens(LETTER),
    ]
}

/// Sealed messages that try to be costly to show.
fn shown(people: &People) -> Vec<Case> {
    let seal = |message: String| sealed_by(people, "alice", &["--anonymous"], message);
    let show = |name, message: String| Case::new(name, seal(message)).by("bob", SHOW);
    let html = |text: &str| format!("Content-Type: text/html\n\n{text}");
    vec![
        show("a subject of 900 KB of encoded words", {
            format!("Subject: {}\n\nx\n", "=?utf-8?q?=41?= ".repeat(56_000))
        }),
        show("a subject that is one word of 900 KB", {
            format!("Subject: =?utf-8?b?{}?=\n\nx\n", "QUFB".repeat(225_000))
        }),
        show("100 texts with a content type of 200 KB", {
            let sections: String = (0..10_000)
                .map(|n| format!("; charset*{n}*=''%41"))
                .collect();
            mixed(&[&*format!("Content-Type: text/plain{sections}\n\nx"); 100])
        }),
        show("9,000 forms of one text", {
            let alternatives = mixed(&[&*format!("{}x", html("")); 9_000]);
            alternatives.replace("multipart/mixed", "multipart/alternative")
        }),
        show("4 MB of `<`", html(&"<".repeat(4 << 20))),
        show("4 MB of `<a`", html(&"<a ".repeat(1 << 20))),
        show("4 MB of `&#`", html(&"&#".repeat(2 << 20))),
        show(
            "4 MB of scripts without end",
            html(&"<script></".repeat(400_000)),
        ),
        show(
            "4 MB of tags that are lines",
            html(&"<p>".repeat(1_300_000)),
        ),
        show("4 MB of quoted-printable blanks", {
            format!(
                "Content-Transfer-Encoding: quoted-printable\n\n{}",
                " ".repeat(4 << 20)
            )
        }),
        show("4 MB of base64 that is none", {
            format!(
                "Content-Transfer-Encoding: base64\n\n{}",
                "QQ==\n".repeat(800_000)
            )
        }),
        show(
            "a header of 2 MB",
            format!("{}\nx\n", "Subject: x\n".repeat(200_000)),
        ),
    ]
}

/// Messages that try to be costly to seal.
fn wrapped() -> Vec<Case> {
    let wrap = |name, message: String| Case::new(name, message).by("alice", WRAP);
    let to_bob = |name, message: String| Case::new(name, message).by("alice", WRAP_TO_BOB);
    let resent: String = (0..60_000).map(|n| format!("Resent-{n}: x\n")).collect();
    let list: String = (0..60_000).map(|n| format!("List-{n}: x\n")).collect();
    let unknown: String = (0..9_000).map(|n| format!("{n}@example.net,\n ")).collect();
    vec![
        wrap(
            "60,000 Resent fields",
            format!("{resent}Resent-To: bob@example.org\nTo: eve@example.org\n\nx\n"),
        ),
        to_bob("60,000 List fields", format!("{list}{LETTER}")),
        to_bob(
            "a References of 900 KB",
            format!("References: {}\n{LETTER}", "<a@b>\n ".repeat(130_000)),
        ),
        to_bob(
            "a From of 900 KB of words",
            format!("From: {} <alice@example.org>\n\nx\n", "a ".repeat(450_000)),
        ),
        to_bob(
            "a From of 900 KB of parentheses",
            format!("From: {}\n\nx\n", "(".repeat(900_000)),
        ),
        to_bob("a From of 900 KB of encoded words", {
            format!(
                "From: {} <alice@example.org>\n\nx\n",
                "=?utf-8?q?a?= ".repeat(64_000)
            )
        }),
        to_bob("a From of 900 KB that is not ASCII", {
            format!(
                "From: \"{}\" <alice@example.org>\n\nx\n",
                "\u{e4} ".repeat(300_000)
            )
        }),
        to_bob(
            "a subject of 900 KB",
            format!("Subject: {}\n\nx\n", "=?utf-8?q?a?= ".repeat(64_000)),
        ),
        wrap(
            "a To of commas",
            format!("To: {}\n\nx\n", ",".repeat(900_000)),
        )
        .refused(7, None),
        wrap("a To of 9,000 strangers", format!("To: {unknown}\n\nx\n")).refused(7, None),
        wrap(
            "a To without end",
            format!("To: \"{}\n\nx\n", "a".repeat(900_000)),
        )
        .refused(7, None),
        to_bob(
            "a header of 20 MB, sealed",
            format!("Subject: {}\n\nx\n", "x".repeat(20_000_000)),
        ),
    ]
}
