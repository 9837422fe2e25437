//! The text form of cards, revocations and approvals (FORMAT.md, "Cards").

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use encl::crypto::sha256;
use encl::crypto::signing::Purpose;

use super::edits::loosened;
use super::people::Person;

/// The text form of a content.
pub(super) fn carried(prefix: &str, content: &[u8]) -> String {
    carried_text(prefix, &URL_SAFE_NO_PAD.encode(content))
}

/// The text form of any characters, in groups with check characters.
pub(super) fn carried_text(prefix: &str, characters: &str) -> String {
    let mut text = prefix.to_owned();
    for (number, group) in (0_u16..).zip(characters.as_bytes().chunks(60)) {
        let hash = sha256(&[b"encl/1 check\0", &number.to_be_bytes(), group]);
        let _ = write!(
            text,
            "{}{}",
            String::from_utf8_lossy(group),
            &URL_SAFE_NO_PAD.encode(&hash[..2])[..2]
        );
    }
    text
}

/// The text as it is quoted in an answer to a mail.
pub(super) fn quoted(text: &str) -> String {
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(70)
        .map(String::from_utf8_lossy)
        .collect();
    format!("> {}\r\n", lines.join("\r\n> > \t"))
}

pub(super) fn signed(line: &str, root: &Person, purpose: Purpose) -> Vec<u8> {
    let signature = root.root.sign(purpose, &[line.as_bytes()]).0;
    [line.as_bytes(), b"\n", &signature].concat()
}

/// A card with this line, signed by its owner.
pub(super) fn card(line: &str, owner: &Person) -> String {
    carried("encl-card1:", &signed(line, owner, Purpose::Card)) + "\n"
}

/// Sets an unused bit of the last character of base64url.
pub(super) fn bit_more(base64url: &str) -> String {
    let (front, last) = base64url.split_at(base64url.len() - 1);
    let loose = loosened(&format!("{}=", last.replace('-', "+").replace('_', "/")));
    let last = loose
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_");
    format!("{front}{last}")
}
