//! A backup merged into what is here: nothing that is here gives way to anything earlier, and trust is never raised by a stream
//! that anybody could have made.
//!
//! Identities are taken in by [`Keystore::import_identity`], since that may need passphrases; what is here is the rest. It is
//! done twice by the same code: first to see what would become of everything, then to do it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::backup::{BackedUpContact, Decisions};
use super::contact_file::ContactFile;
use super::contacts::{AddressIndex, CONTACTS};
use super::folder::WriteLock;
use super::groups::Group;
use super::invitations::Invitation;
use super::trust::{Trust, TrustRecord};
use super::{Keystore, KeystoreError, folder};
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;

/// What becomes of one thing of a backup.
#[derive(Debug)]
pub enum RestoreOutcome {
    /// It is not here, and comes.
    New,
    /// It is here, and the backup's is later.
    Updated,
    /// It is here.
    Known,
    /// What is here is later, or was decided here, and stays.
    LocalKept,
    /// It cannot be told which of the two is right; what is here stays.
    Refused(KeystoreError),
}

/// Whether a backup is only looked at.
pub enum RestoreMode<'a> {
    /// Nothing is written.
    DryRun,
    /// It is written; these are the verifications that looking at the same backup found, and a source of randomness.
    Apply(BTreeMap<RootId, Trust>, &'a mut dyn CryptoRng),
}

/// Contacts, decisions and groups of one backup on their way into a keystore.
pub struct Restore<'k> {
    keystore: &'k Keystore,
    /// Held where something is written.
    lock: Option<WriteLock>,
    addresses: AddressIndex,
    /// Whether it is certain that I made the backup: else it raises nobody's trust.
    is_mine: bool,
    decisions: BTreeMap<RootId, Trust>,
    verified: BTreeMap<RootId, Trust>,
}

impl Keystore {
    /// Begins to restore a backup: its decisions first, then its contacts, then its groups. `is_mine` says whether it is certain
    /// that the user made it. While something is restored other writers wait.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn restore(
        &self,
        mode: RestoreMode<'_>,
        is_mine: bool,
    ) -> Result<Restore<'_>, KeystoreError> {
        let (lock, verified) = match mode {
            RestoreMode::DryRun => (None, BTreeMap::new()),
            RestoreMode::Apply(verified, rng) => {
                let lock = self.lock()?;
                if !verified.is_empty() && self.state.is_some() {
                    self.machine_key(rng)?;
                }
                self.save_decisions(&lock, &verified)?;
                (Some(lock), verified)
            }
        };
        Ok(Restore {
            keystore: self,
            lock,
            addresses: self.address_index()?,
            is_mine,
            decisions: BTreeMap::new(),
            verified,
        })
    }
}

impl Restore<'_> {
    /// Takes the decisions of a backup: whoever was blocked, changed or revoked in either is so from now on, if the backup is
    /// mine. Those of anybody else are about its new contacts only. Hands back the keys of which it was not known here.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn decisions(&mut self, decisions: Decisions) -> Result<Vec<RootId>, KeystoreError> {
        let mut stricter = BTreeMap::new();
        for (id, trust) in decisions.0.iter().filter(|_| self.is_mine) {
            let here = self.trust(id)?;
            if here.stricter(*trust) != here {
                stricter.insert(*id, *trust);
            }
        }
        if let Some(lock) = &self.lock {
            self.keystore.save_decisions(lock, &stricter)?;
        }
        self.decisions = decisions.0;
        Ok(stricter.into_keys().collect())
    }

    /// Takes a contact.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn contact(&mut self, contact: &BackedUpContact) -> Result<RestoreOutcome, KeystoreError> {
        let BackedUpContact { file, card } = contact;
        let here = self.keystore.contact_file(&file.id)?;
        let outcome = match &here {
            Some(here) => self.compare(here, contact)?,
            None => self.welcome(contact)?,
        };
        if matches!(outcome, RestoreOutcome::Refused(_))
            || (here.is_none() && !matches!(outcome, RestoreOutcome::New))
        {
            return Ok(outcome);
        }
        let before = self.trust(&file.id)?;
        let after = self.judged(&file.id, before)?;
        // What looking at it found was remembered before anything else.
        let is_verified_now = match (&self.lock, after) {
            (Some(_), _) => self.verified.contains_key(&file.id),
            (None, Trust::Verified(_)) => after != before,
            (None, _) => false,
        };
        if is_verified_now {
            self.verified.insert(file.id, after);
        }
        if self.lock.is_some() {
            let record = match (after, &here) {
                // What this machine cannot prove stays as it stands.
                (Trust::Unproven, Some(here)) => here.record,
                _ => TrustRecord::new(&file.id, after, self.keystore.machine_state()?.key()),
            };
            let (added_by, added) = match &here {
                Some(here) => (here.added_by, here.added.min(file.added)),
                None => (file.added_by, file.added),
            };
            match (&outcome, here) {
                (RestoreOutcome::New | RestoreOutcome::Updated, _) => {
                    folder::make_folder(&self.keystore.root.join(CONTACTS))?;
                    let written = ContactFile::new(card, record, added_by, added);
                    self.keystore.write_contact(&written)?;
                }
                // Its file says it too, as after `contact verify`.
                (_, Some(here)) if is_verified_now => {
                    self.keystore
                        .write_contact(&ContactFile { record, ..here })?;
                }
                _ => {}
            }
        }
        self.addresses.add(file.id, &file.addresses);
        Ok(match (outcome, is_verified_now) {
            (RestoreOutcome::Known | RestoreOutcome::LocalKept, true) => RestoreOutcome::Updated,
            (outcome, _) => outcome,
        })
    }

    /// Takes a group. One that is here stays as it is: whoever was taken out of it does not come back.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn group(&mut self, name: &str, group: &Group) -> Result<RestoreOutcome, KeystoreError> {
        match self.keystore.group(name)? {
            Some(here) if here == *group => Ok(RestoreOutcome::Known),
            Some(_) => Ok(RestoreOutcome::LocalKept),
            None => {
                if self.lock.is_some() {
                    self.keystore.make_group(name, group)?;
                }
                Ok(RestoreOutcome::New)
            }
        }
    }

    /// Takes an invitation, by the hash of its token; one that was answered in either is answered.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn invitation(
        &mut self,
        hash: [u8; 32],
        invitation: &Invitation,
    ) -> Result<RestoreOutcome, KeystoreError> {
        let place = RootId(hash);
        let outcome = match self.keystore.invitation_at(&place)? {
            None => RestoreOutcome::New,
            Some(here) if here.answered.is_none() && invitation.answered.is_some() => {
                RestoreOutcome::Updated
            }
            Some(_) => return Ok(RestoreOutcome::Known),
        };
        if self.lock.is_some() {
            self.keystore.restore_invitation(&place, invitation)?;
        }
        Ok(outcome)
    }

    /// The verifications that would be taken over, to be handed to [`RestoreMode::Apply`].
    #[must_use]
    pub fn into_verified(self) -> BTreeMap<RootId, Trust> {
        self.verified
    }

    /// A contact that is here already.
    fn compare(
        &self,
        here: &ContactFile,
        new: &BackedUpContact,
    ) -> Result<RestoreOutcome, KeystoreError> {
        let serial = self.keystore.card_of(here)?.serial();
        Ok(match serial.cmp(&new.card.serial()) {
            Ordering::Greater => RestoreOutcome::LocalKept,
            Ordering::Equal if here.card() == new.file.card() => RestoreOutcome::Known,
            Ordering::Equal => RestoreOutcome::Refused(KeystoreError::OtherCard { serial }),
            Ordering::Less => match self.addresses.refuse_changed(&new.card) {
                Ok(()) => RestoreOutcome::Updated,
                Err(error) => RestoreOutcome::Refused(error),
            },
        })
    }

    /// A contact that is not here.
    fn welcome(&self, new: &BackedUpContact) -> Result<RestoreOutcome, KeystoreError> {
        if self.keystore.own_card(&new.file.id)?.is_some() {
            return Ok(RestoreOutcome::Known);
        }
        let refused = self.keystore.refuse_successor_of_stopped(&new.card);
        match refused.and_then(|()| self.addresses.refuse_changed(&new.card)) {
            Ok(()) => Ok(RestoreOutcome::New),
            Err(KeystoreError::KeyChanged { known, .. })
                if self.is_succeeded(&new.card.id(), &known)? =>
            {
                Ok(RestoreOutcome::LocalKept)
            }
            Err(error @ KeystoreError::KeyChanged { .. }) => Ok(RestoreOutcome::Refused(error)),
            Err(error) => Err(error),
        }
    }

    /// Whether `known`, who has an address of `old` now, came in its place by its signature.
    fn is_succeeded(&self, old: &RootId, known: &RootId) -> Result<bool, KeystoreError> {
        let card = match self.keystore.contact(known)? {
            Some(contact) => Some(contact.card),
            None => self.keystore.own_card(known)?,
        };
        Ok(card.is_some_and(|card| card.is_successor_of(old)))
    }

    /// How far a key is trusted here.
    fn trust(&self, id: &RootId) -> Result<Trust, KeystoreError> {
        match self.keystore.contact(id)? {
            Some(contact) => Ok(contact.trust),
            None => self.keystore.remembered_trust(id),
        }
    }

    /// How far it is from now on: the stricter of both; and verified if nothing was ever decided here and I made the backup.
    fn judged(&self, id: &RootId, here: Trust) -> Result<Trust, KeystoreError> {
        let Some(there) = self.decisions.get(id).copied() else {
            return Ok(here);
        };
        let is_open = matches!(here, Trust::Unverified | Trust::Unproven);
        let was_decided = self.keystore.machine_state()?.decision(id).is_some();
        let is_known = self.keystore.contact_path(id).exists();
        Ok(match there {
            Trust::Verified(_) if is_open && !was_decided && self.is_mine => there,
            _ if self.is_mine || !is_known => here.stricter(there),
            _ => here,
        })
    }
}

#[cfg(test)]
mod tests;
