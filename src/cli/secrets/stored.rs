//! Private keys as they stand in the keystore.

use encl::crypto::signing::RootId;
use encl::keystore::{Keystore, KeystoreError, StoredSecret};

use crate::cli::errors::keystore as errors;
use crate::cli::errors::{Exit, Failure};

/// An identity's private keys as they stand in the keystore.
pub(crate) fn secret(keystore: &Keystore, id: RootId) -> Result<StoredSecret, Failure> {
    let due = secret_if_any(keystore, id)?;
    due.ok_or_else(|| {
        Failure::new(Exit::Failed, "cannot read your identity")
            .reason("its private keys are missing")
            .hint("`encl restore` and `encl key paper --restore` restore them")
    })
}

/// An identity's private keys, if they are still there.
pub(crate) fn secret_if_any(
    keystore: &Keystore,
    id: RootId,
) -> Result<Option<StoredSecret>, Failure> {
    match keystore.secret(&id) {
        Ok(secret) => Ok(Some(secret)),
        Err(KeystoreError::Unknown(_)) => Ok(None),
        Err(error) => Err(errors::failure("cannot read your identity", &error)),
    }
}
