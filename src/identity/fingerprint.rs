//! How people see and compare an id: 64 hexadecimal digits in groups of four.

use crate::crypto::signing::RootId;

/// The id as people compare it: 16 groups of 4 hexadecimal digits.
#[must_use]
pub fn fingerprint(id: &RootId) -> String {
    let digits = id.to_string();
    let groups: Vec<&str> = (0..16)
        .map(|group| &digits[group * 4..group * 4 + 4])
        .collect();
    groups.join(" ")
}

/// Reads a whole fingerprint as it was shown, read aloud or copied: blanks and case do not count.
#[must_use]
pub fn parse_fingerprint(text: &str) -> Option<RootId> {
    let digits: String = text.chars().filter(|character| *character != ' ').collect();
    digits.to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_shows() {
        let id = RootId(std::array::from_fn(|i| u8::try_from(i * 7).unwrap()));
        let shown = fingerprint(&id);
        assert_eq!(shown.len(), 64 + 15);
        assert_eq!(parse_fingerprint(&shown), Some(id));
        assert_eq!(
            parse_fingerprint(&shown.to_uppercase().replace(' ', "")),
            Some(id)
        );
        assert_eq!(parse_fingerprint(&shown[5..]), None);
    }
}
