//! What a user decides about a contact, and what happens to one: verified, blocked, unblocked, changed, revoked.

use super::contact_file::ContactFile;
use super::folder::WriteLock;
use super::trust::{Trust, TrustRecord, Verified};
use super::{Keystore, KeystoreError};
use crate::crypto::signing::RootId;
use crate::identity::Revocation;
use crate::time::Time;

impl Keystore {
    /// Records that a contact's key was compared with its owner. This ends the state *changed*.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`]; [`KeystoreError::Blocked`] and [`KeystoreError::Revoked`], which this does not end;
    /// [`KeystoreError::NoState`] for a keystore without a state folder; and what the system refuses.
    pub fn verify_contact(&self, id: &RootId, verified: Verified) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let file = self.known_file(id)?;
        match self.judge(id, &file.record)? {
            Trust::Blocked { .. } => return Err(KeystoreError::Blocked),
            Trust::Revoked { .. } => return Err(KeystoreError::Revoked),
            _ => {}
        }
        if self.state.is_none() {
            return Err(KeystoreError::NoState);
        }
        let trust = Trust::Verified(verified);
        self.save_decision(&lock, id, trust)?;
        self.write_contact(&ContactFile {
            record: TrustRecord::new(trust),
            ..file
        })
    }

    /// Blocks a contact until it is unblocked; also if its card is removed and added again.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], [`KeystoreError::Revoked`], which is stricter, and what the system refuses.
    pub fn block_contact(&self, id: &RootId, now: Time) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let file = self.known_file(id)?;
        match self.judge(id, &file.record)? {
            Trust::Revoked { .. } => Err(KeystoreError::Revoked),
            Trust::Blocked { at } => self.decide(&lock, id, Trust::Blocked { at }),
            _ => self.decide(&lock, id, Trust::Blocked { at: now }),
        }
    }

    /// Unblocks a contact, which is then unverified.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], [`KeystoreError::NotBlocked`], and what the system refuses.
    pub fn unblock_contact(&self, id: &RootId) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let file = self.known_file(id)?;
        match self.judge(id, &file.record)? {
            Trust::Blocked { .. } => self.decide(&lock, id, Trust::Unverified),
            _ => Err(KeystoreError::NotBlocked),
        }
    }

    /// Records the revocation of a person's identity, for good, also if its card is added later.
    ///
    /// # Errors
    /// [`KeystoreError::OwnCard`] when it is one of my own; [`KeystoreError::Unknown`] when it is no contact and the keystore
    /// has no state folder to remember it in; and what the system refuses.
    pub fn accept_revocation(
        &self,
        revocation: &Revocation,
        now: Time,
    ) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let id = revocation.id();
        if self.own_card(&id)?.is_some() {
            return Err(KeystoreError::OwnCard);
        }
        let file = self.contact_file(&id)?;
        if file.is_none() && self.state.is_none() {
            return Err(KeystoreError::Unknown("contact"));
        }
        let record = file.map_or(TrustRecord::UNVERIFIED, |file| file.record);
        match self.judge(&id, &record)? {
            Trust::Revoked { at } => self.decide(&lock, &id, Trust::Revoked { at }),
            _ => self.decide(&lock, &id, Trust::Revoked { at: now }),
        }
    }

    /// Marks a contact as *changed*: another key, or another card with the same serial, was offered. A stricter state stays.
    pub(super) fn mark_changed(
        &self,
        lock: &WriteLock,
        id: &RootId,
        offered: RootId,
        now: Time,
    ) -> Result<(), KeystoreError> {
        let file = self.known_file(id)?;
        if self.judge(id, &file.record)?.blocks_use() {
            return Ok(());
        }
        self.decide(lock, id, Trust::Changed { at: now, offered })
    }

    /// Saves what must still hold if an old file of the removed contact comes back.
    pub(super) fn forget(&self, lock: &WriteLock, file: &ContactFile) -> Result<(), KeystoreError> {
        let decided = self.machine_state()?.decision(&file.id)?;
        match (decided, self.judge(&file.id, &file.record)?) {
            // A revocation, and a decision of the user, hold for the key. A file alone that says *revoked* is not saved: the
            // revocation can be added again, and the file may have been written by anybody.
            (Some(Trust::Revoked { .. }), _) | (None, Trust::Unverified) => Ok(()),
            (_, trust @ Trust::Blocked { .. }) => self.save_decision(lock, &file.id, trust),
            _ => self.save_decision(lock, &file.id, Trust::Unverified),
        }
    }

    /// Nothing here raises trust above unverified. The decision is saved first: see [`Keystore::save_decision`].
    fn decide(&self, lock: &WriteLock, id: &RootId, trust: Trust) -> Result<(), KeystoreError> {
        self.save_decision(lock, id, trust)?;
        let Some(file) = self.contact_file(id)? else {
            return Ok(());
        };
        let record = TrustRecord::new(trust);
        if file.record == record {
            return Ok(());
        }
        self.write_contact(&ContactFile { record, ..file })
    }

    fn known_file(&self, id: &RootId) -> Result<ContactFile, KeystoreError> {
        self.contact_file(id)?
            .ok_or(KeystoreError::Unknown("contact"))
    }
}
