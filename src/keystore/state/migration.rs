//! Decisions as earlier versions kept them: a file for each keystore, named by a hash of its path, and MACs in the keystores
//! under a key of this machine.
//!
//! All of them are moved into `people` at once; of two about one key the stricter is in force. They are removed only when
//! everything is in its new place, so a kill in between loses nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{
    self,
    ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem},
};
use std::path::Path;

use super::super::folder::StateLock;
use super::super::trust::Trust;
use super::super::{Keystore, KeystoreError, folder};
use super::backups::read_key;
use super::first_use::write_expected;
use super::has_version;
use super::people::PEOPLE;
use super::{decision_list, people};
use crate::crypto::signing::RootId;

const PLACES: &str = "trust";
/// A decision is at most 170 bytes long; 10,000 of them are a tenth of this.
const DECISIONS_BYTES_MAX: u64 = 16 << 20;

impl Keystore {
    /// Moves the decisions of an earlier version, if there are any. Returns those that could not be moved, since the folder
    /// cannot be written to.
    pub(super) fn migrate(&self, state: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
        let places = state.join(PLACES);
        if !places.is_dir() {
            return Ok(BTreeMap::new());
        }
        has_version(state)?; // of a later program, whose state is left alone
        match StateLock::take(state) {
            Ok(_lock) => {
                let earlier = self.earlier_decisions(state)?;
                match move_all(state, &earlier) {
                    Ok(()) => Ok(BTreeMap::new()),
                    Err(error) if error.is_read_only() => Ok(earlier),
                    Err(error) => Err(error),
                }
            }
            Err(error) if error.is_read_only() => self.earlier_decisions(state),
            Err(error) => Err(error),
        }
    }

    /// The decisions of all keystores, and the verifications of this one that have a MAC and no decision.
    fn earlier_decisions(&self, state: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
        let places = state.join(PLACES);
        let mut all: BTreeMap<RootId, Trust> = BTreeMap::new();
        for name in folder::names(&places)? {
            let is_place = name
                .to_str()
                .is_some_and(|name| name.parse::<RootId>().is_ok());
            if is_place {
                for (id, trust) in read_decisions(&places.join(name))? {
                    let known = all.get(&id).copied();
                    all.insert(id, known.map_or(trust, |known| stricter(known, trust)));
                }
            }
        }
        if let Some(key) = read_key(state)? {
            for id in self.contact_ids()? {
                // A file with a fault is reported where the contact is used.
                let Ok(Some(file)) = self.contact_file(&id) else {
                    continue;
                };
                if let Some(trust) = file.record.authentic(&id, &key) {
                    all.entry(id).or_insert(trust);
                }
            }
        }
        Ok(all)
    }
}

/// The stricter of two decisions; *unverified* was said on purpose, and is stricter than *verified*.
fn stricter(a: Trust, b: Trust) -> Trust {
    match a.stricter(b) {
        Trust::Verified(_) if b == Trust::Unverified => b,
        stricter => stricter,
    }
}

fn move_all(state: &Path, earlier: &BTreeMap<RootId, Trust>) -> Result<(), KeystoreError> {
    for (id, trust) in earlier {
        let known = PEOPLE.read(state, id)?;
        let decided = known.map_or(*trust, |known| known.stricter(*trust));
        if known != Some(decided) {
            people::write(state, id, decided)?;
        }
    }
    let places = state.join(PLACES);
    let names = folder::names(&places)?;
    let names = names.iter().filter_map(|name| name.to_str());
    write_expected(state, names.filter(|name| name.parse::<RootId>().is_ok()))?;
    fs::remove_dir_all(&places).map_err(|error| KeystoreError::system("remove", &places, error))?;
    folder::sync_folder(state)
}

fn read_decisions(path: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
    let Some(bytes) = folder::read_up_to(path, DECISIONS_BYTES_MAX)? else {
        return Ok(BTreeMap::new());
    };
    let damaged = |number: usize| KeystoreError::damaged(path, &format!("line {number}"));
    let text = std::str::from_utf8(&bytes).map_err(|_| damaged(1))?;
    decision_list::from_text(text).map_err(damaged)
}

impl KeystoreError {
    /// Whether nothing can be written, for a reason that stays.
    pub(in super::super) fn is_read_only(&self) -> bool {
        let source = match self {
            Self::System { source, .. } => Some(source),
            Self::File(error) => std::error::Error::source(error).and_then(|s| s.downcast_ref()),
            _ => None,
        };
        let kind = source.map(io::Error::kind);
        matches!(
            kind,
            Some(PermissionDenied | ReadOnlyFilesystem | NotFound | NotADirectory)
        )
    }
}
