//! Addresses that look like another one and are not: letters of other scripts that are drawn like Latin ones.

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

use super::names::Names;
use crate::address::{Address, is_same_address};

/// A known person whose address looks like this one, with that address. Addresses look alike when their skeletons are the same
/// (UTS 39 §4), compared without regard to case and to compatibility forms.
pub fn find_lookalike<'a>(
    address: &str,
    known: impl IntoIterator<Item = &'a Names>,
) -> Option<(&'a Names, &'a str)> {
    let drawn = drawn(address);
    let mut all = known
        .into_iter()
        .flat_map(|names| names.addresses.iter().map(move |known| (names, &**known)));
    all.find(|(_, known)| self::drawn(known) == drawn && !is_same_address(known, address))
}

/// An address as it looks: with its domain as people see it, in small letters, as the skeleton of its letters. Compatibility
/// forms may be capitals, so case is folded once more behind them.
fn drawn(address: &str) -> String {
    let shown = Address::new(address).to_unicode().to_lowercase();
    let small = shown.nfkc().collect::<String>().to_lowercase();
    skeleton(&small).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tests::card;

    fn is_like(one: &str, other: &str) -> bool {
        let names = Names::of_card(&card("Bob", &[other]));
        find_lookalike(one, [&names]).is_some()
    }

    #[test]
    fn letters_of_other_scripts_look_like_latin_ones() {
        for (one, other) in [
            ("\u{430}lice@example.org", "alice@example.org"),
            ("\u{410}lice@example.org", "alice@example.org"),
            ("alice@example.org", "\u{430}lice@example.org"),
            ("alice@ex\u{430}mple.org", "alice@example.org"),
            ("alice@xn--exmple-4nf.org", "alice@example.org"),
            ("\u{ff41}lice@example.org", "alice@example.org"),
            // Rows that UTS 39 has and a short table does not.
            ("a1ice@example.org", "alice@example.org"),
            ("rnary@example.org", "mary@example.org"),
            ("\u{1d41b}ob@example.org", "bob@example.org"),
        ] {
            assert!(is_like(one, other), "{one} {other}");
            assert!(is_like(other, one), "{other} {one}");
        }
    }

    #[test]
    fn the_same_and_another_address_are_no_lookalikes() {
        for (one, other) in [
            ("alice@example.org", "alice@example.org"),
            ("ALICE@example.org", "alice@EXAMPLE.org"),
            ("alice@b\u{fc}cher.example", "alice@xn--bcher-kva.example"),
            ("alicia@example.org", "alice@example.org"),
            ("m\u{fc}ller@example.org", "muller@example.org"),
            (
                "\u{438}\u{432}\u{430}\u{43d}@example.org",
                "ivan@example.org",
            ),
        ] {
            assert!(!is_like(one, other), "{one} {other}");
        }
    }
}
