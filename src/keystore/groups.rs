//! Named sets of contacts, resolved when something is wrapped.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::identities::line;
use super::{Keystore, KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;

const GROUPS: &str = "groups";
const NAME_BYTES_MAX: usize = 64;

/// Says whether a group can have this name: small letters, digits, `.`, `_`, `-`, beginning with a letter or digit.
#[must_use]
pub fn is_group_name(name: &str) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: &u8| letter(byte) || matches!(byte, b'.' | b'_' | b'-');
    let bytes = name.as_bytes();
    bytes.len() <= NAME_BYTES_MAX && bytes.first().is_some_and(letter) && bytes.iter().all(inner)
}

impl Keystore {
    /// The names of all groups.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn groups(&self) -> Result<Vec<String>, KeystoreError> {
        let names = self.names_in(GROUPS)?;
        Ok(names
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .filter(|name| is_group_name(name))
            .collect())
    }

    /// The members of a group, if there is one of this name.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn group(&self, name: &str) -> Result<Option<BTreeSet<RootId>>, KeystoreError> {
        if !is_group_name(name) {
            return Ok(None);
        }
        let path = self.group_path(name);
        let Some(text) = folder::read(&path)? else {
            return Ok(None);
        };
        let text =
            std::str::from_utf8(&text).map_err(|error| KeystoreError::damaged(&path, &error))?;
        let ids = text.lines().map(str::parse).collect::<Result<_, _>>();
        ids.map(Some)
            .map_err(|error: crate::crypto::signing::NotAnId| KeystoreError::damaged(&path, &error))
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`KeystoreError::GroupName`], [`KeystoreError::GroupExists`], and what the system refuses.
    pub fn new_group(&self, name: &str, members: &BTreeSet<RootId>) -> Result<(), KeystoreError> {
        if !is_group_name(name) {
            return Err(KeystoreError::GroupName(name.to_owned()));
        }
        let _lock = self.lock()?;
        if self.group(name)?.is_some() {
            return Err(KeystoreError::GroupExists(name.to_owned()));
        }
        folder::make_folder(&self.root.join(GROUPS))?;
        self.write_group(name, members)
    }

    /// Changes the members of a group.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn change_group(
        &self,
        name: &str,
        change: impl FnOnce(&mut BTreeSet<RootId>),
    ) -> Result<(), KeystoreError> {
        let _lock = self.lock()?;
        let mut members = self.group(name)?.ok_or(KeystoreError::Unknown("group"))?;
        change(&mut members);
        self.write_group(name, &members)
    }

    /// Deletes a group; its members stay contacts.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn delete_group(&self, name: &str) -> Result<(), KeystoreError> {
        let _lock = self.lock()?;
        let removed = is_group_name(name) && folder::remove(&self.group_path(name))?;
        if removed {
            Ok(())
        } else {
            Err(KeystoreError::Unknown("group"))
        }
    }

    fn write_group(&self, name: &str, members: &BTreeSet<RootId>) -> Result<(), KeystoreError> {
        let text: Vec<u8> = members
            .iter()
            .flat_map(|id| line(&id.to_string()))
            .collect();
        folder::write(&self.group_path(name), &text, Existing::Replace)
    }

    fn group_path(&self, name: &str) -> PathBuf {
        self.root.join(GROUPS).join(name)
    }
}
