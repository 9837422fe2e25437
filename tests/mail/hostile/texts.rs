//! Text that attacks the display: escape sequences, line ends and directions in subjects, names and texts, and names that are
//! not valid file names.

use super::Case;
use super::letter::{LETTER, envelope_part, mixed, sealed, sealed_by};
use crate::letters::People;

const SHOW: &[&str] = &["mail", "show"];
const WRAP: &[&str] = &["mail", "wrap", "--to", "bob@example.org"];
/// Clears the screen, sets the title, requests an answer of the terminal, and reverses the line.
const ESCAPES: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}[6n\u{9b}31m\u{202e}\u{2066}\u{8}\u{c}";

/// Checks that there is no control sequence, and no character that hides or reverses other text.
pub(crate) fn harmless(name: &str, bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| format!("{name}: not UTF-8"))?;
    let is_hazard = |letter: &char| {
        (letter.is_control() && *letter != '\n')
            || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{2028}')
    };
    match text.chars().find(is_hazard) {
        None => Ok(()),
        Some(letter) => Err(format!("{name}: {letter:?} reaches the terminal")),
    }
}

/// A message in which every text is hostile.
pub(crate) fn escaping() -> String {
    format!(
        "From: \"{ESCAPES}\" <alice@example.org>\nTo: =?utf-8?q?=1B[2J=0D=0A?= <bob@example.org>\n\
         Subject: =?utf-8?q?=1B[2J=1B]0;x=07=E2=80=AE?= {ESCAPES}\nDate: {ESCAPES}\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n\
         {ESCAPES}\n--b\nContent-Type: text/html; charset=utf-8\n\n&#27;[2J&#x9b;31m&#8238;{ESCAPES}\n\
         --b\nContent-Type: application/{ESCAPES}; name=\"{ESCAPES}\"\n\n{ESCAPES}\n--b--\n"
    )
}

pub(crate) fn cases(people: &People) -> Vec<Case> {
    let mut cases = names(people);
    cases.extend(headers());
    cases.push(
        Case::new(
            "escapes everywhere, shown",
            sealed_by(people, "alice", &[], escaping()),
        )
        .by("bob", SHOW),
    );
    cases.push(
        Case::new("escapes everywhere, unsealed", escaping()).refused(4, Some("not-an-envelope")),
    );
    cases
}

fn names(people: &People) -> Vec<Case> {
    let part = envelope_part(&sealed(people));
    let long = "x".repeat(300) + ".pdf";
    let names = [
        ("a file name that climbs", "../../../../tmp/hostile"),
        ("a file name from the root", "/etc/passwd"),
        ("a file name that is an option", "-rf"),
        (
            "a file name of a shell",
            "$(touch hostile); `touch hostile`",
        ),
        ("a file name of Windows", "..\\CON.txt"),
        ("a reserved file name", "AUX"),
        ("a hidden file name", ".bashrc"),
        ("a file name of 300 bytes", &long),
        ("a file name with controls", ESCAPES),
        ("a file name turned around", "invoice\u{202e}fdp.exe"),
        ("a file name in encoded words", "=?utf-8?q?a=1B[2J=0A=00b?="),
        ("an empty file name", ""),
    ];
    let message = |name: &str| {
        let file = format!("Content-Type: application/pdf; name=\"{name}\"\n\n%PDF");
        mixed(&[&part.replace("message.eml.encl", name), &file])
    };
    let case = |(what, name)| Case::new(what, message(name)).opens(LETTER);
    names.into_iter().map(case).collect()
}

/// Values that try to add a field to the outer header.
fn headers() -> Vec<Case> {
    let wrap = |name, from: &str| {
        let letter = LETTER.replacen("From: Alice <alice@example.org>", from, 1);
        Case::new(name, letter).by("alice", WRAP)
    };
    let word = "x".repeat(2_000);
    let injected =
        "=?utf-8?q?Alice=0D=0ABcc:_eve@example.org=0D=0A=0D=0Ahello?= <alice@example.org>";
    vec![
        wrap("CR LF in an encoded name", &format!("From: {injected}")),
        wrap(
            "CR LF in an encoded name beside one that is not ASCII",
            &format!("From: {injected}, \"\u{e4}\" <a@example.org>"),
        ),
        wrap(
            "a bare CR in a name",
            "From: Alice\rBcc: eve@example.org <alice@example.org>",
        )
        .says("line 1 of the header holds a carriage return that ends no line"),
        wrap("NUL in a name", "From: Al\0ice <alice@example.org>")
            .says("line 1 of the header holds a control character"),
        wrap(
            "a direction mark in a name",
            "From: Al\u{202e}ice <alice@example.org>",
        )
        .says("a name in From cannot be written outside"),
        wrap(
            "a line separator in a name",
            "From: Al\u{2028}ice <alice@example.org>",
        )
        .says("a name in From cannot be written outside"),
        wrap("a group with a field in it", "From: Bcc: eve@example.org;"),
        wrap(
            "a field name in a group",
            "From: x:\n Bcc: eve@example.org;\n",
        ),
        wrap(
            "a word of 2,000 characters",
            &format!("From: {word} <alice@example.org>"),
        )
        .says("a name in From cannot be written outside"),
        wrap(
            "Latin-1 in a name",
            "From: Al\u{fffd}ice <alice@example.org>",
        ),
        wrap(
            "a Bcc behind CR",
            "X: y\rBcc: eve@example.org\nFrom: alice@example.org",
        ),
        wrap("a Bcc", "Bcc: eve@example.org\nFrom: alice@example.org").refused(2, None),
        wrap(
            "a Bcc with blanks and folds",
            "bCC \t:\n eve@example.org\nFrom: alice@example.org",
        )
        .refused(2, None),
        wrap(
            "a field of a list",
            "List-Id: \"\u{e4}=?utf-8?q?=0D=0AX:y?=\" <a.b>\nFrom: alice@example.org",
        ),
        Case::new("a name on a card with CR LF", Vec::new())
            .by(
                "alice",
                &[
                    "key",
                    "new",
                    "x@example.org",
                    "--no-passphrase",
                    "--name",
                    "x\r\nBcc: eve",
                ],
            )
            .refused(2, None),
    ]
}
