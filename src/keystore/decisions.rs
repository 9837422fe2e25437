//! What a user decides about a contact, and what happens to one: verified, blocked, unblocked, changed, revoked.

use super::contact_file::ContactFile;
use super::folder::WriteLock;
use super::state::PersonFact;
use super::trust::{Trust, TrustRecord, Verified};
use super::{Keystore, KeystoreError, VerifiedAs};
use crate::address::Address;
use crate::crypto::signing::RootId;
use crate::identity::{Card, Revocation};
use crate::time::Time;

/// An address on a card for which another key was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressOfVerified {
    /// The address.
    pub address: String,
    /// The key that was verified for it.
    pub known: RootId,
    /// Whether the owner of that key is a contact.
    pub is_here: bool,
}

impl Keystore {
    /// The addresses on a contact's card for which another key was verified, each with that key.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn addresses_of_verified(
        &self,
        card: &Card,
    ) -> Result<Vec<AddressOfVerified>, KeystoreError> {
        let mut found = Vec::new();
        for address in card.addresses() {
            let owners = self.verified_for_address(&Address::new(address))?;
            let mut others = owners.iter().filter(|id| !card.may_carry_addresses_of(id));
            if let Some(known) = others.next() {
                found.push(AddressOfVerified {
                    address: address.clone(),
                    known: *known,
                    is_here: self.has_contact(known),
                });
            }
        }
        Ok(found)
    }

    /// Records that a contact's key was compared with its owner, and for which name and addresses. This ends the state *changed*. An
    /// address for which a key was verified whose owner is no contact any more is that owner's no more.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`]; [`KeystoreError::Blocked`] and [`KeystoreError::Revoked`], which this does not end;
    /// [`KeystoreError::AddressVerified`], for the address of somebody who is here;
    /// [`KeystoreError::NoState`] for a keystore without a state folder; and what the system refuses.
    pub fn verify_contact(
        &self,
        id: &RootId,
        verified: Verified,
        verified_as: &VerifiedAs,
    ) -> Result<(), KeystoreError> {
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
        self.save_verification(&lock, &file, trust, verified_as)?;
        self.write_contact(&ContactFile {
            record: TrustRecord::new(trust),
            ..file
        })
    }

    /// Adds to a verification: the contact's card calls itself otherwise now, and the user says that this is the same person.
    ///
    /// # Errors
    /// [`KeystoreError::NotVerified`], and those of [`Keystore::verify_contact`].
    pub fn verify_names(&self, id: &RootId, verified_as: &VerifiedAs) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let file = self.known_file(id)?;
        match self.judge(id, &file.record)? {
            trust @ Trust::Verified(_) => self.save_verification(&lock, &file, trust, verified_as),
            _ => Err(KeystoreError::NotVerified),
        }
    }

    fn save_verification(
        &self,
        lock: &WriteLock,
        file: &ContactFile,
        trust: Trust,
        verified_as: &VerifiedAs,
    ) -> Result<(), KeystoreError> {
        let card = self.card_of(file)?;
        for AddressOfVerified {
            address,
            known,
            is_here,
        } in self.addresses_of_verified(&card)?
        {
            match verified_as.has_address(&address) {
                true if is_here => return Err(KeystoreError::AddressVerified { address, known }),
                true => self.take_address(lock, &known, &address)?,
                false => {}
            }
        }
        // Whoever was verified before is this contact now.
        for predecessor in card.replaces() {
            if !self.has_contact(&predecessor.id()) {
                self.forget_verified(lock, &predecessor.id())?;
            }
        }
        self.change_person(lock, &file.id, |_| PersonFact {
            trust,
            noted: false,
            verified_as: Some(verified_as.clone()),
            serial: card.serial(),
        })
    }

    /// An address is verified for this key no more. Without one, the key is verified for nothing.
    fn take_address(
        &self,
        lock: &WriteLock,
        id: &RootId,
        address: &str,
    ) -> Result<(), KeystoreError> {
        self.change_person(lock, id, |fact| PersonFact {
            verified_as: fact.verified_as.and_then(|known| known.without(address)),
            ..fact
        })
    }

    /// Remembers the serial of a newer card of a verified contact, before the card is stored.
    pub(super) fn note_newer_card(
        &self,
        lock: &WriteLock,
        card: &Card,
    ) -> Result<(), KeystoreError> {
        if self
            .machine_state()?
            .person(&card.id())?
            .verified_as
            .is_none()
        {
            return Ok(());
        }
        self.change_person(lock, &card.id(), |fact| PersonFact {
            serial: fact.serial.max(card.serial()),
            ..fact
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

    /// Unblocks a contact, which is then unverified. This also ends a revocation that only a file of the keystore told of.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], [`KeystoreError::NotBlocked`], and what the system refuses.
    pub fn unblock_contact(&self, id: &RootId) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let file = self.known_file(id)?;
        match self.judge(id, &file.record)? {
            Trust::Blocked { .. } => self.decide(&lock, id, Trust::Unverified),
            Trust::Revoked { .. } if self.is_only_noted(id)? => {
                self.decide(&lock, id, Trust::Unverified)
            }
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
        let is_only_noted = self.is_only_noted(&file.id)?;
        let trust = match (decided, self.judge(&file.id, &file.record)?) {
            (None, Trust::Unverified) => return Ok(()),
            // A revocation, and a decision of the user, hold for the key. A file alone that says *revoked* is not saved: the
            // revocation can be added again, and the file may have been written by anybody.
            (Some(revoked @ Trust::Revoked { .. }), _) if !is_only_noted => revoked,
            (_, trust @ Trust::Blocked { .. }) => trust,
            _ => Trust::Unverified,
        };
        self.change_person(lock, &file.id, |_| PersonFact::new(trust))
    }

    /// For which name and addresses a key was verified, whether its card is here or not.
    ///
    /// # Errors
    /// [`KeystoreError`], when the state cannot be read.
    pub fn verified_as(&self, id: &RootId) -> Result<Option<VerifiedAs>, KeystoreError> {
        Ok(self.machine_state()?.person(id)?.verified_as)
    }

    /// Forgets for what a key was verified whose card is not here.
    pub(super) fn forget_verified(
        &self,
        lock: &WriteLock,
        id: &RootId,
    ) -> Result<(), KeystoreError> {
        if self.verified_as(id)?.is_none() {
            return Ok(());
        }
        self.change_person(lock, id, |fact| match fact.trust {
            Trust::Verified(_) => PersonFact::new(Trust::Unverified),
            trust => PersonFact::new(trust),
        })
    }

    /// Whether a key is stopped only because a file of the keystore said so.
    fn is_only_noted(&self, id: &RootId) -> Result<bool, KeystoreError> {
        Ok(self.machine_state()?.person(id)?.noted)
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
