//! The place of the envelope: misleading boundaries, nested parts, and messages with no envelope or several.

use super::Case;
use super::letter::{
    LETTER, around, envelope, envelope_part, fields, file_envelope, mixed, sealed, sealed_by,
};
use crate::letters::People;

const NONE: Option<&str> = Some("not-an-envelope");

pub(crate) fn cases(people: &People) -> Vec<Case> {
    let mut cases = boundaries(people);
    cases.extend(numbers(people));
    cases.extend(kinds(people));
    cases.extend(nested(people));
    cases
}

/// A multipart message with this content type and boundary `b`.
fn typed(content_type: &str, parts: &str) -> String {
    format!("{}Content-Type: {content_type}\n\n{parts}", fields())
}

#[expect(clippy::too_many_lines, reason = "a list of cases")]
fn boundaries(people: &People) -> Vec<Case> {
    let part = envelope_part(&sealed(people));
    let simple = format!("--b\n\ntext\n--b\n{part}\n--b--\n");
    let opens = |name, message: String| Case::new(name, message).opens(LETTER);
    let none = |name, message: String| Case::new(name, message).refused(4, NONE);
    vec![
        opens(
            "a boundary that is a prefix of another",
            typed(
                "multipart/mixed; boundary=b",
                &format!(
                    "--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\nx\n--bb\n{part}\n--bb--\n--b--\n"
                ),
            ),
        ),
        opens(
            "a boundary in mid-line",
            typed(
                "multipart/mixed; boundary=b",
                &format!("--b\n\nsay --b\n --b\n--bx\n--b x\n\n--b\n{part}\n--b--\n"),
            ),
        ),
        opens(
            "blanks behind a boundary",
            typed(
                "multipart/mixed; boundary=b",
                &simple.replace("--b\n", "--b \t  \n"),
            ),
        ),
        opens(
            "a boundary that ends in a blank",
            typed("multipart/mixed; boundary=\"b \"", &simple),
        ),
        none(
            "an empty boundary",
            typed(
                "multipart/mixed; boundary=\"\"",
                &simple.replace("--b", "--"),
            ),
        ),
        none(
            "no boundary",
            typed("multipart/mixed", &simple.replace("--b", "--")),
        ),
        opens(
            "a boundary in a comment",
            typed("multipart/mixed; (boundary=no;) boundary (no) = b", &simple),
        ),
        none(
            "a comment without end around the boundary",
            typed("multipart/mixed; (boundary=b", &simple),
        ),
        opens(
            "a boundary in sections",
            typed(
                "multipart/mixed; boundary*1=\"\"; boundary*0*=us-ascii''%62; boundary*3=no",
                &simple,
            ),
        ),
        opens(
            "two boundaries, the first is right",
            typed("multipart/mixed; boundary=b; boundary=c", &simple),
        ),
        none(
            "two boundaries, the second is right",
            typed("multipart/mixed; boundary=c; boundary=b", &simple),
        ),
        none(
            "two content types, the second is right",
            typed(
                "text/plain\nContent-Type: multipart/mixed; boundary=b",
                &simple,
            ),
        ),
        opens(
            "a boundary that two multiparts share",
            typed(
                "multipart/mixed; boundary=b",
                &format!(
                    "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n{part}\n--b--\n--b--\n"
                ),
            ),
        ),
        opens(
            "a boundary without its end",
            typed("multipart/mixed; boundary=b", &format!("--b\n{part}")),
        ),
        opens(
            "a boundary that looks like a header",
            typed(
                "multipart/mixed; boundary=\"Subject: x\"",
                &simple.replace("--b", "--Subject: x"),
            ),
        ),
        opens(
            "a folded boundary",
            typed("multipart/mixed;\n\tboundary =\n \"b\"", &simple),
        ),
        none(
            "an envelope in the preamble",
            typed(
                "multipart/mixed; boundary=b",
                &format!("{part}\n--b\n\nx\n--b--\n"),
            ),
        ),
        none(
            "an envelope in the epilogue",
            typed(
                "multipart/mixed; boundary=b",
                &format!("--b\n\nx\n--b--\n--c\n{part}\n--c--\n{part}"),
            ),
        ),
        none(
            "bare CR for line ends",
            mixed(&["\ntext", &part]).replace('\n', "\r"),
        ),
    ]
}

fn numbers(people: &People) -> Vec<Case> {
    let second = LETTER.replace("seven", "eight");
    let two = mixed(&[
        &envelope_part(&sealed(people)),
        &envelope_part(&sealed_by(people, "alice", &[], &second)),
    ]);
    let both = envelope(&sealed(people)).repeat(2);
    vec![
        Case::new("two envelopes", two.clone()).refused(4, None),
        Case::new("the second of two envelopes", two.clone())
            .with(&["--part", "2"])
            .opens(second),
        Case::new("the third of two envelopes", two.clone())
            .with(&["--part", "3"])
            .refused(2, None),
        Case::new("envelope number nought", two)
            .with(&["--part", "0"])
            .refused(2, None),
        Case::new("two envelopes in one part", around(&both)).refused(4, Some("damaged")),
        Case::new("no envelope", LETTER.to_owned()).refused(4, NONE),
        Case::new("nothing at all", Vec::new()).refused(4, NONE),
        Case::new("an empty line", "\n".to_owned()).refused(4, NONE),
        Case::new("a header alone", fields()).refused(4, NONE),
    ]
}

fn kinds(people: &People) -> Vec<Case> {
    let part = envelope_part(&sealed(people));
    let as_type = |content_type: &str| {
        let part = part.replace("application/vnd.encl", content_type);
        mixed(&["\ntext", &part])
    };
    let newer = [b"encl/2\n".to_vec(), vec![b'x'; 2_000]].concat();
    let fake = |body: &str| {
        mixed(&[&format!(
            "Content-Type: application/vnd.encl; name=\"a.encl\"\n\n{body}\n"
        )])
    };
    vec![
        Case::new("an envelope labelled image/png", as_type("image/png")).opens(LETTER),
        Case::new("an envelope labelled text/html", as_type("text/html")).opens(LETTER),
        Case::new(
            "an envelope labelled multipart/mixed",
            as_type("multipart/mixed"),
        )
        .opens(LETTER),
        Case::new(
            "an envelope in an encoding that nobody knows",
            mixed(&[&part.replace("base64", "x-uuencode")]),
        )
        .opens(LETTER),
        Case::new("a label on a text", fake("There is none in here."))
            .refused(4, NONE)
            .says("which it is not"),
        Case::new("a label on nothing", fake("")).refused(4, NONE),
        Case::new(
            "an envelope in a message that was sent on",
            mixed(&[
                "\nsee below",
                &format!("Content-Type: message/rfc822\n\n{}", sealed(people)),
            ]),
        )
        .opens(LETTER)
        .says("outside the envelope"),
        Case::new("a newer envelope", around(&newer)).refused(9, Some("newer")),
        Case::new("version 01", around(b"encl/01\n{}\n")).refused(9, Some("newer")),
        Case::new(
            "a version of many digits",
            around(b"encl/99999999999\n{}\n"),
        )
        .refused(4, NONE),
        Case::new("the first line alone", around(b"encl/1\n")).refused(4, Some("truncated")),
        Case::new(
            "an endless policy",
            around(&[&b"encl/1\n"[..], &b"{\"a\":".repeat(1_800_000)].concat()),
        )
        .refused(4, Some("over-limit")),
        Case::new(
            "a file in place of a message",
            around(&file_envelope(people, "alice", &[], b"just\0bytes")),
        )
        .opens(*b"just\0bytes")
        .says("it holds a file"),
    ]
}

/// Layers of envelopes, each sealing the one before. They are binary, so that fifty layers stay small.
fn layers(people: &People, number: usize) -> (Vec<u8>, Vec<u8>) {
    let in_binary = |envelope: Vec<u8>| {
        let head = format!(
            "{}Content-Type: application/vnd.encl\nContent-Transfer-Encoding: binary\n\n",
            fields()
        );
        [head.into_bytes(), envelope].concat()
    };
    let (mut within, mut message) = (Vec::new(), LETTER.as_bytes().to_vec());
    for _ in 0..number {
        let sealed = sealed_by(people, "alice", &[], &message);
        within = std::mem::replace(&mut message, in_binary(envelope(&sealed)));
    }
    (message, within)
}

/// An envelope inside this many multiparts.
fn deep(people: &People, depth: usize) -> String {
    let head =
        |level: usize| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    let heads: String = (0..depth).map(head).collect();
    format!("{}{heads}{}", fields(), envelope_part(&sealed(people)))
}

fn nested(people: &People) -> Vec<Case> {
    let within = sealed(people);
    let (outermost, next) = layers(people, 50);
    let further = "a further envelope inside";
    vec![
        Case::new(
            "an envelope in an envelope",
            sealed_by(people, "alice", &[], &within),
        )
        .opens(within)
        .says(further),
        Case::new("fifty envelopes in each other", outermost)
            .opens(next)
            .says(further),
        Case::new("an envelope 99 levels deep", deep(people, 99)).opens(LETTER),
        Case::new("an envelope 150 levels deep", deep(people, 150)).refused(4, Some("over-limit")),
        Case::new(
            "an armored envelope of many lines, taken out of its message",
            file_envelope(people, "alice", &["--armor"], &[b'x'; 3 << 20]),
        )
        .opens(vec![b'x'; 3 << 20]),
    ]
}
