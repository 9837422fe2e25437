//! A backup merged into what is here: nothing that is here gives way to anything earlier, and trust is never raised by a stream
//! that anybody could have made.
//!
//! Identities are taken in by [`Keystore::import_identity`], since that may need passphrases; what is here is the rest. It is
//! done twice by the same code: first to see what would become of everything, then to do it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::backup::{BackedUpContact, Decisions};
use super::contact_file::ContactFile;
use super::contacts::{CONTACTS, Owners};
use super::folder::WriteLock;
use super::groups::Group;
use super::invitations::Invitation;
use super::trust::{Claim, Trust};
use super::{Keystore, KeystoreError, folder};
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;

/// What becomes of one thing of a backup.
#[derive(Debug)]
pub enum Fate {
    /// It is not here, and comes.
    New,
    /// It is here, and the backup's is later.
    Updated,
    /// It is here.
    Known,
    /// What is here is later, or was decided here, and stays.
    Kept,
    /// It cannot be told which of the two is right; what is here stays.
    Refused(KeystoreError),
}

/// Whether a backup is only looked at.
pub enum Restoring<'a> {
    /// Nothing is written.
    Foresee,
    /// It is written; these are the verifications that looking at the same backup found, and a source of randomness.
    Do(BTreeMap<RootId, Trust>, &'a mut dyn CryptoRng),
}

/// Contacts, decisions and groups of one backup on their way into a keystore.
pub struct Restore<'k> {
    keystore: &'k Keystore,
    /// Held where something is written.
    lock: Option<WriteLock>,
    owners: Owners,
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
        restoring: Restoring<'_>,
        is_mine: bool,
    ) -> Result<Restore<'_>, KeystoreError> {
        let (lock, verified) = match restoring {
            Restoring::Foresee => (None, BTreeMap::new()),
            Restoring::Do(verified, rng) => {
                let lock = self.lock()?;
                if !verified.is_empty() && self.state.is_some() {
                    self.local_key(rng)?;
                }
                self.remember_all(&lock, &verified)?;
                (Some(lock), verified)
            }
        };
        Ok(Restore {
            keystore: self,
            lock,
            owners: self.owners()?,
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
        let mut graver = BTreeMap::new();
        for (id, trust) in decisions.0.iter().filter(|_| self.is_mine) {
            let here = self.trust(id)?;
            if here.graver(*trust) != here {
                graver.insert(*id, *trust);
            }
        }
        if let Some(lock) = &self.lock {
            self.keystore.remember_all(lock, &graver)?;
        }
        self.decisions = decisions.0;
        Ok(graver.into_keys().collect())
    }

    /// Takes a contact.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn contact(&mut self, contact: &BackedUpContact) -> Result<Fate, KeystoreError> {
        let BackedUpContact { file, card } = contact;
        let here = self.keystore.contact_file(&file.id)?;
        let fate = match &here {
            Some(here) => self.compare(here, contact)?,
            None => self.welcome(contact)?,
        };
        if matches!(fate, Fate::Refused(_)) || (here.is_none() && !matches!(fate, Fate::New)) {
            return Ok(fate);
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
            let claim = match (after, &here) {
                // What this machine cannot prove stays as it stands.
                (Trust::Unproven, Some(here)) => here.claim,
                _ => Claim::new(&file.id, after, self.keystore.local()?.key()),
            };
            let (how, added) = match &here {
                Some(here) => (here.how, here.added.min(file.added)),
                None => (file.how, file.added),
            };
            match (&fate, here) {
                (Fate::New | Fate::Updated, _) => {
                    folder::make_folder(&self.keystore.root.join(CONTACTS))?;
                    let written = ContactFile::new(card, claim, how, added);
                    self.keystore.write_contact(&written)?;
                }
                // Its file says it too, as after `contact verify`.
                (_, Some(here)) if is_verified_now => {
                    self.keystore
                        .write_contact(&ContactFile { claim, ..here })?;
                }
                _ => {}
            }
        }
        self.owners.add(file.id, &file.addresses);
        Ok(match (fate, is_verified_now) {
            (Fate::Known | Fate::Kept, true) => Fate::Updated,
            (fate, _) => fate,
        })
    }

    /// Takes a group. One that is here stays as it is: whoever was taken out of it does not come back.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn group(&mut self, name: &str, group: &Group) -> Result<Fate, KeystoreError> {
        match self.keystore.group(name)? {
            Some(here) if here == *group => Ok(Fate::Known),
            Some(_) => Ok(Fate::Kept),
            None => {
                if self.lock.is_some() {
                    self.keystore.make_group(name, group)?;
                }
                Ok(Fate::New)
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
    ) -> Result<Fate, KeystoreError> {
        let place = RootId(hash);
        let fate = match self.keystore.invitation_at(&place)? {
            None => Fate::New,
            Some(here) if here.answered.is_none() && invitation.answered.is_some() => Fate::Updated,
            Some(_) => return Ok(Fate::Known),
        };
        if self.lock.is_some() {
            self.keystore.restore_invitation(&place, invitation)?;
        }
        Ok(fate)
    }

    /// The verifications that would be taken over, to be handed to [`Restoring::Do`].
    #[must_use]
    pub fn into_verified(self) -> BTreeMap<RootId, Trust> {
        self.verified
    }

    /// A contact that is here already.
    fn compare(&self, here: &ContactFile, new: &BackedUpContact) -> Result<Fate, KeystoreError> {
        let serial = self.keystore.card_of(here)?.serial();
        Ok(match serial.cmp(&new.card.serial()) {
            Ordering::Greater => Fate::Kept,
            Ordering::Equal if here.card() == new.file.card() => Fate::Known,
            Ordering::Equal => Fate::Refused(KeystoreError::OtherCard { serial }),
            Ordering::Less => match self.owners.refuse_changed(&new.card) {
                Ok(()) => Fate::Updated,
                Err(error) => Fate::Refused(error),
            },
        })
    }

    /// A contact that is not here.
    fn welcome(&self, new: &BackedUpContact) -> Result<Fate, KeystoreError> {
        if self.keystore.own_card(&new.file.id)?.is_some() {
            return Ok(Fate::Known);
        }
        let refused = self.keystore.refuse_successor_of_stopped(&new.card);
        match refused.and_then(|()| self.owners.refuse_changed(&new.card)) {
            Ok(()) => Ok(Fate::New),
            Err(KeystoreError::KeyChanged { known, .. })
                if self.is_succeeded(&new.card.id(), &known)? =>
            {
                Ok(Fate::Kept)
            }
            Err(error @ KeystoreError::KeyChanged { .. }) => Ok(Fate::Refused(error)),
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

    /// How far it is from now on: the graver of both; and verified if nothing was ever decided here and I made the backup.
    fn judged(&self, id: &RootId, here: Trust) -> Result<Trust, KeystoreError> {
        let Some(there) = self.decisions.get(id).copied() else {
            return Ok(here);
        };
        let is_open = matches!(here, Trust::Unverified | Trust::Unproven);
        let was_decided = self.keystore.local()?.remembered(id).is_some();
        let is_known = self.keystore.contact_path(id).exists();
        Ok(match there {
            Trust::Verified(_) if is_open && !was_decided && self.is_mine => there,
            _ if self.is_mine || !is_known => here.graver(there),
            _ => here,
        })
    }
}

#[cfg(test)]
mod tests;
