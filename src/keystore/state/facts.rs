//! Facts: a folder with a file for each key, address, name or group, one line of JSON.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::{KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::json::Error;

/// The facts of one kind.
pub(in super::super) struct Facts<T> {
    /// The name of their folder.
    pub(in super::super) folder: &'static str,
    /// The most that a file may hold.
    pub(in super::super) bytes_max: u64,
    /// Reads the line, without its line feed.
    pub(in super::super) parse: fn(&[u8]) -> Result<T, Error>,
}

impl<T> Facts<T> {
    /// The fact of this name, if there is one.
    pub(in super::super) fn read(
        &self,
        state: &Path,
        name: &impl Display,
    ) -> Result<Option<T>, KeystoreError> {
        let path = self.path(state, name);
        let Some(bytes) = folder::read_up_to(&path, self.bytes_max)? else {
            return Ok(None);
        };
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let fact = (self.parse)(line);
        fact.map(Some)
            .map_err(|error| KeystoreError::state_damaged(&path, &error))
    }

    /// All facts about keys.
    pub(super) fn read_all(&self, state: &Path) -> Result<BTreeMap<RootId, T>, KeystoreError> {
        let mut all = BTreeMap::new();
        for name in folder::names(&state.join(self.folder))? {
            if let Some(id) = name.to_str().and_then(|name| name.parse().ok()) {
                all.extend(self.read(state, &id)?.map(|fact| (id, fact)));
            }
        }
        Ok(all)
    }

    /// Writes a fact. The caller holds the lock.
    pub(in super::super) fn write(
        &self,
        state: &Path,
        name: &impl Display,
        line: &impl Serialize,
    ) -> Result<(), KeystoreError> {
        folder::make_folder(&state.join(self.folder))?;
        let line = serde_json::to_string(line).expect("it has only texts and numbers") + "\n";
        folder::write(&self.path(state, name), line.as_bytes(), Existing::Replace)
    }

    /// Removes a fact. The caller holds the lock.
    pub(in super::super) fn remove(
        &self,
        state: &Path,
        name: &impl Display,
    ) -> Result<(), KeystoreError> {
        folder::remove(&self.path(state, name)).map(|_| ())
    }

    fn path(&self, state: &Path, name: &impl Display) -> PathBuf {
        state.join(self.folder).join(name.to_string())
    }
}
