//! What people can be named by, and the one of several who is meant.

use super::error::DirectoryError;
use super::lookalike::Distinction;
use super::who::{Who, WhoForm};
use crate::address::is_same_address;
use crate::crypto::signing::RootId;
use crate::identity::{Card, folded_name, name_fault};
use crate::keystore::{IndexedContact, KnownAs};

/// Typing errors that are worth a "did you mean": characters added, left out, replaced or swapped.
const TYPING_ERRORS_MAX: usize = 2;

/// What a person can be named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The root key.
    pub id: RootId,
    /// The name on the card.
    pub name: String,
    /// Another name that the card of a verified contact says now, and that nobody compared.
    pub claimed_name: Option<String>,
    /// The addresses on the card, the usual one first; of a verified contact those for which it was verified come first.
    pub addresses: Vec<String>,
    /// How many of the addresses count, from the first. The others were never looked at.
    pub counting: usize,
    /// How much of the fingerprint is shown beside the name.
    pub distinction: Distinction,
}

impl Names {
    /// The names on a card.
    #[must_use]
    pub fn of_card(card: &Card) -> Self {
        Self {
            id: card.id(),
            name: card.name().to_owned(),
            claimed_name: None,
            addresses: card.addresses().to_vec(),
            counting: card.addresses().len(),
            distinction: Distinction::Name,
        }
    }

    /// The names of a contact.
    #[must_use]
    pub fn of_contact(id: RootId, known: KnownAs) -> Self {
        Self {
            id,
            name: known.name,
            claimed_name: known.claimed_name,
            addresses: known.addresses,
            counting: known.counting,
            distinction: Distinction::Name,
        }
    }

    pub(super) fn of_index(contact: IndexedContact<'_>) -> Option<Self> {
        let mut words = contact.words().map(str::to_owned);
        let (name, addresses) = (words.next()?, words.collect::<Vec<_>>());
        Some(Self {
            id: contact.id()?,
            name,
            claimed_name: None,
            counting: addresses.len(),
            addresses,
            distinction: Distinction::Name,
        })
    }

    /// The sort key in lists for people: by name, then by key.
    #[must_use]
    pub fn sort_key(&self) -> (String, RootId) {
        (self.name.to_lowercase(), self.id)
    }

    /// The name, unless it could be taken for something else: such a name neither finds anybody nor is shown.
    #[must_use]
    pub fn fit_name(&self) -> Option<&str> {
        let fault = name_fault(&self.name, &self.addresses);
        fault.is_none().then_some(&*self.name)
    }

    /// Name and addresses by which the person is found.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let addresses = self.counting().iter().map(String::as_str);
        self.fit_name().into_iter().chain(addresses)
    }

    /// The addresses that count.
    #[must_use]
    pub fn counting(&self) -> &[String] {
        &self.addresses[..self.counting.min(self.addresses.len())]
    }

    /// Whether one of the addresses that count is this one.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        let mut addresses = self.counting().iter();
        addresses.any(|known| is_same_address(known, address))
    }

    /// Whether this is the name: all of it, without regard to case and compatibility forms.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        self.has_folded_name(&folded_name(name))
    }

    pub(super) fn has_folded_name(&self, folded: &str) -> bool {
        folded_name(&self.name) == folded && self.fit_name().is_some()
    }
}

/// One of `candidates`, by fingerprint, address or name. A group or a card is nobody of them.
///
/// # Errors
/// [`DirectoryError::Unknown`], [`DirectoryError::Ambiguous`].
pub fn match_one(who: &Who, candidates: &[Names]) -> Result<RootId, DirectoryError> {
    let folded = folded_name(who.typed());
    let fits = |names: &&Names| match who.form() {
        WhoForm::Fingerprint(id) => names.id == *id,
        WhoForm::Address(address) => names.has_address(address.as_str()),
        WhoForm::Name | WhoForm::NameOrFile => names.has_folded_name(&folded),
        WhoForm::Group(_) | WhoForm::Card | WhoForm::File(_) => false,
    };
    let mut matches: Vec<&Names> = candidates.iter().filter(fits).collect();
    matches.dedup_by_key(|names| names.id);
    match matches[..] {
        [names] => Ok(names.id),
        [] => Err(unknown(who, candidates)),
        _ => Err(DirectoryError::Ambiguous {
            name: who.typed().to_owned(),
            matches: matches.into_iter().cloned().collect(),
        }),
    }
}

/// Nobody of `candidates` is meant; a word that is like one of theirs is offered, or the only name of which this is a part.
pub(super) fn unknown(who: &Who, candidates: &[Names]) -> DirectoryError {
    let similar = closest_match(who.typed(), candidates.iter().flat_map(Names::all));
    let similar = similar.or_else(|| only_name_with(who.typed(), candidates));
    DirectoryError::Unknown {
        name: who.typed().to_owned(),
        similar: similar.map(str::to_owned),
    }
}

/// The only name that has this word, such as a given name.
fn only_name_with<'n>(word: &str, candidates: &'n [Names]) -> Option<&'n str> {
    let word = folded_name(word);
    let has_word = |name: &&str| folded_name(name).split(' ').any(|part| part == word);
    let mut names = candidates
        .iter()
        .filter_map(Names::fit_name)
        .filter(has_word);
    match (names.next(), names.next()) {
        (Some(name), None) => Some(name),
        _ => None,
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
