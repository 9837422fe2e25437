//! Backups that this machine knows: those that it made, by a MAC under `key`, and those that the user took as his own.
//!
//! Nothing that stands in a keystore shows whose a backup is: whoever reads the keystore's folder has it.

use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use super::super::backup::BackupProof;
use super::super::folder::StateLock;
use super::super::{Keystore, KeystoreError, folder};
use super::facts::Facts;
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::crypto::{CryptoRng, Secret};
use crate::json::{self, Error, Text};
use crate::time::Time;

const KEY: &str = "key";
/// 44 digits and a line feed.
const KEY_BYTES_MAX: u64 = 64;

/// Backups that the user took as his own, by the hash of their parts, and when.
const TAKEN: Facts<Time> = Facts {
    folder: "backups",
    bytes_max: 256,
    parse,
};

/// How this machine knows a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBackup {
    /// It made it.
    Made,
    /// The user took it as his own when there was no identity yet.
    Taken,
}

#[derive(Serialize)]
struct Line {
    taken: Time,
}

impl Keystore {
    /// How this machine knows a backup; `None` if it does not.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn known_backup(&self, proof: &BackupProof) -> Result<Option<KnownBackup>, KeystoreError> {
        let machine = self.machine_state()?;
        let Some(state) = &machine.folder else {
            return Ok(None);
        };
        if read_key(state)?.is_some_and(|key| proof.is_by(&key)) {
            return Ok(Some(KnownBackup::Made));
        }
        let taken = TAKEN.read(state, &RootId(proof.parts))?;
        Ok(taken.map(|_| KnownBackup::Taken))
    }

    /// Remembers that the user takes all of a backup as his own. To be called before anything of it is restored: after a kill in
    /// between, the rest is restored as his own too.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn take_backup(&self, proof: &BackupProof, now: Time) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let machine = self.machine_state()?;
        match (&machine.folder, &lock.state) {
            (Some(state), Some(_)) => {
                TAKEN.write(state, &RootId(proof.parts), &Line { taken: now })
            }
            // Nothing can be remembered here.
            _ => Ok(()),
        }
    }

    /// The key of this machine, made if it has none yet; `None` where nothing can be kept.
    pub(in super::super) fn backup_key(
        &self,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<Secret<32>>, KeystoreError> {
        let machine = self.machine_state()?;
        let Some(state) = &machine.folder else {
            return Ok(None);
        };
        if let Some(key) = read_key(state)? {
            return Ok(Some(key));
        }
        match make_key(state, rng) {
            Ok(key) => Ok(Some(key)),
            Err(error) if error.is_read_only() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn make_key(state: &Path, rng: &mut dyn CryptoRng) -> Result<Secret<32>, KeystoreError> {
    let _lock = StateLock::take(state)?;
    // Another run may have been faster.
    if let Some(key) = read_key(state)? {
        return Ok(key);
    }
    let key = Secret::random(rng);
    let line = Zeroizing::new(json::to_b64(key.expose()) + "\n");
    folder::write(&state.join(KEY), line.as_bytes(), Existing::Keep)?;
    Ok(key)
}

/// The key of this machine, by which an earlier version also proved its verifications.
pub(super) fn read_key(state: &Path) -> Result<Option<Secret<32>>, KeystoreError> {
    let path = state.join(KEY);
    let Some(bytes) = folder::read_up_to(&path, KEY_BYTES_MAX)? else {
        return Ok(None);
    };
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let key = json::from_b64(line).map_err(|error| KeystoreError::state_damaged(&path, &error))?;
    Ok(Some(Secret::new(key)))
}

fn parse(line: &[u8]) -> Result<Time, Error> {
    let mut taken = None;
    Text::check(line)?.object(|name, value| {
        match name {
            "taken" => taken = Some(value.time()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    taken.ok_or_else(|| Error::missing("taken"))
}
