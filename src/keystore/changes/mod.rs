//! Changes of an identity that is here already: its protection, its keys, its card.

use std::io::{Read, Seek, Write};

use zeroize::Zeroizing;

use super::identities::line;
use super::secret_file::{self, Protection};
use super::{Keystore, KeystoreError, folder};
use crate::atomic_file::{AtomicFile, Existing, FileMode};
use crate::crypto::signing::RootId;
use crate::crypto::{CryptoRng, sha256};
use crate::identity::{Card, Identity};

/// Which private keys stand in the keystore, so that a change is made to these and to no later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretState([u8; 32]);

/// The new state of an identity.
pub struct IdentityChange<'a> {
    /// Its keys: those that are there, and perhaps one more.
    pub identity: &'a Identity,
    /// How they are protected.
    pub protection: Protection<'a>,
    /// Its later card, if the keys have changed.
    pub card: Option<&'a Card>,
}

impl Keystore {
    /// Says which private keys stand here. To be asked before they are read.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn secret_state(&self, id: &RootId) -> Result<SecretState, KeystoreError> {
        let bytes = folder::read(&self.secret_path(id))?;
        let bytes = bytes.ok_or(KeystoreError::Unknown("identity"))?;
        Ok(SecretState(sha256(&[&bytes])))
    }

    /// Writes the private keys anew, and then the card. The new file is read back from the disk and opened before it takes the
    /// old one's place; a kill leaves the old keys, the new ones, or the new ones with the old card, which open as much.
    ///
    /// # Errors
    /// [`KeystoreError::Changed`] if other keys than those of `before` stand here by now, [`KeystoreError::OlderCard`] if the
    /// card is no later one, and what the system refuses.
    pub fn change_identity(
        &self,
        before: SecretState,
        change: &IdentityChange<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), KeystoreError> {
        let IdentityChange {
            identity,
            protection,
            card,
        } = change;
        let id = identity.id();
        let secret = secret_file::bytes(identity, *protection, rng)?;
        let _lock = self.lock()?;
        if self.secret_state(&id)? != before {
            return Err(KeystoreError::Changed);
        }
        if let Some(card) = card {
            self.refuse_earlier_card(card)?;
        }
        self.replace_secret(identity, *protection, &secret)?;
        card.map_or(Ok(()), |card| self.replace_card(card))
    }

    /// Puts private keys in the place of others once they have been read back and opened. The caller holds the lock.
    pub(super) fn replace_secret(
        &self,
        identity: &Identity,
        protection: Protection<'_>,
        secret: &[u8],
    ) -> Result<(), KeystoreError> {
        let path = self.secret_path(&identity.id());
        let failed = |error| KeystoreError::system("read back", &path, error);
        let mut file = AtomicFile::create(&path, FileMode::OwnerOnly, Existing::Replace)?;
        file.write_all(secret)
            .map_err(|error| KeystoreError::system("write", &path, error))?;
        file.make_durable()?;
        let mut written = Zeroizing::new(Vec::with_capacity(secret.len() + 1));
        let mut reader = file.file();
        reader.rewind().map_err(failed)?;
        reader
            .take(secret.len() as u64 + 1)
            .read_to_end(&mut written)
            .map_err(failed)?;
        let opened = secret_file::open(&path, &identity.id(), written, protection)?;
        if opened.to_line() != identity.to_line() {
            return Err(KeystoreError::damaged(&path, &"it was not written whole"));
        }
        Ok(file.commit()?)
    }

    /// Puts a card in the place of an earlier one. The caller holds the lock.
    pub(super) fn replace_card(&self, card: &Card) -> Result<(), KeystoreError> {
        let path = self.identity_folder(&card.id()).join("card");
        folder::write(&path, &line(card.to_text()), Existing::Replace)
    }

    fn refuse_earlier_card(&self, card: &Card) -> Result<(), KeystoreError> {
        let known = self.own_card(&card.id())?;
        let known = known.ok_or(KeystoreError::Unknown("identity"))?.serial();
        if card.serial() > known {
            Ok(())
        } else {
            Err(KeystoreError::OlderCard {
                known,
                offered: card.serial(),
            })
        }
    }

    pub(super) fn secret_path(&self, id: &RootId) -> std::path::PathBuf {
        self.identity_folder(id).join("secret")
    }
}

#[cfg(test)]
mod tests;
