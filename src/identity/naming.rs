//! Which names and addresses a card may bring: none that could be taken for something else, where people or shells read it.
//!
//! The format itself reads cards with any name. Who accepts a card asks here first.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

use super::Card;
use super::fingerprint::is_like_a_fingerprint;
use crate::address::is_same_address;

/// Words that mean somebody in what the program says.
const WORDS_OF_THE_PROGRAM: [&str; 3] = ["you", "me", "unknown"];
/// What a shell may take for more than text. `'` and `&` stay: people have them in their names.
const SHELL_CHARACTERS: &str = "`$\";|<>()\\";

/// What is wrong with a name or an address of a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamingFault {
    /// The name is empty.
    #[error("its name is empty")]
    Empty,
    /// The name looks like a fingerprint.
    #[error("its name looks like a fingerprint")]
    Fingerprint,
    /// The name has an `@`, and is none of the card's addresses.
    #[error("its name looks like an address, and is none of its addresses")]
    Address,
    /// The name is a word by which the program itself names somebody.
    #[error("its name looks like `{0}`, which means somebody else")]
    Word(&'static str),
    /// The name begins or ends with a blank, or has two of them in a row.
    #[error("its name has a blank at an end, or two of them in a row")]
    Blanks,
    /// The name has a character that is not seen.
    #[error("its name has an invisible character")]
    Invisible,
    /// An address has a character that is not seen.
    #[error("one of its addresses has an invisible character")]
    InvisibleInAddress,
    /// An address has a character that a shell may take for more than text.
    #[error("one of its addresses has the character {0}, which a shell takes for more than text")]
    Shell(char),
}

impl Card {
    /// What is wrong with the name or the addresses: a card that comes in is refused for that.
    #[must_use]
    pub fn naming_fault(&self) -> Option<NamingFault> {
        let in_name = || name_fault(self.name(), self.addresses());
        in_name().or_else(|| self.addresses().iter().find_map(|one| address_fault(one)))
    }
}

/// What is wrong with a name on a card with these addresses.
#[must_use]
pub fn name_fault(name: &str, addresses: &[String]) -> Option<NamingFault> {
    if is_plain(name) {
        let is_like_a_fingerprint = is_like_a_fingerprint(name);
        return is_like_a_fingerprint.then_some(NamingFault::Fingerprint);
    }
    if name.is_empty() {
        return Some(NamingFault::Empty);
    }
    if name.contains(is_ignorable) {
        return Some(NamingFault::Invisible);
    }
    if has_stray_blanks(name) {
        return Some(NamingFault::Blanks);
    }
    let composed: String = name.nfkc().collect();
    if is_like_a_fingerprint(&composed) {
        return Some(NamingFault::Fingerprint);
    }
    if composed.contains('@') {
        let is_own = addresses.iter().any(|one| is_same_address(one, name));
        return (!is_own).then_some(NamingFault::Address);
    }
    let drawn = drawn_name(name);
    let mut words = WORDS_OF_THE_PROGRAM.into_iter();
    words
        .find(|word| drawn_name(word) == drawn)
        .map(NamingFault::Word)
}

/// Whether it is a longer name of ASCII letters, digits, dots and single blanks, as most are: only a fingerprint can look so.
fn is_plain(name: &str) -> bool {
    let letters = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    name.len() > WORDS_OF_THE_PROGRAM[2].len() && name.split(' ').all(letters)
}

fn has_stray_blanks(name: &str) -> bool {
    let mut was_blank = true;
    let doubled = name.chars().any(|character| {
        let before = std::mem::replace(&mut was_blank, is_blank(character));
        before && was_blank
    });
    doubled || was_blank
}

fn is_blank(character: char) -> bool {
    // The Braille pattern without dots is drawn like a space.
    character.is_whitespace() || character == '\u{2800}'
}

/// What is wrong with an address on a card.
fn address_fault(address: &str) -> Option<NamingFault> {
    if address.contains(is_ignorable) {
        return Some(NamingFault::InvisibleInAddress);
    }
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let is_quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    let bare = if is_quoted { domain } else { address };
    let mut characters = bare.chars();
    characters
        .find(|character| SHELL_CHARACTERS.contains(*character))
        .map(NamingFault::Shell)
}

/// Characters that are not drawn (Unicode's `Default_Ignorable_Code_Point`).
fn is_ignorable(character: char) -> bool {
    matches!(u32::from(character),
        0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
        | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0
        | 0xFFF0..=0xFFF8 | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

/// A name in the form in which names are compared: compatibility forms and case do not count.
#[must_use]
pub fn folded_name(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let small = name.nfkc().collect::<String>().to_lowercase();
    // Case folding: of the letters that lower case leaves apart, these two stand in names.
    let folded = small.replace('ß', "ss").replace('ς', "σ");
    folded.nfkc().collect()
}

/// A name as it looks: in small letters, as the skeleton of its letters (UTS 39 §4).
#[must_use]
pub fn drawn_name(name: &str) -> String {
    drawn(&folded_name(name))
}

/// The skeleton of a text. Among thousands of contacts most are ASCII, of which each character has a skeleton by itself.
#[must_use]
pub fn drawn(text: &str) -> String {
    static OF_ASCII: LazyLock<[String; 128]> = LazyLock::new(|| {
        let ascii = |code: usize| char::from(u8::try_from(code).unwrap_or_default());
        std::array::from_fn(|code| skeleton(ascii(code).encode_utf8(&mut [0; 4])).collect())
    });
    if text.is_ascii() {
        let of_ascii = &*OF_ASCII;
        return text
            .bytes()
            .map(|byte| &*of_ascii[usize::from(byte)])
            .collect();
    }
    skeleton(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(name: &str) -> Option<NamingFault> {
        name_fault(name, &["bob@example.org".to_owned()])
    }

    #[test]
    fn names_that_mean_something_else_are_refused() {
        let digits = "0123456789abcdef".repeat(4);
        let wide: String = digits
            .chars()
            .map(|digit| char::from_u32(u32::from(digit) + 0xFEE0).unwrap())
            .collect();
        for (name, refused) in [
            ("", NamingFault::Empty),
            (&*digits, NamingFault::Fingerprint),
            (&digits.to_uppercase(), NamingFault::Fingerprint),
            (&wide, NamingFault::Fingerprint),
            ("0123 4567 89ab cdef", NamingFault::Fingerprint),
            ("01:23:45:67:89:ab:cd:ef", NamingFault::Fingerprint),
            (
                "0123\u{2013}4567\u{2013}89ab\u{2013}cdef",
                NamingFault::Fingerprint,
            ),
            ("0123.4567.89ab.cdef", NamingFault::Fingerprint),
            ("cfo@corp.example", NamingFault::Address),
            ("cfo\u{ff20}corp.example", NamingFault::Address),
            ("cfo\u{fe6b}corp.example", NamingFault::Address),
            ("Bob <bob@example.org>", NamingFault::Address),
            ("you", NamingFault::Word("you")),
            ("YOU", NamingFault::Word("you")),
            ("y\u{43e}u", NamingFault::Word("you")),
            ("\u{ff4d}e", NamingFault::Word("me")),
            ("Unknown", NamingFault::Word("unknown")),
            (" Bob", NamingFault::Blanks),
            ("Bob ", NamingFault::Blanks),
            ("Bob  B", NamingFault::Blanks),
            ("Bob \u{a0}B", NamingFault::Blanks),
            ("\u{3000}Bob", NamingFault::Blanks),
            ("\u{2800}", NamingFault::Blanks),
            ("Bo\u{200d}b", NamingFault::Invisible),
            ("Bob\u{ad}", NamingFault::Invisible),
            ("\u{3164}", NamingFault::Invisible),
            ("Bob\u{e0041}", NamingFault::Invisible),
        ] {
            assert_eq!(fault(name), Some(refused), "{name:?}");
        }
    }

    #[test]
    fn names_of_people_stay() {
        for name in [
            "Bob",
            "bob@example.org",
            "BOB@Example.org",
            "Zo\u{eb} M\u{fc}ller",
            "Miles O'Brien",
            "R&D / Team",
            "Alice (CEO)",
            "Ada Bee",
            "Mei",
            "Youssef",
            "\u{738b}\u{5c0f}\u{660e}",
            "\u{d6}zg\u{fc}r",
            "0123 4567 89ab cde",
        ] {
            assert_eq!(fault(name), None, "{name}");
        }
    }

    #[test]
    fn addresses_for_a_shell_are_refused() {
        for (address, refused) in [
            ("a$(id)@x", Some(NamingFault::Shell('$'))),
            ("a`id`@x", Some(NamingFault::Shell('`'))),
            ("a;b@x", Some(NamingFault::Shell(';'))),
            ("a|b@x", Some(NamingFault::Shell('|'))),
            ("a<b@x", Some(NamingFault::Shell('<'))),
            ("a>b@x", Some(NamingFault::Shell('>'))),
            ("a\\b@x", Some(NamingFault::Shell('\\'))),
            ("a\"b@x", Some(NamingFault::Shell('"'))),
            ("a@x$y", Some(NamingFault::Shell('$'))),
            ("\"a;b\"@x;y", Some(NamingFault::Shell(';'))),
            ("a\u{200b}@x", Some(NamingFault::InvisibleInAddress)),
            ("\"a;b\"@x", None),
            ("miles.o'brien@x", None),
            ("r&d@x", None),
            ("bob+list@x", None),
        ] {
            assert_eq!(address_fault(address), refused, "{address}");
        }
    }

    #[test]
    fn ascii_is_drawn_as_everything_else_is() {
        let all: String = (0..128_u8).map(char::from).collect();
        for text in [&*all, "mary@example.org", "a1ice 0 |`\"", ""] {
            assert_eq!(drawn(text), skeleton(text).collect::<String>(), "{text:?}");
        }
    }

    #[test]
    fn names_are_compared_without_case_and_compatibility_forms() {
        for (one, other) in [
            ("Bob", "BOB"),
            ("\u{ff22}ob", "bob"),
            ("Jo\u{308}rg", "J\u{d6}RG"),
            ("Stra\u{df}e", "STRASSE"),
            ("A\u{a0}B", "a b"),
        ] {
            assert_eq!(folded_name(one), folded_name(other), "{one}");
        }
        assert_ne!(folded_name("B\u{43e}b"), folded_name("Bob"));
        assert_eq!(drawn_name("B\u{43e}b"), drawn_name("Bob"));
    }
}
