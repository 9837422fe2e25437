//! Recognises an envelope by its first bytes, whatever its version. Whether it is intact is found by reading it.

use std::io::Empty;

use super::open::Envelope;

/// Bytes that are enough to recognise an envelope.
pub const HEAD_BYTES: usize = BEGIN.len() + DIGITS_MAX + DASHES.len();

/// Digits of a version at most.
const DIGITS_MAX: usize = 9;
const BEGIN: &[u8] = b"-----BEGIN ENCL/";
const DASHES: &[u8] = b"-----";

/// The two forms of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is specified.
    Binary,
    /// As text between two marker lines.
    Armored,
}

impl Form {
    /// The form of the envelope that begins with `head`, if one does.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        let forms: [(&[u8], &[u8], Self); 2] = [
            (b"encl/", b"\n", Self::Binary),
            (BEGIN, DASHES, Self::Armored),
        ];
        forms.into_iter().find_map(|(before, behind, form)| {
            let version = head.strip_prefix(before)?;
            let digits = version
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let fits = (1..=DIGITS_MAX).contains(&digits) && version[digits..].starts_with(behind);
            fits.then_some(form)
        })
    }
}

impl Envelope<Empty> {
    /// Whether `head`, the first [`HEAD_BYTES`] of something, is the beginning of an envelope of any version, in any form.
    #[must_use]
    pub fn looks_like(head: &[u8]) -> bool {
        Form::of(head).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_version_is_recognised_and_other_texts_are_not() {
        for (head, form) in [
            ("encl/1\n{", Form::Binary),
            ("encl/123456789\n", Form::Binary),
            ("-----BEGIN ENCL/1-----", Form::Armored),
            ("-----BEGIN ENCL/123456789-----", Form::Armored),
        ] {
            assert_eq!(Form::of(head.as_bytes()), Some(form), "{head}");
            assert!(head.len() <= HEAD_BYTES && Envelope::looks_like(head.as_bytes()));
        }
        for head in [
            "",
            "encl/",
            "encl/1",
            "encl/\n",
            "encl/1\r\n",
            "encl/1234567890\n",
            " encl/1\n",
        ] {
            assert!(!Envelope::looks_like(head.as_bytes()), "{head}");
        }
    }
}
