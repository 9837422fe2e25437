//! What a log sends to a witness (C2SP tlog-witness, `add-checkpoint`), and what the witness makes of it.

use std::fmt::Write as _;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::note::{NoteKey, SignedNote};
use super::tree::{Hash, verify_consistency};
use crate::json;

/// Lines of a proof: as many as a tree of 2^63 entries needs.
const PROOF_LINES_MAX: usize = 63;

/// Bytes of what a log sends. A checkpoint of a log with the cosignatures of its other witnesses fits in.
pub const SUBMISSION_BYTES_MAX: usize = 32 << 10;

/// A checkpoint for a witness, with the proof that it continues the last one that the witness has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The size of the checkpoint that the witness has seen.
    pub old: u64,
    /// That the log of then is the beginning of this one.
    pub proof: Vec<Hash>,
    /// The checkpoint, as it is signed.
    pub note: String,
}

/// What a witness knows of a log: the last checkpoint that it cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnessed {
    /// Its size; 0 when there was none.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWitnessed {
    /// It is no checkpoint, or says that the log shrank.
    #[error("it is not a checkpoint with its proof")]
    Form,
    /// The log's known key did not sign it.
    #[error("the log did not sign it")]
    Key,
    /// The witness has seen a checkpoint of another size, or one of the same size with another root.
    #[error("the witness has seen another checkpoint")]
    Conflict(u64),
    /// The proof does not show that the log goes on.
    #[error("it does not continue what was seen")]
    Proof,
}

impl Submission {
    /// As it is sent.
    #[must_use]
    pub fn to_body(&self) -> String {
        let mut body = format!("old {}\n", self.old);
        for hash in &self.proof {
            writeln!(body, "{}", json::to_b64(hash)).expect("a String takes every write");
        }
        body.push('\n');
        body.push_str(&self.note);
        body
    }

    /// Reads what was sent.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        if body.len() > SUBMISSION_BYTES_MAX {
            return None;
        }
        let body = std::str::from_utf8(body).ok()?;
        let (head, note) = body.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let digits = lines.next()?.strip_prefix("old ")?;
        let old: u64 = digits.parse().ok()?;
        let proof = lines.map(|line| json::from_b64(line.as_bytes()).ok());
        let proof = proof.take(PROOF_LINES_MAX + 1);
        let proof: Vec<Hash> = proof.collect::<Option<_>>()?;
        let is_fit = old.to_string() == digits && proof.len() <= PROOF_LINES_MAX;
        is_fit.then(|| Self {
            old,
            proof,
            note: note.to_owned(),
        })
    }

    /// The name of the log that it says it is of: the first line of its note.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.note.split('\n').next().unwrap_or_default()
    }

    /// The checkpoint, if the witness may cosign it: the log signed it, and it continues what the witness has seen.
    ///
    /// # Errors
    /// [`NotWitnessed`], in the order of the specification.
    pub fn check(&self, log: &NoteKey, seen: &Witnessed) -> Result<Checkpoint, NotWitnessed> {
        let read = Checkpoint::read(self.note.as_bytes(), log);
        let checkpoint = read.map_err(|error| match error {
            CheckpointError::Note(error) if error.is_of_key() => NotWitnessed::Key,
            _ => NotWitnessed::Form,
        })?;
        if self.old > checkpoint.size {
            return Err(NotWitnessed::Form);
        }
        let is_other = seen.size == checkpoint.size && seen.root != checkpoint.root;
        if self.old != seen.size || is_other {
            return Err(NotWitnessed::Conflict(seen.size));
        }
        let (old, new) = ((seen.size, &seen.root), (checkpoint.size, &checkpoint.root));
        verify_consistency(old, new, &self.proof).map_err(|_| NotWitnessed::Proof)?;
        Ok(checkpoint)
    }

    /// The text of the note: what is cosigned.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let note = SignedNote::read(self.note.as_bytes()).ok()?;
        Some(note.text().to_owned())
    }
}
