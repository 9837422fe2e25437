//! Restoring a backup into a keystore: newer local data is never replaced by older data, and no decision comes from a backup of
//! unknown origin.
//!
//! Identities are imported by [`Keystore::import_identity`], since that may need passphrases; everything else is restored here.
//! The same code runs twice: first as a dry run, then to apply it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::backup::{BackedUpContact, Decisions};
use super::contact_file::ContactFile;
use super::contacts::{AddedBy, AddressIndex, CONTACTS};
use super::folder::WriteLock;
use super::gates::{GateChange, GateContact, GateOffer, SealedWithGate};
use super::groups::Group;
use super::invitations::Invitation;
use super::state::PersonFact;
use super::state::decision_list::Decision;
use super::trust::{Trust, TrustRecord};
use super::{Keystore, KeystoreError, VerifiedAs, folder};
use crate::address::is_same_address;
use crate::crypto::signing::RootId;
use crate::time::Time;

/// The result of restoring one item of a backup.
#[derive(Debug)]
pub enum RestoreOutcome {
    /// It is missing here and is added.
    New,
    /// It is here, and the newer one of the backup replaces it.
    Updated,
    /// It is here already.
    Known,
    /// The local one is newer, or was decided on here, and is kept.
    LocalKept,
    /// It is unclear which of the two is right; the local one is kept.
    Refused(KeystoreError),
}

/// Whether a backup is really restored.
pub enum RestoreMode {
    /// Nothing is written.
    DryRun,
    /// The backup is restored, with the verifications that a dry run of the same backup found.
    Apply(Verifications),
}

/// Keys that a backup verifies, each with what it was verified for.
#[derive(Debug, Clone, Default)]
pub struct Verifications(BTreeMap<RootId, PersonFact>);

/// Whose backup is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupOwner {
    /// The user certainly made it.
    Me,
    /// Anybody may have made it: its cards come in as from anybody, at this time.
    Unknown(Time),
}

/// The contacts, decisions, groups and invitations of one backup while they are restored.
pub struct Restore<'k> {
    keystore: &'k Keystore,
    /// Held unless it is a dry run.
    lock: Option<WriteLock>,
    addresses: AddressIndex,
    owner: BackupOwner,
    decisions: BTreeMap<RootId, Decision>,
    verified: Verifications,
}

impl Keystore {
    /// Begins to restore a backup: its decisions first, then its contacts, then its groups. While something is restored other
    /// writers wait.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn restore(
        &self,
        mode: RestoreMode,
        owner: BackupOwner,
    ) -> Result<Restore<'_>, KeystoreError> {
        let (lock, verified) = match mode {
            RestoreMode::DryRun => (None, Verifications::default()),
            RestoreMode::Apply(planned) => {
                let lock = self.lock()?;
                let mut verified = Verifications::default();
                for (id, fact) in planned.0 {
                    // Another run may have decided since the dry run.
                    if self.is_undecided(&id, self.known_trust(&id)?)? {
                        self.change_person(&lock, &id, |_| fact.clone())?;
                        verified.0.insert(id, fact);
                    }
                }
                (Some(lock), verified)
            }
        };
        Ok(Restore {
            keystore: self,
            lock,
            addresses: self.address_index()?,
            owner,
            decisions: BTreeMap::new(),
            verified,
        })
    }

    /// How far a key is trusted here. That its card is an older one is no decision, and ends with a newer one.
    fn known_trust(&self, id: &RootId) -> Result<Trust, KeystoreError> {
        match self.contact(id)?.map(|contact| contact.trust) {
            None | Some(Trust::Older { .. }) => self.remembered_trust(id),
            Some(trust) => Ok(trust),
        }
    }

    /// Whether nothing was decided about a key that is trusted so far.
    fn is_undecided(&self, id: &RootId, trust: Trust) -> Result<bool, KeystoreError> {
        let is_open = matches!(trust, Trust::Unverified | Trust::Unproven);
        Ok(is_open && self.machine_state()?.decision(id)?.is_none())
    }
}

impl Restore<'_> {
    /// Restores the decisions of a backup that the user made: a key that is blocked, changed or revoked here or there is so from
    /// now on. Those of any other backup are nobody's. Returns the keys that became stricter.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn decisions(&mut self, decisions: Decisions) -> Result<Vec<RootId>, KeystoreError> {
        if self.owner != BackupOwner::Me {
            return Ok(Vec::new());
        }
        let mut stricter = BTreeMap::new();
        for (id, Decision { trust, .. }) in &decisions.0 {
            let here = self.keystore.known_trust(id)?;
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

    /// Restores a contact. Of a card that anybody may have put into the backup nobody has seen the addresses: as at first use, the
    /// first one counts.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn contact(&mut self, contact: &BackedUpContact) -> Result<RestoreOutcome, KeystoreError> {
        let BackedUpContact { file, card } = contact;
        let here = self.keystore.contact_file(&file.id)?;
        let outcome = match (&here, card.naming_fault()) {
            // One that was here before such names were refused stays.
            (Some(here), Some(_)) if here.card() == file.card() => RestoreOutcome::Known,
            (_, Some(fault)) => RestoreOutcome::Refused(fault.into()),
            (Some(here), None) => self.outcome_for_known(here, contact)?,
            (None, None) => self.outcome_for_new(contact)?,
        };
        if matches!(outcome, RestoreOutcome::Refused(_))
            || (here.is_none() && !matches!(outcome, RestoreOutcome::New))
        {
            return Ok(outcome);
        }
        let before = self.keystore.known_trust(&file.id)?;
        let after = self.merged_trust(&file.id, before)?;
        // The verifications of the dry run were saved before anything else.
        let is_verified_now = match (&self.lock, after) {
            (Some(_), _) => self.verified.0.contains_key(&file.id),
            (None, Trust::Verified(_)) => after != before,
            (None, _) => false,
        };
        if is_verified_now {
            let fact = self.verification(contact, after)?;
            self.verified.0.insert(file.id, fact);
        }
        let (added_by, added) = match (&here, self.owner) {
            (Some(here), BackupOwner::Me) => (here.added_by, here.added.min(file.added)),
            (Some(here), BackupOwner::Unknown(_)) => (here.added_by, here.added),
            (None, BackupOwner::Me) => (file.added_by, file.added),
            (None, BackupOwner::Unknown(now)) => (AddedBy::FirstUse, now),
        };
        if self.lock.is_some() {
            let record = match (after, &here) {
                // A record that this machine cannot verify stays as it is.
                (Trust::Unproven, Some(here)) => here.record,
                _ => TrustRecord::new(after),
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
        let counting = added_by.counting(file.addresses.len(), added);
        self.addresses.add(file.id, &file.addresses[..counting]);
        Ok(match (outcome, is_verified_now) {
            (RestoreOutcome::Known | RestoreOutcome::LocalKept, true) => RestoreOutcome::Updated,
            (outcome, _) => outcome,
        })
    }

    /// Restores a group. An existing one stays as it is, so that removed members do not come back.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn group(&mut self, name: &str, group: &Group) -> Result<RestoreOutcome, KeystoreError> {
        match self.keystore.group(name)? {
            Some(here) if here == *group => Ok(RestoreOutcome::Known),
            Some(_) => Ok(RestoreOutcome::LocalKept),
            None => {
                match &self.lock {
                    Some(lock) if self.owner == BackupOwner::Me => {
                        self.keystore.make_group(lock, name, group)?;
                    }
                    Some(_) => self.keystore.make_unknown_group(name, group)?,
                    None => {}
                }
                Ok(RestoreOutcome::New)
            }
        }
    }

    /// Restores an invitation, by the hash of its token. If it was answered here or there, it is answered.
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

    /// Restores a gate. Out of a backup that anybody may have made it is not asked before the user adds it. One that is here stays.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn gate(&mut self, gate: &GateContact) -> Result<RestoreOutcome, KeystoreError> {
        let offer = GateOffer {
            card: &gate.card,
            name: Some(&gate.name),
            ca: gate.ca.as_deref(),
            is_backed_up: false,
        };
        match self.keystore.gate(&gate.card.id())? {
            Some(here) if here == *gate => return Ok(RestoreOutcome::Known),
            Some(_) => return Ok(RestoreOutcome::LocalKept),
            None => {}
        }
        match self.keystore.compare_gate(&offer) {
            Ok(GateChange::Moved(_)) | Err(KeystoreError::OlderGate { .. }) => {
                return Ok(RestoreOutcome::LocalKept);
            }
            Ok(_) => {}
            Err(error) => return Ok(RestoreOutcome::Refused(error)),
        }
        match &self.lock {
            Some(lock) if self.owner == BackupOwner::Me => self.keystore.make_gate(lock, gate)?,
            Some(_) => self.keystore.write_gate(gate)?,
            None => {}
        }
        Ok(RestoreOutcome::New)
    }

    /// Restores the record of what was sealed with a gate; what was said of it here and there is joined.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn sealed(&mut self, record: &SealedWithGate) -> Result<RestoreOutcome, KeystoreError> {
        let outcome = match self.keystore.sealed_with_gate(record.lock.ticket()) {
            // What can be read of it stays, and the file itself beside it.
            Err(KeystoreError::Damaged { .. }) => RestoreOutcome::Updated,
            Err(error) => return Err(error),
            Ok(None) => RestoreOutcome::New,
            Ok(Some(here)) if here.has_all_of(record) => RestoreOutcome::Known,
            Ok(Some(_)) => RestoreOutcome::Updated,
        };
        if self.lock.is_some() {
            self.keystore.merge_sealed(record)?;
        }
        Ok(outcome)
    }

    /// The verifications that would be restored, for [`RestoreMode::Apply`].
    #[must_use]
    pub fn into_verified(self) -> Verifications {
        self.verified
    }

    /// For what a contact is verified from now on: as the backup says; one from before that was noted says it by its card. An address
    /// for which somebody else here was verified is left out.
    fn verification(
        &self,
        contact: &BackedUpContact,
        trust: Trust,
    ) -> Result<PersonFact, KeystoreError> {
        let BackedUpContact { file, card } = contact;
        let decision = self.decisions.get(&file.id);
        let noted = decision.and_then(|decision| decision.verified_as.clone());
        let mut verified_as = noted.unwrap_or_else(|| VerifiedAs {
            name: card.name().to_owned(),
            addresses: card.addresses().to_vec(),
        });
        for taken in self.keystore.addresses_of_verified(card)? {
            verified_as
                .addresses
                .retain(|address| !is_same_address(address, &taken.address));
        }
        Ok(PersonFact {
            verified_as: Some(verified_as),
            serial: card.serial(),
            ..PersonFact::new(trust)
        })
    }

    /// Decides about a contact that is here already.
    fn outcome_for_known(
        &self,
        here: &ContactFile,
        new: &BackedUpContact,
    ) -> Result<RestoreOutcome, KeystoreError> {
        let serial = self.keystore.card_of(here)?.serial();
        Ok(match serial.cmp(&new.card.serial()) {
            Ordering::Greater => RestoreOutcome::LocalKept,
            Ordering::Equal if here.card() == new.file.card() => RestoreOutcome::Known,
            Ordering::Equal => RestoreOutcome::Refused(KeystoreError::OtherCard { serial }),
            Ordering::Less => match self.addresses.refuse_changed(self.keystore, &new.card) {
                Ok(()) => RestoreOutcome::Updated,
                Err(error) => RestoreOutcome::Refused(error),
            },
        })
    }

    /// Decides about a contact that is not here.
    fn outcome_for_new(&self, new: &BackedUpContact) -> Result<RestoreOutcome, KeystoreError> {
        if self.keystore.own_card(&new.file.id)?.is_some() {
            return Ok(RestoreOutcome::Known);
        }
        let refused = self.keystore.refuse_successor_of_blocked_key(&new.card);
        match refused.and_then(|()| self.addresses.refuse_changed(self.keystore, &new.card)) {
            Ok(()) => Ok(RestoreOutcome::New),
            Err(KeystoreError::KeyChanged { known, .. })
                if self.is_succeeded(&new.card.id(), &known)? =>
            {
                Ok(RestoreOutcome::LocalKept)
            }
            Err(KeystoreError::KeyChanged { known, .. })
                if self.is_verified_instead(&new.file.id, &known)? =>
            {
                Ok(RestoreOutcome::New)
            }
            Err(error @ KeystoreError::KeyChanged { .. }) => Ok(RestoreOutcome::Refused(error)),
            Err(error) => Err(error),
        }
    }

    /// Whether this machine remembers `id` as verified and `known`, who has an address of theirs, as nobody: somebody who can write
    /// to the keystore has put the one in the other's place.
    fn is_verified_instead(&self, id: &RootId, known: &RootId) -> Result<bool, KeystoreError> {
        let is_verified = |trust| matches!(trust, Trust::Verified(_));
        let keystore = self.keystore;
        Ok(self.owner == BackupOwner::Me
            && is_verified(keystore.remembered_trust(id)?)
            && keystore.own_card(known)?.is_none()
            && !is_verified(keystore.known_trust(known)?))
    }

    /// Whether `known`, which has an address of `old` now, replaces it by a signature of `old`.
    fn is_succeeded(&self, old: &RootId, known: &RootId) -> Result<bool, KeystoreError> {
        let card = match self.keystore.contact(known)? {
            Some(contact) => Some(contact.card),
            None => self.keystore.own_card(known)?,
        };
        Ok(card.is_some_and(|card| card.is_successor_of(old)))
    }

    /// How far a key is trusted from now on: the stricter of both; verified only if nothing was decided here. There are decisions
    /// only if the user made the backup.
    fn merged_trust(&self, id: &RootId, here: Trust) -> Result<Trust, KeystoreError> {
        let Some(there) = self.decisions.get(id).map(|decision| decision.trust) else {
            return Ok(here);
        };
        Ok(match there {
            Trust::Verified(_) if self.keystore.is_undecided(id, here)? => there,
            _ => here.stricter(there),
        })
    }
}

#[cfg(test)]
mod tests;
