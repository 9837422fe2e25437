//! What people can be named by, and the one of several who is meant.

use super::error::DirectoryError;
use crate::address::{comparable, is_same_address};
use crate::crypto::signing::RootId;
use crate::identity::{Card, parse_fingerprint};
use crate::keystore::{ContactHead, IndexedContact};

/// Typing errors that are worth a "did you mean": characters added, left out, replaced or swapped.
const TYPING_ERRORS_MAX: usize = 2;

/// What a person can be named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The root key.
    pub id: RootId,
    /// The name on the card.
    pub name: String,
    /// The addresses on the card, the usual one first.
    pub addresses: Vec<String>,
}

impl Names {
    /// The names on a card.
    #[must_use]
    pub fn of_card(card: &Card) -> Self {
        Self {
            id: card.id(),
            name: card.name().to_owned(),
            addresses: card.addresses().to_vec(),
        }
    }

    pub(super) fn of_contact(head: &ContactHead) -> Self {
        Self {
            id: head.id,
            name: head.name.clone(),
            addresses: head.addresses.clone(),
        }
    }

    pub(super) fn of_index(contact: IndexedContact<'_>) -> Option<Self> {
        let mut words = contact.words().map(str::to_owned);
        Some(Self {
            id: contact.id()?,
            name: words.next()?,
            addresses: words.collect(),
        })
    }

    /// The sort key in lists for people: by name, then by key.
    #[must_use]
    pub fn sort_key(&self) -> (String, RootId) {
        (self.name.to_lowercase(), self.id)
    }

    /// Name and addresses.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.name).chain(self.addresses.iter().map(String::as_str))
    }

    /// Whether one of the addresses is this one.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        let mut addresses = self.addresses.iter();
        addresses.any(|known| is_same_address(known, address))
    }
}

/// One of `candidates`, by address, name or fingerprint, in full and without regard to case.
///
/// # Errors
/// [`DirectoryError::Unknown`], [`DirectoryError::Ambiguous`].
pub fn match_one(name: &str, candidates: &[Names]) -> Result<RootId, DirectoryError> {
    let wanted = comparable(name);
    let id = parse_fingerprint(name);
    let fits =
        |names: &&Names| id == Some(names.id) || names.all().any(|word| comparable(word) == wanted);
    let mut matches: Vec<&Names> = candidates.iter().filter(fits).collect();
    matches.dedup_by_key(|names| names.id);
    match matches[..] {
        [names] => Ok(names.id),
        [] => Err(DirectoryError::Unknown {
            name: name.to_owned(),
            similar: closest_match(name, candidates.iter().flat_map(Names::all)).map(str::to_owned),
        }),
        _ => Err(DirectoryError::Ambiguous {
            name: name.to_owned(),
            matches: matches.into_iter().cloned().collect(),
        }),
    }
}

/// The word most like `name`, if any is close.
#[must_use]
pub fn closest_match<'a>(name: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let length = name.chars().count();
    let distance = |word: &str| strsim::damerau_levenshtein(&name, &word.to_lowercase());
    // Each error changes the length by one at most: comparing a very long name with thousands would take minutes.
    let near = words
        .filter(|word| word.to_lowercase().chars().count().abs_diff(length) <= TYPING_ERRORS_MAX)
        .map(|word| (distance(word), word))
        .filter(|(distance, word)| {
            let shorter = word.chars().count().min(name.chars().count());
            *distance <= TYPING_ERRORS_MAX && 2 * distance < shorter
        });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
