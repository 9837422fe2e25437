//! A new identity: keys, card and revocation.

use super::{Identities, IdentityLock, UpdateError, protection};
use crate::crypto::{CryptoRng, Kem};
use crate::identity::{Card, CardRequest, Identity, Predecessor, Revocation};
use crate::keystore::{Keystore, KeystoreError};
use crate::time::Time;

/// An identity that is not stored yet.
pub struct NewIdentity {
    identity: Identity,
    card: Card,
    revocation: Revocation,
}

impl NewIdentity {
    /// Makes keys, and signs card and revocation.
    ///
    /// # Errors
    /// [`UpdateError::Request`], [`UpdateError::Naming`].
    pub fn generate(
        name: String,
        addresses: Vec<String>,
        (kem, expires): (Kem, Option<Time>),
        now: Time,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, UpdateError> {
        let identity = Identity::generate(kem, now, expires, rng);
        let request = CardRequest {
            name,
            addresses,
            serial: 1,
            created: now,
        };
        let card = Card::new(&identity, request).map_err(UpdateError::Request)?;
        let fault = card.naming_fault().map(UpdateError::Naming);
        fault.map_or(Ok(()), Err)?;
        Ok(Self::with_card(identity, card, now))
    }

    fn with_card(identity: Identity, card: Card, now: Time) -> Self {
        let revocation = Revocation::new(identity.root(), now);
        Self {
            identity,
            card,
            revocation,
        }
    }

    /// The identity's card.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Stores it, and returns its card.
    ///
    /// # Errors
    /// [`KeystoreError::AddressTaken`], and what the system refuses.
    pub fn store(
        self,
        lock: Option<&IdentityLock>,
        keystore: &Keystore,
        rng: &mut dyn CryptoRng,
    ) -> Result<Card, KeystoreError> {
        let Self {
            identity,
            card,
            revocation,
        } = self;
        keystore.add_identity(&identity, &card, &revocation, protection(lock), rng)?;
        Ok(card)
    }
}

impl Identities<'_> {
    /// Stores a new identity, once it is certain that no other has its addresses, and returns its card.
    ///
    /// # Errors
    /// [`UpdateError::Keystore`], [`UpdateError::NoPassphrase`].
    pub fn create(&mut self, new: NewIdentity) -> Result<Card, UpdateError> {
        // Check before asking for a new passphrase.
        self.keystore.refuse_taken_addresses(new.card())?;
        let lock = self.unlock.new_lock(new.card());
        let lock = lock.map_err(UpdateError::NoPassphrase)?;
        Ok(new.store(lock.as_ref(), self.keystore, self.rng)?)
    }

    /// Replaces an identity: a new one with its name, addresses and passphrase, whose card the old one signs. Returns that card.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn replace(
        &mut self,
        card: Card,
        kem: Kem,
        expires: Option<Time>,
    ) -> Result<Card, UpdateError> {
        let old = self.begin(card)?;
        let new = Identity::generate(kem, self.now, expires, self.rng);
        let request = CardRequest {
            name: old.card.name().to_owned(),
            addresses: old.card.addresses().to_vec(),
            serial: 1,
            created: self.now,
        };
        let replaces = [Predecessor::new(&old.identity, new.id())];
        let card = Card::replacing(&new, request, &replaces).map_err(UpdateError::Card)?;
        let new = NewIdentity::with_card(new, card, self.now);
        Ok(new.store(old.lock.as_ref(), self.keystore, self.rng)?)
    }
}
