//! Addresses that look like another one and are not: letters of other scripts that are drawn like Latin ones.
//!
//! A small table of the letters that are drawn alike in ordinary typefaces, and no more: what it does not warn of may still
//! mislead. `rn` and `m`, `1` and `l` are left to the eye.

use unicode_normalization::UnicodeNormalization;

use crate::cli::operations::directory::mail_address::is_same;
use crate::cli::operations::directory::people::Names;

/// Cyrillic, Greek, Armenian and Latin letters beside the ASCII letter that they are drawn like.
const ALIKE: [(&str, char); 24] = [
    ("\u{430}\u{3b1}\u{251}", 'a'),
    ("\u{184}\u{44c}", 'b'),
    ("\u{441}\u{3f2}", 'c'),
    ("\u{501}", 'd'),
    ("\u{435}\u{4bd}", 'e'),
    ("\u{261}\u{581}", 'g'),
    ("\u{4bb}\u{570}", 'h'),
    ("\u{456}\u{3b9}\u{131}", 'i'),
    ("\u{458}\u{3f3}", 'j'),
    ("\u{43a}\u{3ba}", 'k'),
    ("\u{4cf}\u{4c0}", 'l'),
    ("\u{43c}", 'm'),
    ("\u{578}\u{3b7}", 'n'),
    ("\u{43e}\u{3bf}\u{585}", 'o'),
    ("\u{440}\u{3c1}", 'p'),
    ("\u{51b}\u{566}", 'q'),
    ("\u{433}", 'r'),
    ("\u{455}", 's'),
    ("\u{442}\u{3c4}", 't'),
    ("\u{57d}\u{3c5}", 'u'),
    ("\u{475}\u{3bd}", 'v'),
    ("\u{51d}\u{461}", 'w'),
    ("\u{445}\u{3c7}", 'x'),
    ("\u{443}\u{3b3}", 'y'),
];

/// Somebody known whose address looks like this one, with that address.
pub(crate) fn like<'a>(
    address: &str,
    known: impl IntoIterator<Item = &'a Names>,
) -> Option<(&'a Names, &'a str)> {
    let drawn = drawn(address);
    let mut all = known
        .into_iter()
        .flat_map(|names| names.addresses.iter().map(move |known| (names, &**known)));
    all.find(|(_, known)| self::drawn(known) == drawn && !is_same(known, address))
}

/// An address as it looks: its domain as people see it, small letters, and those of other scripts as the Latin ones.
fn drawn(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let domain = match domain.is_ascii() && !domain.contains("xn--") {
        true => domain.to_owned(),
        false => idna::domain_to_unicode(domain).0,
    };
    let shown = format!("{local}@{domain}");
    if shown.is_ascii() {
        return shown.to_ascii_lowercase();
    }
    // Once more in small letters: compatibility forms may be capitals.
    let small: String = shown.nfkc().collect::<String>().to_lowercase();
    small.chars().map(latin).collect()
}

fn latin(letter: char) -> char {
    let alike = ALIKE.iter().find(|(others, _)| others.contains(letter));
    alike.map_or(letter, |(_, latin)| *latin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::test_support::card;

    fn is_like(one: &str, other: &str) -> bool {
        let names = Names::of_card(&card("Bob", &[other]));
        like(one, [&names]).is_some()
    }

    #[test]
    fn letters_of_other_scripts_are_seen_through() {
        for (one, other) in [
            ("\u{430}lice@example.org", "alice@example.org"),
            ("\u{410}lice@example.org", "alice@example.org"),
            ("alice@example.org", "\u{430}lice@example.org"),
            ("alice@ex\u{430}mple.org", "alice@example.org"),
            ("alice@xn--exmple-4nf.org", "alice@example.org"),
            ("\u{ff41}lice@example.org", "alice@example.org"),
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
