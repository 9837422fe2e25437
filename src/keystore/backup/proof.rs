//! What shows that a machine made a backup: a MAC over its parts, by a key that never leaves the machine.
//!
//! It stands in the name of the last entry, a folder: `proof/MAC/`. Earlier versions skip folders, whatever they are called, and
//! refuse a file that they do not know.

use sha2::{Digest, Sha256};

use crate::crypto::Secret;
use crate::crypto::kdf;
use crate::crypto::signing::RootId;

const FOLDER: &str = "proof";

/// What a backup says of the machine that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupProof {
    /// SHA-256 of all parts, their paths and lengths.
    pub(in super::super) parts: [u8; 32],
    /// The MAC of the machine, if there is one.
    mac: Option<[u8; 32]>,
}

impl BackupProof {
    /// Whether the machine with this key made the backup.
    pub(in super::super) fn is_by(&self, key: &Secret<32>) -> bool {
        let is_right = |mac| kdf::backup_mac_matches(key, &self.parts, mac);
        self.mac.as_ref().is_some_and(is_right)
    }
}

/// The parts of a backup while they are written or read.
#[derive(Default)]
pub(super) struct Parts(Sha256);

impl Parts {
    /// Adds a file.
    pub(super) fn add(&mut self, path: &str, content: &[u8]) {
        let path_bytes = u32::try_from(path.len()).expect("a path of a tar archive is short");
        self.0.update(path_bytes.to_be_bytes());
        self.0.update(path);
        self.0.update((content.len() as u64).to_be_bytes());
        self.0.update(content);
    }

    /// The path of the folder that proves what was added so far.
    pub(super) fn folder(&self, key: &Secret<32>) -> String {
        let mac = kdf::backup_mac(key, &self.hash());
        format!("{FOLDER}/{}", RootId(mac))
    }

    /// What a backup with these parts says, and this MAC.
    pub(super) fn proof(&self, mac: Option<[u8; 32]>) -> BackupProof {
        BackupProof {
            parts: self.hash(),
            mac,
        }
    }

    fn hash(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}

/// The MAC in the path of a folder. `None`: the folder has nothing to do with proofs; an error: it is none.
pub(super) fn mac_in(path: &str) -> Option<Result<[u8; 32], ()>> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    if names.next() != Some(FOLDER) {
        return None;
    }
    let mac = names.next().and_then(|name| name.parse::<RootId>().ok());
    match (mac, names.next()) {
        (Some(RootId(mac)), None) => Some(Ok(mac)),
        _ => Some(Err(())),
    }
}
