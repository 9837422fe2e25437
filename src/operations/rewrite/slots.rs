//! A change of slots alone: policy, content and signature stay byte for byte, and the content is not looked at.

use std::collections::HashSet;
use std::io::Read;

use super::changes::{AccessChanges, AccessHolder};
use super::update::UpdateError;
use super::wish::{PlannedUpdate, UpdateOptions};
use crate::crypto::{CryptoRng, KeyId};
use crate::directory::{DirectoryError, People, key_directory};
use crate::envelope::{
    Action, Granted, KeyDirectory, Person as KnownPerson, Reader, Removals, Rewriting, chosen_lock,
};
use crate::operations::MyKeys;
use crate::time::Time;

/// Whose slots are added or removed.
pub enum SlotChange {
    /// These people get one each, with a record of who let them in.
    Grant(Vec<KnownPerson>),
    /// The slots of these are left out.
    Drop(Removals),
}

/// One change of slots for all envelopes of a run.
pub struct SlotUpdate<'a> {
    people: &'a People,
    change: SlotChange,
    options: UpdateOptions<'a>,
    now: Time,
    /// Names for holders.
    directory: KeyDirectory,
}

impl<'a> SlotUpdate<'a> {
    /// # Errors
    /// [`DirectoryError::Keystore`].
    pub fn new(
        people: &'a People,
        change: SlotChange,
        options: UpdateOptions<'a>,
        now: Time,
    ) -> Result<Self, DirectoryError> {
        let directory = match &change {
            // Only they are looked for among the readers.
            SlotChange::Grant(newcomers) => KeyDirectory::new(newcomers.clone()),
            SlotChange::Drop(_) => key_directory(people, now)?,
        };
        Ok(Self {
            people,
            change,
            options,
            now,
            directory,
        })
    }

    /// Changes the slots of an envelope that was opened, and says how. Nothing is written.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn plan<R: Read>(
        &self,
        rewriting: &mut Rewriting<R>,
        keys: &MyKeys<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<PlannedUpdate, UpdateError> {
        match &self.change {
            SlotChange::Grant(newcomers) => self.grant(newcomers, rewriting, keys, rng),
            SlotChange::Drop(removals) => self.remove(removals, rewriting),
        }
    }

    /// Changes the slots as planned. What somebody else has done of it meanwhile is not done again.
    ///
    /// # Errors
    /// [`UpdateError`]; [`UpdateError::ChangedSince`] if anything else would be done.
    pub fn apply<R: Read>(
        &self,
        planned: &PlannedUpdate,
        rewriting: &mut Rewriting<R>,
        keys: &MyKeys<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), UpdateError> {
        let now = self.plan(rewriting, keys, rng)?;
        let (now_id, now) = (now.id, now.changes);
        let before = &planned.changes;
        let is_part = |now: &[AccessHolder], before: &[AccessHolder]| {
            now.iter().all(|holder| before.contains(holder))
        };
        let is_planned = now_id == planned.id
            && is_part(&now.added, &before.added)
            && is_part(&now.new_keys, &before.new_keys)
            && is_part(&now.removed, &before.removed);
        match is_planned {
            true => Ok(()),
            false => Err(UpdateError::ChangedSince),
        }
    }

    fn grant<R: Read>(
        &self,
        newcomers: &[KnownPerson],
        rewriting: &mut Rewriting<R>,
        keys: &MyKeys<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<PlannedUpdate, UpdateError> {
        let mut planned = self.unchanged(rewriting);
        let lock = chosen_lock(&rewriting.manifest().policy, self.options.lock)?;
        let by = planned.granter.ok_or(UpdateError::NoIdentity)?;
        let key = keys.signing_key(by.id).map_err(UpdateError::Locked)?;
        let readers = rewriting.manifest().readers();
        let here = readers.iter().filter(|reader| reader.lock == lock);
        let had_access: HashSet<_> = here
            .filter_map(|reader| self.directory.owner_of(reader))
            .map(|owner| owner.current.recipient.id)
            .collect();
        for newcomer in newcomers {
            let one = &newcomer.current;
            if rewriting.grant(one, Some(lock), (key, self.now), rng)? == Granted::HasSlot {
                continue;
            }
            planned.action = Action::Add;
            let changes = &mut planned.changes;
            match had_access.contains(&one.recipient.id) {
                true => changes.new_keys.push(AccessHolder::known(one, lock)),
                false => changes.added.push(AccessHolder::known(one, lock)),
            }
        }
        Ok(planned)
    }

    fn remove<R: Read>(
        &self,
        removals: &Removals,
        rewriting: &mut Rewriting<R>,
    ) -> Result<PlannedUpdate, UpdateError> {
        let mut planned = self.unchanged(rewriting);
        let mut readers = rewriting.manifest().readers();
        let leaving = readers
            .iter()
            .filter(|reader| removals.include(reader, &self.directory));
        let keys: HashSet<KeyId> = leaving.map(|reader| reader.key).collect();
        if rewriting.remove_slots(&keys, self.options.lock)? > 0 {
            planned.action = Action::Drop;
        }
        let is_removed = |reader: &Reader| {
            let lock = self.options.lock;
            keys.contains(&reader.key) && lock.is_none_or(|lock| lock == reader.lock)
        };
        readers.retain(is_removed);
        let holders = readers.iter();
        let holders = holders.map(|reader| AccessHolder::of_reader(reader, &self.directory));
        planned.changes.removed = holders.collect();
        Ok(planned)
    }

    fn unchanged<R: Read>(&self, rewriting: &Rewriting<R>) -> PlannedUpdate {
        let manifest = rewriting.manifest();
        let (policy, author) = (&manifest.policy, manifest.policy.signer);
        let can_record = |by| rewriting.can_record(by);
        PlannedUpdate {
            id: manifest.id,
            action: Action::Nothing,
            changes: AccessChanges {
                locks: policy.locks.len(),
                ..AccessChanges::default()
            },
            signature_lost: None,
            was_signed: author.is_some(),
            signer: None,
            needs_passphrase: false,
            granter: self.options.granter(self.people, author, can_record),
            unmeant: Vec::new(),
        }
    }
}
