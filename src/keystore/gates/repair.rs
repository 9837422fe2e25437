//! A damaged record of what was sealed with a gate: set aside, and made again from the envelope and what can still be read.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Keystore, KeystoreError, folder};
use super::sealed::{KeptStatement, SEALED, SEALED_BYTES_MAX, SealedWithGate, parse_statement};
use crate::atomic_file::Existing;
use crate::envelope::Ticket;
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

    /// What can be read of a record: its first line, which has all that a gate must be told, and the statements that are whole. A
    /// record of which the first line is damaged is none.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn readable_sealed(&self, ticket: Ticket) -> Result<Option<SealedWithGate>, KeystoreError> {
        let text = folder::read_up_to(&self.sealed_path(ticket), SEALED_BYTES_MAX)?;
        Ok(text.and_then(|text| readable_record(&text, ticket)))
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
            if let Some(first) = first_line(&text, record.lock.ticket()) {
                (repaired.at, repaired.file) = (first.at, first.file);
            }
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

fn first_line(text: &[u8], ticket: Ticket) -> Option<SealedWithGate> {
    let line = text.split(|byte| *byte == b'\n').next()?;
    let record = SealedWithGate::from_text(line).ok()?;
    (record.lock.ticket() == ticket).then_some(record)
}

fn readable_record(text: &[u8], ticket: Ticket) -> Option<SealedWithGate> {
    let mut record = first_line(text, ticket)?;
    for kept in readable_statements(text, &record) {
        // What has no room stands in the damaged file.
        let _ = record.merge(std::slice::from_ref(&kept));
    }
    Some(record)
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

#[cfg(test)]
mod tests {
    use super::super::tests::{keystore, lock_of};
    use super::*;
    use crate::crypto::kdf::gate as kdf;
    use crate::crypto::signing::{RootId, SigningKey};
    use crate::gate::rules::Statement;
    use crate::keystore::tests::{now, rng};
    use crate::time::Time;

    /// Of an envelope that was revoked, which a gate knows.
    fn revoked() -> SealedWithGate {
        let owner = SigningKey::generate(&mut rng());
        let lock = lock_of(&[RootId([1; 32])], &[kdf::owner(&[0; 32], &owner.id().0)]);
        let about = (lock.ticket(), Statement::Revoke);
        let signed = SignedStatement::new(about, now(), [0; 32], &owner);
        SealedWithGate {
            statements: vec![KeptStatement {
                statement: signed.to_bytes(),
                known_by: std::iter::once(RootId([1; 32])).collect(),
            }],
            ..SealedWithGate::new(lock, now(), Some("plan.txt.encl"))
        }
    }

    #[test]
    fn a_damaged_record_is_set_aside_and_what_can_be_read_stays() {
        let (_folder, keystore) = keystore();
        let record = revoked();
        keystore.record_sealed(&record).unwrap();
        assert_eq!(keystore.repair_sealed(&record).unwrap(), None);
        let path = keystore.sealed_path(record.lock.ticket());
        let text = fs::read(&path).unwrap();
        let damaged = [b"x", &text[..]].concat();
        // The first line cannot be read: what is known of it is said anew.
        let bare = SealedWithGate::new(record.lock.clone(), now(), None);
        for _ in 0..2 {
            fs::write(&path, &damaged).unwrap();
            assert_eq!(keystore.readable_sealed(bare.lock.ticket()).unwrap(), None);
            let aside = keystore.repair_sealed(&bare).unwrap().unwrap();
            assert_eq!(fs::read(aside).unwrap(), damaged);
            let kept = keystore.sealed_with_gate(record.lock.ticket()).unwrap();
            let due = SealedWithGate {
                file: None,
                ..record.clone()
            };
            assert_eq!(kept, Some(due));
        }
        let all = keystore.all_sealed_with_gates().unwrap();
        assert_eq!((all.found.len(), all.faults.len()), (1, 0));
    }

    #[test]
    fn a_damaged_statement_costs_nothing_else() {
        let (_folder, keystore) = keystore();
        let record = revoked();
        keystore.record_sealed(&record).unwrap();
        let ticket = record.lock.ticket();
        let path = keystore.sealed_path(ticket);
        let text = fs::read(&path).unwrap();
        fs::write(&path, [&text[..], b"damaged\n"].concat()).unwrap();
        assert!(keystore.sealed_with_gate(ticket).is_err());
        let readable = keystore.readable_sealed(ticket).unwrap();
        assert_eq!(readable, Some(record.clone()));
        // The envelope does not say how its file was called, and when it was sealed.
        let later = Time::from_unix(1_900_000_000).unwrap();
        let bare = SealedWithGate::new(record.lock.clone(), later, None);
        keystore.repair_sealed(&bare).unwrap().unwrap();
        let repaired = keystore.sealed_with_gate(ticket).unwrap();
        assert_eq!(repaired, Some(record));
    }
}
