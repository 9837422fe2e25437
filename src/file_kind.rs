//! What a file is that this program made, by its first bytes: for the error about a file that a command does not take.
//!
//! It is a hint for people. Whether a file is intact is found by reading it.

use crate::envelope::Envelope;
use crate::identity::Paper;

/// So many bytes of a file are enough.
pub const HEAD_BYTES: usize = 64 << 10;

/// What begins every file of private keys that was exported, whatever its version.
const EXPORT: &str = "encl-identity-export";
/// What a saved page says of itself, in each of its forms.
const PAGE: [&str; 3] = [
    "encl: an identity on paper",
    ", on paper</title>",
    "ENCL-PAPER1:",
];
/// What is in the head of the reader in the browser.
const READER: &str = "<title>encl: open an envelope</title>";
/// What a message with an envelope in it has.
const SEALED: [&str; 2] = ["application/vnd.encl", "-----BEGIN ENCL/"];

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// An envelope, as it is or as text.
    Envelope,
    /// The private keys of an identity: `key export`.
    Identity,
    /// An identity on paper, as text, as HTML, as words or as the text of its code.
    Page,
    /// A card alone.
    Card,
    /// The revocation of an identity.
    Revocation,
    /// A group, with the cards of its members.
    Group,
    /// A text with the token of an invitation, and mostly a card.
    Invitation,
    /// Some other text with a card in it.
    TextWithCard,
    /// An approval for a quorum.
    Approval,
    /// A message, or another text, with an envelope in it.
    SealedMail,
    /// What a backup contains, decrypted.
    OpenedBackup,
    /// The page that opens envelopes in a browser; there may be one in it.
    ReaderPage,
}

impl FileKind {
    /// The kind of the file that begins with these bytes, if this program makes such files.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        if Envelope::looks_like(head) {
            return Some(Self::Envelope);
        }
        // The first member of the archive (backup.rs).
        if head.starts_with(b"encl-backup\0") {
            return Some(Self::OpenedBackup);
        }
        let text = String::from_utf8_lossy(head);
        // Also with something in front, which makes it another page: its script names what is looked for below.
        if text.contains(READER) {
            return Some(Self::ReaderPage);
        }
        let text = text.trim_start_matches('\u{feff}');
        if has_private_keys(text) {
            return Some(Self::Identity);
        }
        let kinds = [
            ("encl-card", Self::Card),
            ("encl-revocation", Self::Revocation),
            ("encl-group", Self::Group),
            ("encl-approval", Self::Approval),
        ];
        let first = unquoted(text);
        let alone = kinds.into_iter().find(|(name, _)| is_carrier(first, name));
        if let Some((_, kind)) = alone {
            return Some(kind);
        }
        if PAGE.iter().any(|words| text.contains(words)) || Paper::from_text(text).is_ok() {
            return Some(Self::Page);
        }
        let has = |name: &str| {
            let mut places = text.match_indices(name);
            places.any(|(at, _)| is_carrier(&text[at..], name))
        };
        if SEALED.iter().any(|words| text.contains(words)) {
            return Some(Self::SealedMail);
        }
        if has("encl-invitation") || has("encl-answer") {
            return Some(Self::Invitation);
        }
        if has("encl-approval") {
            return Some(Self::Approval);
        }
        if has("encl-group") {
            return Some(Self::Group);
        }
        has("encl-card").then_some(Self::TextWithCard)
    }
}

/// Whether a text has private keys in it that were exported, alone or in a message.
#[must_use]
pub fn has_private_keys(text: &str) -> bool {
    let mut lines = text.lines();
    lines.any(|line| unquoted(line).starts_with(EXPORT))
}

/// Without white space, and quoting at the beginning.
fn unquoted(text: &str) -> &str {
    text.trim_start_matches(|letter: char| letter == '>' || letter.is_whitespace())
}

/// Whether the text begins with this name, the number of a version and a colon.
fn is_carrier(text: &str, name: &str) -> bool {
    let version = text.strip_prefix(name).unwrap_or_default();
    let behind = version.trim_start_matches(|digit: char| digit.is_ascii_digit());
    behind.len() < version.len() && behind.starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_its_beginning() {
        for (head, kind) in [
            ("encl/1\n{", FileKind::Envelope),
            ("-----BEGIN ENCL/1-----\n", FileKind::Envelope),
            (
                "encl-identity-export1\ncard encl-card1:e",
                FileKind::Identity,
            ),
            ("Here it is:\n> encl-identity-export1\n", FileKind::Identity),
            ("encl-card1:eyJ", FileKind::Card),
            ("\u{feff}> encl-card2:eyJ", FileKind::Card),
            ("encl-revocation1:eyJ", FileKind::Revocation),
            ("encl-approval1:eyJ", FileKind::Approval),
            ("encl-group1:eyJ", FileKind::Group),
            (
                "Our team:\nencl-group1:eyJ\nencl-card1:eyJ",
                FileKind::Group,
            ),
            ("Approved.\nencl-approval1:eyJ", FileKind::Approval),
            ("Hello\nencl-card1:eyJ", FileKind::TextWithCard),
            ("encl-answer1:Bwc\nencl-card1:eyJ", FileKind::Invitation),
            (
                "Hello\n  encl key card --invitation encl-invitation1:Bwc\nencl-card1:eyJ",
                FileKind::Invitation,
            ),
            ("encl: an identity on paper\n 1. aban", FileKind::Page),
            (
                "From: a@example.org\nContent-Type: application/vnd.encl\n",
                FileKind::SealedMail,
            ),
            ("Look:\n-----BEGIN ENCL/1-----\n", FileKind::SealedMail),
            ("encl-backup\0\0", FileKind::OpenedBackup),
            (
                "<!doctype html>\n<title>encl: open an envelope</title>",
                FileKind::ReaderPage,
            ),
            (
                "<!-- --><!doctype html>\n<title>encl: open an envelope</title>\nencl-approval1:",
                FileKind::ReaderPage,
            ),
        ] {
            assert_eq!(FileKind::of(head.as_bytes()), Some(kind), "{head}");
        }
        for head in [
            "",
            "hello",
            "encl",
            "encl-card",
            "encl-card:",
            "encl-paper",
            "encl-cards are public",
            "what encl-approval means",
        ] {
            assert_eq!(FileKind::of(head.as_bytes()), None, "{head}");
        }
    }
}
