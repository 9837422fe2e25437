//! Who has access to an envelope: the people who own the slots, each with the record of the grant.

use std::collections::{HashMap, HashSet};

use super::access_line::{Grant, KeySlot, Slot};
use super::admission::{PATH_MAX, grant_message};
use super::open::{Manifest, Opened};
use crate::crypto::KeyId;
use crate::crypto::signing::{Purpose, RootId};
use crate::policy::Recipient;
use crate::time::Time;

/// A person who can open a lock, or holds a share of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The lock, from 0.
    pub lock: u16,
    /// The key that the slot is sealed to.
    pub key: KeyId,
    /// Who that is, as the author or a grant says; `None` for a slot without a record that holds.
    pub person: Option<Recipient>,
    /// Whether the author named the key.
    pub is_named: bool,
    /// Who let the person in, by a record that holds, where the author did not name the key.
    pub granted_by: Option<RootId>,
    /// When that was, as that reader says.
    pub granted_at: Option<Time>,
}

impl Manifest {
    /// Who has a slot, in the order of the access line: a claim until the envelope was opened. Nobody where the envelope is
    /// private, for there [`Opened::readers`] knows.
    ///
    /// Each grant is checked at most once, however they refer to each other.
    #[must_use]
    pub fn readers(&self) -> Vec<Reader> {
        let grants = self.valid_grants();
        let named: HashMap<(u16, KeyId), &Recipient> = (0..)
            .zip(&self.policy.locks)
            .flat_map(|(number, lock)| {
                lock.recipients()
                    .iter()
                    .map(move |one| ((number, one.key), one))
            })
            .collect();
        let reader = |slot: &KeySlot| {
            let key = slot.key?;
            let author = named.get(&(slot.lock, key)).copied();
            let granted = || {
                let grant = grants.get(&(slot.lock, key))?;
                let person = Recipient {
                    name: grant.name.clone(),
                    address: grant.address.clone(),
                    id: grant.id,
                    key,
                };
                Some((person, (grant.by, grant.at)))
            };
            let (person, granted) = match author {
                Some(author) => (Some(author.clone()), None),
                None => granted().unzip(),
            };
            let (granted_by, granted_at) = granted.unzip();
            Some(Reader {
                lock: slot.lock,
                key,
                person,
                is_named: author.is_some(),
                granted_by,
                granted_at,
            })
        };
        self.key_slots().filter_map(reader).collect()
    }

    fn key_slots(&self) -> impl Iterator<Item = &KeySlot> {
        self.access.slots.iter().filter_map(|slot| match slot {
            Slot::Key(slot) => Some(slot),
            Slot::Passphrase(_) | Slot::Gate(_) => None,
        })
    }

    /// The grants from which a path leads to a person whom the author named (FORMAT.md, "Grants and admission"): all at once,
    /// from the author's people outwards.
    fn valid_grants(&self) -> HashMap<(u16, KeyId), &Grant> {
        let mut waiting: HashMap<RootId, Vec<(u16, KeyId, &Grant)>> = HashMap::new();
        for slot in self.key_slots() {
            if let (Some(key), Some(grant)) = (slot.key, &slot.grant) {
                let of_granter = waiting.entry(grant.by).or_default();
                of_granter.push((slot.lock, key, grant));
            }
        }
        let named = self.policy.recipients().map(|one| one.id);
        let mut inside: HashSet<RootId> = named.chain(self.policy.signer).collect();
        let mut valid = HashMap::new();
        for _ in 0..PATH_MAX {
            let next = inside.iter().filter_map(|by| waiting.remove(by)).flatten();
            let next: Vec<_> = next
                .filter(|(lock, key, grant)| self.holds(grant, *lock, *key))
                .collect();
            inside = next.iter().map(|(_, _, grant)| grant.id).collect();
            valid.extend(
                next.into_iter()
                    .map(|(lock, key, grant)| ((lock, key), grant)),
            );
        }
        valid
    }

    fn holds(&self, grant: &Grant, lock: u16, key: KeyId) -> bool {
        let message = grant_message(grant, lock, key, &self.id);
        grant
            .by
            .verify(Purpose::Grant, &[&message], &grant.sig)
            .is_ok()
    }
}

impl Opened {
    /// Who has access: the owners of the slots, or in a private envelope the people whom the private line names.
    #[must_use]
    pub fn readers(&self) -> Vec<Reader> {
        let Some(lists) = &self.private.recipients else {
            return self.manifest.readers();
        };
        let reader = |lock: u16, recipient: &Recipient| Reader {
            lock,
            key: recipient.key,
            person: Some(recipient.clone()),
            is_named: true,
            granted_by: None,
            granted_at: None,
        };
        let lists = (0..).zip(lists);
        lists
            .flat_map(|(lock, list)| list.iter().map(move |one| reader(lock, one)))
            .collect()
    }
}
