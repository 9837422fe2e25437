//! How an envelope differs from what is wished: for people in one line, for programs as lists.

use crate::cli::display::names::with_address;
use crate::cli::display::names::{hex, list};
use encl::envelope::{Addressee, Change, KeyDirectory, Reader};
use encl::policy::Recipient;
use serde::Serialize;

use crate::cli::terminal::safe;

/// Who joins, who has a new key, and who leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Differences {
    joins: Vec<AccessHolder>,
    new_keys: Vec<AccessHolder>,
    leaves: Vec<AccessHolder>,
}

/// Somebody with a slot, or without one yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AccessHolder {
    name: Option<String>,
    address: Option<String>,
    id: Option<String>,
    key: String,
    lock: u16,
    #[serde(skip)]
    words: String,
}

impl Differences {
    /// The changes of a plan. `locks` is how many the envelope has.
    pub(crate) fn of(changes: &[Change], known: &KeyDirectory, locks: usize) -> Self {
        let mut differences = Self::default();
        for change in changes {
            let (list, mut one) = match change {
                Change::Added(lock, one) => (&mut differences.joins, AccessHolder::of(one, *lock)),
                Change::NewKey(lock, one) => {
                    (&mut differences.new_keys, AccessHolder::of(one, *lock))
                }
                Change::Removed(lock, reader) => (
                    &mut differences.leaves,
                    AccessHolder {
                        lock: *lock,
                        ..AccessHolder::reading(reader, known)
                    },
                ),
            };
            if locks > 1 {
                one.words = format!("{} (lock {})", one.words, one.lock);
            }
            list.push(one);
        }
        differences
    }

    /// `+ Erin <erin@example.org>  ~ Carol <carol@example.org> (new key)  - Bob <bob@example.org>`
    pub(crate) fn line(&self) -> String {
        let mut parts = Vec::new();
        for (sign, people, remark) in [
            ('+', &self.joins, ""),
            ('~', &self.new_keys, " (new key)"),
            ('-', &self.leaves, ""),
        ] {
            if !people.is_empty() {
                let words: Vec<_> = people.iter().map(|one| one.words.clone()).collect();
                parts.push(format!("{sign} {}{remark}", list(&words)));
            }
        }
        parts.join("  ")
    }
}

impl AccessHolder {
    fn of(addressee: &Addressee, lock: u16) -> Self {
        let Recipient {
            name,
            address,
            id,
            key,
        } = &addressee.recipient;
        Self {
            words: with_address(name, address.as_deref()),
            name: Some(name.clone()),
            address: address.clone(),
            id: Some(id.to_string()),
            key: hex(&key.0),
            lock,
        }
    }

    /// Somebody with a slot, by the name that the keystore has for the key, or else for the person.
    pub(crate) fn reading(reader: &Reader, known: &KeyDirectory) -> Self {
        let key = hex(&reader.key.0);
        match (known.owner_of(reader), &reader.person) {
            (Some(person), _) => Self {
                key,
                ..Self::of(&person.current, reader.lock)
            },
            (None, Some(said)) => Self {
                name: None,
                address: None,
                words: format!(
                    "a person who is not a contact, named {} in the record",
                    safe(&said.name)
                ),
                id: Some(said.id.to_string()),
                key,
                lock: reader.lock,
            },
            (None, None) => Self {
                name: None,
                address: None,
                words: format!("a person without a record, key {key}"),
                id: None,
                key,
                lock: reader.lock,
            },
        }
    }

    /// "Bob <bob@example.org>"
    pub(crate) fn words(&self) -> &str {
        &self.words
    }
}
