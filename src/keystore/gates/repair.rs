//! A damaged record of what was sealed with a gate: set aside, and made again from the envelope and what can still be read.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Keystore, KeystoreError, folder};
use super::sealed::{KeptStatement, SEALED, SEALED_BYTES_MAX, SealedWithGate, parse_statement};
use crate::atomic_file::Existing;
use crate::gate::protocol::SignedStatement;

/// So many damaged files of one ticket are kept beside each other.
const ASIDE_MAX: usize = 64;

impl Keystore {
    /// Makes the record of this ticket again, if its file is damaged, and says where the damaged file is now. The statements in it
    /// that can be read, and are about this ticket, stay.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn repair_sealed(&self, record: &SealedWithGate) -> Result<Option<PathBuf>, KeystoreError> {
        let is_damaged = || {
            let here = self.sealed_with_gate(record.lock.ticket());
            matches!(here, Err(KeystoreError::Damaged { .. }))
        };
        if !is_damaged() {
            return Ok(None);
        }
        let _lock = self.lock()?;
        // Another process may have done it meanwhile.
        match is_damaged() {
            true => self.set_aside_record(record).map(Some),
            false => Ok(None),
        }
    }

    /// Keeps a damaged record under another name, and writes another one. The caller holds the lock.
    pub(super) fn set_aside_record(
        &self,
        record: &SealedWithGate,
    ) -> Result<PathBuf, KeystoreError> {
        let path = self.sealed_path(record.lock.ticket());
        let mut repaired = record.clone();
        // What is too long for a record has nothing that could be kept of it, but for the file itself.
        if let Ok(Some(text)) = folder::read_up_to(&path, SEALED_BYTES_MAX) {
            for kept in readable_statements(&text, record) {
                // What has no room stands in the damaged file.
                let _ = repaired.merge(std::slice::from_ref(&kept));
            }
        }
        let aside = free_name(&path)?;
        let system = |error| KeystoreError::system("set aside", &path, error);
        // Two names first, so that a kill in between loses nothing; some file systems have no such names.
        fs::hard_link(&path, &aside)
            .or_else(|_| fs::rename(&path, &aside))
            .map_err(system)?;
        folder::sync_folder(&self.root.join(SEALED))?;
        folder::write(&path, &repaired.to_text(), Existing::Replace)?;
        Ok(aside)
    }
}

fn readable_statements(text: &[u8], record: &SealedWithGate) -> Vec<KeptStatement> {
    let lines = text.split(|byte| *byte == b'\n');
    let statements = lines.filter_map(|line| parse_statement(line).ok());
    let is_of_it = |kept: &KeptStatement| {
        let signed = SignedStatement::parse(&kept.statement);
        signed.is_ok_and(|signed| signed.is_of(&record.lock))
    };
    statements.filter(is_of_it).collect()
}

/// `TICKET.damaged`, or with a number behind it. Such a name is no ticket, so it is not read as a record.
fn free_name(path: &Path) -> Result<PathBuf, KeystoreError> {
    let name = |number: usize| {
        let mut name = OsString::from(path);
        name.push(match number {
            0 => ".damaged".to_owned(),
            number => format!(".damaged-{number}"),
        });
        PathBuf::from(name)
    };
    let is_free = |path: &PathBuf| fs::symlink_metadata(path).is_err();
    let mut names = (0..ASIDE_MAX).map(name);
    let free = names.find(is_free);
    free.ok_or_else(|| KeystoreError::damaged(path, &"so are those that were set aside before"))
}
