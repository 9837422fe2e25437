//! How the access to an envelope differs from what is wished.

use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::envelope::{Action, Addressee, Change, KeyDirectory, Plan, Reader};

/// Who gets access, who gets a new key, and whose access is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessChanges {
    /// Get access.
    pub added: Vec<AccessHolder>,
    /// Have access by an older key, and get a slot for the current one.
    pub new_keys: Vec<AccessHolder>,
    /// Lose access.
    pub removed: Vec<AccessHolder>,
    /// Keep it when the envelope is sealed again, although not the author but other readers let them in.
    pub stays: Vec<LetIn>,
    /// The policy commits to the passphrase from now on, so that its slot is told from a replaced one.
    pub records_passphrase: bool,
    /// How many locks the envelope has.
    pub locks: usize,
}

/// Somebody whom not the author but another reader let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetIn {
    /// Who it is.
    pub holder: AccessHolder,
    /// Who let them in; `None`: there is no record.
    pub by: Option<RootId>,
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
    pub fn new(plan: &Plan, directory: &KeyDirectory, locks: usize) -> Self {
        let mut all = Self {
            locks,
            ..Self::default()
        };
        if plan.action == Action::Reseal {
            let let_in = plan.remaining.iter().flat_map(|lock| &lock.let_in);
            all.stays.extend(let_in.map(|reader| LetIn {
                holder: AccessHolder::of_reader(reader, directory),
                by: reader.granted_by,
            }));
        }
        for change in &plan.changes {
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
    pub(super) fn known(addressee: &Addressee, lock: u16) -> Self {
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
