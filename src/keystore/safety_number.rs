//! The safety number: two people compare it to know that each has the other's key.
//!
//! Both sides compute the same number, from both fingerprints in the order of their bytes. Sixty digits are 199 bits. An
//! attacker between the two shows each of them a key of his own, and needs two keys that give the same number, about 2^100
//! tries for all of it. People tend to look at the ends only, so every try costs an Argon2id over 64 MiB,
//! about a tenth of a second: keys for two given groups of five are a hundred thousand such tries and no longer a second's work.

use std::fmt;

use crate::crypto::kdf::COMPARISON_SALT;
use crate::crypto::passphrase::{Cost, Passphrase, PassphraseError};
use crate::crypto::signing::RootId;

const GROUPS: usize = 12;
/// A group has five digits.
const GROUP_BASE: u32 = 100_000;
const WORDS: usize = 18;
/// 2^11 words are in the list.
const WORD_BITS: usize = 11;

/// The number that both sides see.
#[derive(Clone, PartialEq, Eq)]
pub struct SafetyNumber {
    groups: [u32; GROUPS],
    words: [&'static str; WORDS],
}

impl SafetyNumber {
    /// The number of two root keys, in either order.
    ///
    /// # Errors
    /// [`PassphraseError::Memory`] when 64 MiB cannot be had.
    pub fn new(one: &RootId, other: &RootId) -> Result<Self, PassphraseError> {
        let (first, second) = (one.min(other), one.max(other));
        let pair = Passphrase::new(&format!("{first}{second}"))?;
        let bytes = pair.derive(COMPARISON_SALT, Cost::DEFAULT)?;
        Ok(Self::of(bytes.expose()))
    }

    fn of(bytes: &[u8; 32]) -> Self {
        Self {
            groups: groups(*bytes),
            words: std::array::from_fn(|place| word(bytes, place)),
        }
    }

    /// Twelve groups of five digits: the bytes as one number, modulo 10^60. Blanks and line feeds between them.
    #[must_use]
    pub fn digits(&self) -> String {
        let group = |group: &u32| format!("{group:05}");
        lines(&self.groups.map(|one| group(&one)), 6)
    }

    /// The first 198 of the same bits as 18 words of the English list of BIP-39.
    #[must_use]
    pub fn words(&self) -> String {
        lines(&self.words, 6)
    }

    /// Whether `text` is this number, in digits with or without blanks, or its words.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let bare = |text: &str| -> String { text.split(['-', ' ', '\t', '\n', '\r']).collect() };
        let typed = bare(text).to_lowercase();
        typed == bare(&self.digits()) || {
            let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
            words == self.words
        }
    }
}

impl fmt::Debug for SafetyNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.digits())
    }
}

/// `bytes` modulo 10^60 in base 100,000, the highest group first: a long division for each group from the lowest on.
fn groups(mut bytes: [u8; 32]) -> [u32; GROUPS] {
    let mut groups = [0; GROUPS];
    for group in groups.iter_mut().rev() {
        let mut rest = 0;
        for byte in &mut bytes {
            let number = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(number / GROUP_BASE).expect("the rest was smaller than the base");
            rest = number % GROUP_BASE;
        }
        *group = rest;
    }
    groups
}

fn word(bytes: &[u8; 32], place: usize) -> &'static str {
    let bit = |at: usize| usize::from(bytes[at / 8] >> (7 - at % 8) & 1);
    let first = place * WORD_BITS;
    let number = (first..first + WORD_BITS).fold(0, |number, at| number << 1 | bit(at));
    bip39::Language::English.word_list()[number]
}

fn lines<S: AsRef<str>>(pieces: &[S], in_a_line: usize) -> String {
    let line = |line: &[S]| {
        let pieces: Vec<&str> = line.iter().map(AsRef::as_ref).collect();
        pieces.join(" ")
    };
    let lines: Vec<String> = pieces.chunks(in_a_line).map(line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_see_the_same_and_nobody_else_does() {
        let [one, other, third] = [1, 2, 3].map(|byte| RootId([byte; 32]));
        let number = SafetyNumber::new(&one, &other).unwrap();
        assert_eq!(number, SafetyNumber::new(&other, &one).unwrap());
        assert_ne!(number, SafetyNumber::new(&one, &third).unwrap());
        let groups: Vec<_> = number.digits().split_whitespace().map(str::len).collect();
        assert_eq!(groups, [5; 12]);
        assert_eq!(number.words().split_whitespace().count(), 18);
        // What people compared once stays what they see.
        assert_eq!(
            number.digits(),
            "73767 01122 04372 00122 43173 56328
34049 51182 31952 27039 08617 46465"
        );
    }

    #[test]
    fn it_is_taken_as_it_is_typed_or_copied() {
        let number = SafetyNumber::of(&std::array::from_fn(|at| u8::try_from(at * 7).unwrap()));
        let (digits, words) = (number.digits(), number.words());
        for same in [
            digits.clone(),
            digits.replace(['\n', ' '], ""),
            digits.replace(' ', "-"),
            format!("  {}\n", digits.replace('\n', " ")),
            words.clone(),
            words.to_uppercase().replace('\n', "   "),
        ] {
            assert!(number.matches(&same), "{same}");
        }
        for other in [
            "",
            &digits[..digits.len() - 1],
            &format!("{digits}0"),
            &words[..words.len() - 6],
            &format!("{words} abandon"),
        ] {
            assert!(!number.matches(other), "{other}");
        }
    }

    #[test]
    fn the_number_is_that_of_the_bytes() {
        let mut bytes = [0; 32];
        bytes[24..].copy_from_slice(&1_234_567_890_123_456_789_u64.to_be_bytes());
        let digits = SafetyNumber::of(&bytes).digits().replace(['\n', ' '], "");
        assert_eq!(digits, format!("{:060}", 1_234_567_890_123_456_789_u64));
        // 2^256 - 1 modulo 10^60.
        let digits = SafetyNumber::of(&[255; 32])
            .digits()
            .replace(['\n', ' '], "");
        assert_eq!(
            digits,
            "237316195423570985008687907853269984665640564039457584007913129639935"[9..]
        );
        assert_eq!(
            SafetyNumber::of(&[0; 32]).words().split(' ').next(),
            Some("abandon")
        );
    }
}
