//! How people see and compare an id: 64 hexadecimal digits in groups of four.

use crate::crypto::signing::RootId;

/// The hexadecimal digits of a whole fingerprint.
pub const FINGERPRINT_DIGITS: usize = 64;
/// From so many hexadecimal digits on a word is taken for a fingerprint, or for a part of one; no name may look like that.
const LIKE_A_FINGERPRINT: usize = 16;

/// The id as people compare it: 16 groups of 4 hexadecimal digits.
#[must_use]
pub fn fingerprint(id: &RootId) -> String {
    let digits = id.to_string();
    let groups: Vec<&str> = (0..16)
        .map(|group| &digits[group * 4..group * 4 + 4])
        .collect();
    groups.join(" ")
}

/// The first 16 digits of a fingerprint, which tell people with one name from each other.
#[must_use]
pub fn short_fingerprint(id: &RootId) -> String {
    fingerprint(id)[..19].to_owned()
}

/// Reads a whole fingerprint as it was shown, read aloud or copied: blanks, `:`, `-` and case do not count.
#[must_use]
pub fn parse_fingerprint(text: &str) -> Option<RootId> {
    let digits = text.chars().filter(|character| !is_between(*character));
    let digits: String = digits.collect();
    digits.to_ascii_lowercase().parse().ok()
}

/// How many hexadecimal digits a word has that is a fingerprint by its form: nothing else but blanks, `:` and `-`, and at
/// least 16 of them.
#[must_use]
pub fn fingerprint_digits(text: &str) -> Option<usize> {
    let mut digits = text.chars().filter(|character| !is_between(*character));
    let count = digits.try_fold(0, |count, digit| {
        digit.is_ascii_hexdigit().then_some(count + 1)
    })?;
    (count >= LIKE_A_FINGERPRINT).then_some(count)
}

/// Whether a name could be taken for a fingerprint: no letters and digits but at least 16 hexadecimal ones.
pub(super) fn is_like_a_fingerprint(name: &str) -> bool {
    let mut digits = name.chars().filter(|character| character.is_alphanumeric());
    let count = digits.try_fold(0, |count, digit| {
        digit.is_ascii_hexdigit().then_some(count + 1)
    });
    count.is_some_and(|count| count >= LIKE_A_FINGERPRINT)
}

fn is_between(character: char) -> bool {
    character.is_whitespace() || matches!(character, ':' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_shows() {
        let id = RootId(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        let shown = fingerprint(&id);
        assert_eq!(shown.len(), 64 + 15);
        let upper = shown.to_uppercase();
        for text in [
            &*shown,
            &upper.replace(' ', ""),
            &upper.replace(' ', ":"),
            &shown.replace(' ', "-"),
            &shown.replace(' ', "\u{a0}\n"),
        ] {
            assert_eq!(parse_fingerprint(text), Some(id), "{text}");
            assert_eq!(fingerprint_digits(text), Some(64), "{text}");
        }
        assert_eq!(parse_fingerprint(&shown[5..]), None);
        assert_eq!(fingerprint_digits(&shown[5..]), Some(60));
        assert_eq!(fingerprint_digits("0123 4567 89ab cde"), None);
        assert_eq!(fingerprint_digits("0123 4567 89ab cdeg"), None);
        assert_eq!(short_fingerprint(&id), shown[..19]);
    }
}
