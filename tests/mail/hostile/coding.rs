//! Base64 and other encodings that are damaged or ambiguous.

use super::Case;
use super::letter::{LETTER, around, base64, envelope, envelope_part, mixed, sealed, sealed_by};
use crate::letters::People;

const PART: &str = "Content-Type: application/vnd.encl\nContent-Transfer-Encoding: base64\n\n";

pub(crate) fn cases(people: &People) -> Vec<Case> {
    let sealed = sealed(people);
    let bytes = envelope(&sealed);
    let text = base64(&bytes);
    let middle = text.len() / 2 / 77 * 77;
    let with = |insert: &str| format!("{}{insert}{}", &text[..middle], &text[middle..]);
    let within = |insert: &str| format!("{}{insert}{}", &text[..middle + 30], &text[middle + 30..]);
    let message = |body: &str| mixed(&[&format!("{PART}{body}\n")]);
    let cut = |name, body: String| Case::new(name, message(&body)).refused(4, Some("truncated"));
    let none =
        |name, body: String| Case::new(name, message(&body)).refused(4, Some("not-an-envelope"));
    let mut cases = vec![
        cut("an `=` within the base64", within("=")),
        cut("`==` at the end of a line", with("QQ==\n")),
        cut("foreign letters in the base64", within("*")),
        cut("letters of the other base64 alphabet", within("_-")),
        cut("a letter that only looks like one", within("\u{410}")),
        cut("NUL in the base64", within("\0")),
        cut("a bare CR in the base64", within("\r")),
        cut("LF, dot, LF in the base64", with(".\n")),
        cut("a line that a mailer begins with a dot", with(".")),
        cut("`From ` in the base64", with(">From \n")),
        cut("an empty line in the base64", with("\n")),
        cut("a header line in the base64", with("Subject: x\n")),
        none(
            "base64 that begins behind 16 KiB of empty lines",
            format!("{}{text}", "\n".repeat(16 << 10)),
        ),
        none("base64 behind a byte order mark", format!("\u{feff}{text}")),
        none("base64 twice encoded", base64(text.as_bytes())),
        Case::new(
            "base64 on lines of one column",
            message(&{
                let letters: Vec<String> =
                    text.replace('\n', "").chars().map(String::from).collect();
                letters.join("\n")
            }),
        )
        .opens(LETTER),
        Case::new(
            "quoted-printable that is no code",
            mixed(&[&envelope_part(&sealed).replace("base64", "quoted-printable")]),
        )
        .refused(4, Some("not-an-envelope")),
        Case::new("a byte too many", around(&[&bytes[..], b"x"].concat()))
            .refused(4, Some("damaged")),
        Case::new("a byte too few", around(&bytes[..bytes.len() - 1])).refused(4, Some("damaged")),
    ];
    cases.extend(trailing_bits(people));
    cases.extend(altered(people));
    cases
}

/// The last character of the base64 has unused bits. If they are set, the encoding is not canonical.
fn trailing_bits(people: &People) -> Vec<Case> {
    let padded = |length: usize| {
        let letter = format!("{LETTER}{}\n", "x".repeat(length));
        let sealed = sealed_by(people, "alice", &[], letter);
        base64(&envelope(&sealed))
    };
    let text = (0..3)
        .map(padded)
        .find(|text| text.ends_with('=') && !text.ends_with("=="));
    let text = text.expect("one of three lengths has one `=`");
    let last = text.len() - 2;
    let changed = match &text[last..=last] {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "1",
    };
    let message = mixed(&[&format!("{PART}{}{changed}=\n", &text[..last])]);
    vec![Case::new("wrong trailing bits", message).refused(4, Some("damaged"))]
}

/// Content of several chunks: a fault at the end must hold back the correct beginning.
fn altered(people: &People) -> Vec<Case> {
    let long = format!("{LETTER}{}", "All work and no play.\n".repeat(20_000));
    let bytes = envelope(&sealed_by(people, "alice", &[], &long));
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        around(&bytes)
    };
    let end = bytes.len() - 1;
    vec![
        Case::new("a long message", around(&bytes)).opens(long),
        Case::new("one bit of the last chunk", flipped(end)).refused(4, Some("damaged")),
        Case::new("one bit in the middle", flipped(end / 2)).refused(4, Some("damaged")),
        Case::new("the last chunk is missing", around(&bytes[..300_000]))
            .refused(4, Some("damaged")),
        Case::new("one bit of the first line", flipped(2)).refused(4, Some("not-an-envelope")),
    ]
}
