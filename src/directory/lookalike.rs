//! People who look like others and are not: by a name that another has too, or by letters of other scripts that are drawn like
//! Latin ones.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::names::Names;
use crate::address::{Address, is_same_address};
use crate::crypto::signing::RootId;
use crate::identity::{Card, drawn, drawn_name, short_fingerprint};

/// A name or an address on a card that looks like that of somebody known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookalike {
    /// The name or address on the card.
    pub text: String,
    /// The known name or address.
    pub known: String,
    /// Whose it is.
    pub person: Names,
}

/// What on a card looks like somebody else's: names and addresses of which the skeletons are the same (UTS 39 §4), compared
/// without regard to case and to compatibility forms. Addresses that are the same are not meant.
#[must_use]
pub fn lookalikes(card: &Card, known: &[Names]) -> Vec<Lookalike> {
    let others = || {
        let others = known.iter();
        others.filter(|names| !card.may_carry_addresses_of(&names.id))
    };
    let lookalike = |text: &str, person: &Names, known: &str| Lookalike {
        text: text.to_owned(),
        known: known.to_owned(),
        person: person.clone(),
    };
    let looks = drawn_name(card.name());
    // Somebody with one of the addresses is a conflict, which is told by itself.
    let has_address = |names: &Names| card.addresses().iter().any(|one| names.has_address(one));
    let has_name = |names: &&Names| {
        names.fit_name().is_some_and(|one| drawn_name(one) == looks) && !has_address(names)
    };
    // A name with an `@` is one of the addresses.
    let is_name = !card.name().contains('@');
    let namesake = others().filter(|_| is_name).find(has_name);
    let mut found: Vec<_> = namesake
        .map(|names| lookalike(card.name(), names, &names.name))
        .into_iter()
        .collect();
    found.extend(card.addresses().iter().filter_map(|address| {
        let (names, known) = find_lookalike(address, others())?;
        Some(lookalike(address, names, known))
    }));
    found
}

/// A known person whose address looks like this one, with that address.
fn find_lookalike<'a>(
    address: &str,
    known: impl IntoIterator<Item = &'a Names>,
) -> Option<(&'a Names, &'a str)> {
    let looks = drawn_address(address);
    let mut all = known
        .into_iter()
        .flat_map(|names| names.counting().iter().map(move |known| (names, &**known)));
    all.find(|(_, known)| drawn_address(known) == looks && !is_same_address(known, address))
}

/// How much of a fingerprint tells a person from others who look alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Distinction {
    /// Nothing: nobody looks alike.
    #[default]
    Name,
    /// The first 16 digits.
    Short,
    /// All of it: somebody who looks alike has the same first digits.
    Whole,
}

/// Everybody who is known, by what they look like.
#[derive(Default)]
pub(super) struct Appearances(HashMap<String, Vec<RootId>>);

impl Appearances {
    /// Adds somebody with a name and a first address.
    pub(super) fn add(&mut self, id: RootId, name: &str, address: &str) {
        for look in [drawn_name(name), drawn_address(address)] {
            let ids = self.0.entry(look).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }

    /// What tells somebody from all others but who `is_same`.
    pub(super) fn distinction(
        &self,
        id: RootId,
        (name, address): (&str, &str),
        is_same: impl Fn(&RootId) -> bool,
    ) -> Distinction {
        let looks = [drawn_name(name), drawn_address(address)];
        let others = looks.iter().filter_map(|look| self.0.get(look)).flatten();
        let digits = short_fingerprint(&id);
        let mut distinction = Distinction::Name;
        for other in others.filter(|other| **other != id && !is_same(other)) {
            if short_fingerprint(other) == digits {
                return Distinction::Whole;
            }
            distinction = Distinction::Short;
        }
        distinction
    }
}

/// An address as it looks: with its domain as people see it, in small letters, as the skeleton of its letters. Compatibility
/// forms may be capitals, so case is folded once more behind them.
fn drawn_address(address: &str) -> String {
    let shown = Address::new(address).to_unicode().to_lowercase();
    if shown.is_ascii() {
        return drawn(&shown);
    }
    drawn(&shown.nfkc().collect::<String>().to_lowercase())
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
