//! The text of the QR code, in base32: QR codes have a short form for capitals and digits, and every scanner can type them.

use zeroize::Zeroizing;

use super::{CONTENT_BYTES_MAX, PaperError, bits};

const PREFIX: &str = "ENCL-PAPER";
const FORM: &str = "1:";
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const WIDTH: usize = 5;

/// Whether `text` holds the beginning of a code, in capitals or small letters.
#[must_use]
pub fn is_code(text: &str) -> bool {
    behind_prefix(text).is_some()
}

fn behind_prefix(text: &str) -> Option<&[u8]> {
    let text = text.as_bytes();
    let begins = |part: &[u8]| part.eq_ignore_ascii_case(PREFIX.as_bytes());
    let at = text.windows(PREFIX.len()).position(begins)?;
    Some(&text[at + PREFIX.len()..])
}

pub(super) fn write(content: &[u8]) -> Zeroizing<String> {
    let groups = bits::groups(content, WIDTH);
    let mut text = Zeroizing::new(String::with_capacity(
        PREFIX.len() + FORM.len() + groups.len(),
    ));
    text.push_str(PREFIX);
    text.push_str(FORM);
    text.extend(
        groups
            .iter()
            .map(|group| char::from(LETTERS[usize::from(*group)])),
    );
    text
}

/// Decodes the content. Only its base32 is checked: it must be canonical.
pub(super) fn read(text: &str) -> Result<Zeroizing<Vec<u8>>, PaperError> {
    let behind = behind_prefix(text).ok_or(PaperError::Nothing)?;
    let Some(letters) = behind.strip_prefix(FORM.as_bytes()) else {
        let form = behind.first().filter(|byte| byte.is_ascii_digit());
        return Err(form.map_or(PaperError::Nothing, |form| PaperError::Newer(form - b'0')));
    };
    let mut groups = Zeroizing::new(Vec::with_capacity(CONTENT_BYTES_MAX * 8 / WIDTH + 1));
    let letters = letters.iter().filter(|byte| !byte.is_ascii_whitespace());
    for (place, letter) in letters.enumerate() {
        let found = LETTERS
            .iter()
            .position(|known| *known == letter.to_ascii_uppercase());
        let group = found.ok_or(PaperError::Character(place + 1))?;
        // Refuse a longer text before the buffer grows: growing would leave a copy of secrets in memory.
        if groups.len() == groups.capacity() {
            return Err(PaperError::Check);
        }
        groups.push(u16::try_from(group).expect("base32 has 32 letters"));
    }
    let content = bits::bytes(&groups, WIDTH);
    if *bits::groups(&content, WIDTH) == *groups {
        Ok(content)
    } else {
        Err(PaperError::Check)
    }
}
