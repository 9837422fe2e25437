//! An identity in the keystore is changed: unlocked, changed, and locked as before.

use super::{Identities, IdentityLock, UnlockedIdentity, UpdateError, protection};
use crate::crypto::Kem;
use crate::identity::{Card, CardRequest, Identity, Paper};
use crate::keystore::{IdentityChange, SecretState, Standing, StoredIdentity};
use crate::time::Time;

/// An unlocked identity that is about to change.
pub struct IdentityUpdate {
    /// Its card.
    pub card: Card,
    /// Its private keys.
    pub identity: Identity,
    /// What protects them, unless they stand in the clear.
    pub lock: Option<IdentityLock>,
    before: SecretState,
}

impl IdentityUpdate {
    /// The next card, with all keys as they are now.
    pub(super) fn next_card(&self, now: Time) -> Result<Card, UpdateError> {
        let serial = self.card.serial().checked_add(1);
        later_card(&self.identity, &self.card, serial, now)
    }
}

/// A card that says what an earlier one says, with all keys as they are now. Without a serial there is none.
pub(super) fn later_card(
    identity: &Identity,
    earlier: &Card,
    serial: Option<u32>,
    now: Time,
) -> Result<Card, UpdateError> {
    let request = CardRequest {
        name: earlier.name().to_owned(),
        addresses: earlier.addresses().to_vec(),
        serial: serial.ok_or(UpdateError::LastSerial)?,
        created: now,
    };
    Card::replacing(identity, request, earlier.replaces()).map_err(UpdateError::Card)
}

impl Identities<'_> {
    /// Unlocks an identity of the keystore.
    ///
    /// # Errors
    /// [`UpdateError::Unreadable`], [`UpdateError::Locked`].
    pub fn begin(&mut self, card: Card) -> Result<IdentityUpdate, UpdateError> {
        // Before the keys are read: a change by another run is noticed from here on.
        let before = self.keystore.secret_state(&card.id());
        let before = before.map_err(UpdateError::Unreadable)?;
        let unlocked = self.unlock.unlock(&card).map_err(UpdateError::Locked)?;
        let UnlockedIdentity { identity, lock } = unlocked;
        Ok(IdentityUpdate {
            card,
            identity,
            lock,
            before,
        })
    }

    /// Writes the private keys, protected as before, and a later card.
    pub(super) fn save(
        &mut self,
        update: &IdentityUpdate,
        card: Option<&Card>,
    ) -> Result<(), UpdateError> {
        self.write(update, update.lock.as_ref(), card)
    }

    /// Protects the private keys by another passphrase, or by none.
    ///
    /// # Errors
    /// [`UpdateError::Keystore`].
    pub fn change_lock(
        &mut self,
        update: &IdentityUpdate,
        lock: Option<&IdentityLock>,
    ) -> Result<(), UpdateError> {
        self.write(update, lock, None)
    }

    fn write(
        &mut self,
        update: &IdentityUpdate,
        lock: Option<&IdentityLock>,
        card: Option<&Card>,
    ) -> Result<(), UpdateError> {
        let change = IdentityChange {
            identity: &update.identity,
            protection: protection(lock),
            card,
        };
        let keystore = self.keystore;
        Ok(keystore.change_identity(update.before, &change, self.rng)?)
    }

    /// Gives an identity a new encryption key, and returns its new card.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn rotate(
        &mut self,
        card: Card,
        kem: Kem,
        expires: Option<Time>,
    ) -> Result<Card, UpdateError> {
        let mut update = self.begin(card)?;
        let rotated = update.identity.rotate(kem, self.now, expires, self.rng);
        rotated.map_err(UpdateError::Rotate)?;
        self.save_with_next_card(&update)
    }

    /// Changes when the newest key of an identity expires, and returns its new card.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn renew(&mut self, card: Card, expires: Option<Time>) -> Result<Card, UpdateError> {
        let mut update = self.begin(card)?;
        update.identity.renew(expires);
        self.save_with_next_card(&update)
    }

    fn save_with_next_card(&mut self, update: &IdentityUpdate) -> Result<Card, UpdateError> {
        let card = update.next_card(self.now)?;
        self.save(update, Some(&card))?;
        Ok(card)
    }

    /// An identity as it goes onto a page, with its private keys in the clear.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn paper(&mut self, stored: StoredIdentity) -> Result<Paper, UpdateError> {
        let StoredIdentity { card, standing, .. } = stored;
        let revocation = self.keystore.revocation(&card.id())?;
        let unlocked = self.unlock.unlock(&card).map_err(UpdateError::Locked)?;
        let is_revoked = standing == Standing::Revoked;
        let paper = Paper::new(unlocked.identity, card, revocation, is_revoked);
        paper.map_err(UpdateError::Paper)
    }
}
