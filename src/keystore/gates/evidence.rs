//! `gate-evidence/ID/HASH` in the state of this machine: what shows that the gate ID lied. Written once, and never removed by the
//! program.

use std::path::PathBuf;

use serde::Serialize;

use super::super::folder::StateLock;
use super::super::{Keystore, KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::sha256;
use crate::crypto::signing::RootId;
use crate::json;
use crate::time::Time;

const FOLDER: &str = "gate-evidence";
/// So much evidence is kept about each gate: one that lies more often is shown to lie, and must not fill the disk.
pub const EVIDENCE_MAX: usize = 256;

/// What a gate said that cannot be true, or not together with what it said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The gate's root key.
    pub gate: RootId,
    /// When it was received.
    pub at: Time,
    /// What is wrong with it, in words.
    pub what: String,
    /// The hash of the request that was answered.
    pub request: [u8; 32],
    /// The entry of the log that it is about. A part of a secret is never kept here.
    pub entry: Option<Vec<u8>>,
    /// Checkpoints that contradict each other, as the gate signed them.
    pub checkpoints: Vec<String>,
    /// The answer as the gate signed it, where no part of a secret is in it: its line, a line feed and the signature.
    pub answer: Option<Vec<u8>>,
}

#[derive(Serialize)]
struct Line<'a> {
    gate: RootId,
    at: Time,
    what: &'a str,
    request: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    checkpoints: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

impl Keystore {
    /// Keeps evidence, and says where; `None` where nothing can be kept, or enough is about this gate.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn keep_evidence(&self, evidence: &Evidence) -> Result<Option<PathBuf>, KeystoreError> {
        let machine = self.machine_state()?;
        let Some(state) = &machine.folder else {
            return Ok(None);
        };
        let notes = evidence.checkpoints.iter();
        let line = Line {
            gate: evidence.gate,
            at: evidence.at,
            what: &evidence.what,
            request: json::to_b64(&evidence.request),
            entry: evidence.entry.as_deref().map(json::to_b64),
            checkpoints: notes.map(|note| json::to_b64(note.as_bytes())).collect(),
            answer: evidence.answer.as_deref().map(json::to_b64),
        };
        let line = serde_json::to_string(&line).expect("it has only texts and numbers") + "\n";
        let _lock = match StateLock::take(state) {
            Ok(lock) => lock,
            Err(error) if error.is_read_only() => return Ok(None),
            Err(error) => return Err(error),
        };
        let all = state.join(FOLDER);
        folder::make_folder(&all)?;
        let of_gate = all.join(evidence.gate.to_string());
        folder::make_folder(&of_gate)?;
        let path = of_gate.join(RootId(sha256(&[line.as_bytes()])).to_string());
        if path.exists() {
            return Ok(Some(path));
        }
        if folder::names(&of_gate)?.len() >= EVIDENCE_MAX {
            return Ok(None);
        }
        folder::write(&path, line.as_bytes(), Existing::Replace)?;
        Ok(Some(path))
    }
}
