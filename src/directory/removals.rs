//! Whom access is taken from: by name as everywhere, and by what an envelope itself shows when nobody here has a name for it.

use super::error::DirectoryError;
use super::names::Names;
use super::people::People;
use super::resolve::resolve;
use super::who::{Who, WhoForm, WhoUse};
use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::envelope::Removals;

/// Those who lose access, and how they were named.
pub struct ResolvedRemovals {
    /// Their keys.
    pub removals: Removals,
    /// What each word meant, in the order of the words.
    pub holders: Vec<RemovedHolder>,
}

/// Whom one word meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovedHolder {
    /// All members of a group, by its name without the `@`.
    Group(String),
    /// A person.
    Person(Names),
    /// A fingerprint, or the id of a key, of somebody unknown.
    Key(RootId),
}

impl ResolvedRemovals {
    /// Everybody whom `words` mean. A fingerprint, or the id of a key as an envelope shows it, needs no contact.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn resolve(
        words: &[String],
        lock: Option<u16>,
        people: &People,
    ) -> Result<Self, DirectoryError> {
        let mut removals = Removals {
            lock,
            ..Removals::default()
        };
        let mut holders = Vec::new();
        for word in words {
            match Who::parse(word, WhoUse::Removal)?.form() {
                WhoForm::Group(group) => {
                    // Members without a card are removed too.
                    removals.people.extend(people.group(group)?.members);
                    holders.push(RemovedHolder::Group(group.to_owned()));
                }
                WhoForm::Fingerprint(id) => {
                    removals.people.insert(*id);
                    removals.keys.insert(KeyId(id.0));
                    let person = people.with_id(*id).ok().flatten();
                    holders.push(person.map_or(RemovedHolder::Key(*id), |person| {
                        RemovedHolder::Person(person.names())
                    }));
                }
                _ => {
                    for found in resolve(&[word], WhoUse::Removal, people)? {
                        removals.people.insert(found.names.id);
                        let keys = found.keys.iter().map(|key| key.public.key_id());
                        removals.keys.extend(keys);
                        holders.push(RemovedHolder::Person(found.names));
                    }
                }
            }
        }
        Ok(Self { removals, holders })
    }
}
