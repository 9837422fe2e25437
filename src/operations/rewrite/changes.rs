//! How the access to an envelope differs from what is wished.

use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::envelope::{Addressee, Change, KeyDirectory, Reader};

/// Who gets access, who gets a new key, and whose access is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessChanges {
    /// Get access.
    pub added: Vec<AccessHolder>,
    /// Have access by an older key, and get a slot for the current one.
    pub new_keys: Vec<AccessHolder>,
    /// Lose access.
    pub removed: Vec<AccessHolder>,
    /// The policy commits to the passphrase from now on, so that its slot is told from a replaced one.
    pub records_passphrase: bool,
    /// How many locks the envelope has.
    pub locks: usize,
}

/// Somebody with a slot, or who gets one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessHolder {
    /// Who it is, as far as that is known.
    pub name: HolderName,
    /// The root key, if one is named.
    pub id: Option<RootId>,
    /// The key of the slot.
    pub key: KeyId,
    /// The lock.
    pub lock: u16,
}

/// The name of somebody with a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HolderName {
    /// By a card that the keystore has.
    Known {
        /// The name on the card.
        name: String,
        /// The first address on the card.
        address: Option<String>,
    },
    /// By what the envelope itself claims; nobody here has that key.
    Claimed(String),
    /// Nobody is named.
    Unrecorded,
}

impl AccessChanges {
    /// The changes of a plan, with the names that `directory` has.
    #[must_use]
    pub fn new(changes: &[Change], directory: &KeyDirectory, locks: usize) -> Self {
        let mut all = Self {
            locks,
            ..Self::default()
        };
        for change in changes {
            match change {
                Change::Added(lock, one) => all.added.push(AccessHolder::known(one, *lock)),
                Change::NewKey(lock, one) => all.new_keys.push(AccessHolder::known(one, *lock)),
                Change::Passphrase(_) => all.records_passphrase = true,
                Change::Removed(lock, reader) => all.removed.push(AccessHolder {
                    lock: *lock,
                    ..AccessHolder::of_reader(reader, directory)
                }),
            }
        }
        all
    }
}

impl AccessHolder {
    fn known(addressee: &Addressee, lock: u16) -> Self {
        let recipient = &addressee.recipient;
        Self {
            name: HolderName::Known {
                name: recipient.name.clone(),
                address: recipient.address.clone(),
            },
            id: Some(recipient.id),
            key: recipient.key,
            lock,
        }
    }

    /// Somebody with a slot, by the name that `directory` has for the key, or else for the person.
    #[must_use]
    pub fn of_reader(reader: &Reader, directory: &KeyDirectory) -> Self {
        if let Some(person) = directory.owner_of(reader) {
            return Self {
                key: reader.key,
                ..Self::known(&person.current, reader.lock)
            };
        }
        Self {
            name: match &reader.person {
                Some(claimed) => HolderName::Claimed(claimed.name.clone()),
                None => HolderName::Unrecorded,
            },
            id: reader.person.as_ref().map(|claimed| claimed.id),
            key: reader.key,
            lock: reader.lock,
        }
    }
}
