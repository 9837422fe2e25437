//! Importing an identity that was exported from another keystore.

use super::{Identities, UpdateError};
use crate::identity::{CardKey, Identity};
use crate::keystore::{
    Adoption, IdentityExport, ImportOutcome, Keystore, KeystoreError, Standing, StoredIdentity,
    StoredSecret,
};

impl Identities<'_> {
    /// Imports an identity. One that is here with other keys, or with another protection, gets the keys that only the export has.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn import(
        &mut self,
        export: &IdentityExport,
        adoption: Adoption,
    ) -> Result<ImportOutcome, UpdateError> {
        // Keys that stand in the clear have to be this identity's.
        let secret = export.secret()?;
        let keystore = self.keystore;
        let imported = keystore.import_identity(export, adoption)?;
        if imported != ImportOutcome::KeysDiffer {
            return Ok(imported);
        }
        let imported = match has_all_keys(export, keystore)? {
            true => ImportOutcome::Known,
            false => self.merge(export, secret)?,
        };
        if is_revoked_only_there(export, keystore)? {
            keystore.mark_revoked(&export.card().id())?;
            return Ok(ImportOutcome::Updated);
        }
        Ok(imported)
    }

    /// Gives the local identity the keys that only the export has, and a card with all of them; it stays protected as it is.
    fn merge(
        &mut self,
        export: &IdentityExport,
        secret: StoredSecret,
    ) -> Result<ImportOutcome, UpdateError> {
        let local = self.keystore.own_card(&export.card().id())?;
        let local = local.ok_or(UpdateError::Removed)?;
        let is_later = export.card().serial() > local.serial();
        let mut update = self.begin(local)?;
        let (local, exported) = (update.identity, self.unlock_exported(secret)?);
        // The later card decides what is said about a key, such as its expiry.
        let (mut identity, earlier) = match is_later {
            true => (exported, local),
            false => (local, exported),
        };
        let has_new_keys = identity.merge(earlier).map_err(UpdateError::Merge)?;
        update.identity = identity;
        let card = match (is_later, has_new_keys) {
            (false, false) => return Ok(ImportOutcome::Known),
            (true, false) => export.card().clone(),
            (_, true) => {
                if is_later {
                    update.card = export.card().clone();
                }
                update.next_card(self.now)?
            }
        };
        self.save(&update, Some(&card))?;
        Ok(ImportOutcome::Updated)
    }

    fn unlock_exported(&mut self, secret: StoredSecret) -> Result<Identity, UpdateError> {
        match secret {
            StoredSecret::Plain(identity) => Ok(identity),
            StoredSecret::Locked(locked) => {
                let allowed = self.unlock.allow_cost(locked.cost());
                allowed.map_err(UpdateError::NoPassphrase)?;
                let passphrase = self.unlock.exported_passphrase();
                let passphrase = passphrase.map_err(UpdateError::NoPassphrase)?;
                Ok(locked.unlock(&passphrase)?)
            }
        }
    }
}

/// The result that [`Identities::import`] would have: [`ImportOutcome::KeysDiffer`] where it needs passphrases.
///
/// # Errors
/// [`KeystoreError`].
pub fn dry_run_import(
    export: &IdentityExport,
    keystore: &Keystore,
) -> Result<ImportOutcome, KeystoreError> {
    match keystore.dry_run_import(export)? {
        ImportOutcome::KeysDiffer if !has_all_keys(export, keystore)? => {
            Ok(ImportOutcome::KeysDiffer)
        }
        ImportOutcome::KeysDiffer if is_revoked_only_there(export, keystore)? => {
            Ok(ImportOutcome::Updated)
        }
        ImportOutcome::KeysDiffer => Ok(ImportOutcome::Known),
        outcome => Ok(outcome),
    }
}

/// Whether the local identity has all keys of the export, which is protected differently or older: the local card is no earlier
/// one, and names them all.
fn has_all_keys(export: &IdentityExport, keystore: &Keystore) -> Result<bool, KeystoreError> {
    let id = export.card().id();
    // A damaged file has no keys.
    if let StoredSecret::Locked(locked) = keystore.secret(&id)? {
        locked.envelope()?;
    }
    let exported = export.card();
    Ok(keystore.own_card(&id)?.is_some_and(|local| {
        let has = |key: &CardKey| local.keys().iter().any(|known| known.public == key.public);
        local.serial() >= exported.serial() && exported.keys().iter().all(has)
    }))
}

/// Whether the identity is used here, and is revoked in the export.
fn is_revoked_only_there(
    export: &IdentityExport,
    keystore: &Keystore,
) -> Result<bool, KeystoreError> {
    let id = export.card().id();
    let identities = keystore.identities()?;
    let is_active = |one: &StoredIdentity| one.card.id() == id && one.standing == Standing::Active;
    Ok(export.has_ended() && identities.iter().any(is_active))
}
