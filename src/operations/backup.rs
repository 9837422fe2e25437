//! A backup: all of a keystore, as the content of one envelope.

use crate::crypto::CryptoRng;
use crate::envelope::ContentInfo;
use crate::keystore::{BACKUP_TYPE, Backup, Keystore, KeystoreError};
use crate::time::Time;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The keystore has nothing.
    #[error("it is empty")]
    Empty,
    /// The keystore could not be read.
    #[error("the keystore cannot be read")]
    Keystore(#[from] KeystoreError),
}

/// Begins a backup of a keystore that has something. Its files are read while the content is read.
///
/// # Errors
/// [`BackupError`].
pub fn begin_backup(
    keystore: &Keystore,
    now: Time,
    rng: &mut dyn CryptoRng,
) -> Result<Backup, BackupError> {
    let content = keystore.backup(now, rng)?;
    match content.counts().is_empty() {
        true => Err(BackupError::Empty),
        false => Ok(content),
    }
}

/// What the envelope of a backup says about its content, by which `restore` knows it.
#[must_use]
pub fn backup_info() -> ContentInfo {
    ContentInfo {
        name: Some("keystore.tar".to_owned()),
        media_type: Some(BACKUP_TYPE.to_owned()),
        ..ContentInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::identity::tests::{Place, now, rng};

    #[test]
    fn an_empty_keystore_has_no_backup() {
        let place = Place::new();
        let empty = begin_backup(&place.keystore, now(), &mut rng())
            .map(drop)
            .unwrap_err();
        assert!(matches!(empty, BackupError::Empty), "{empty}");
        place.create("alice@example.org");
        let content = begin_backup(&place.keystore, now(), &mut rng()).unwrap();
        assert_eq!(content.counts().identities, 1);
    }
}
