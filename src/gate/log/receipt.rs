//! Receipts (C2SP tlog-proof): that an entry is in a log, in one text that is checked without asking anybody.

use super::checkpoint::{Checkpoint, CheckpointError};
use super::note::NoteKey;
use super::tree::{Hash, PROOF_HASHES_MAX, ProofError, leaf_hash, verify_inclusion};
use crate::json;

const MAGIC: &str = "c2sp.org/tlog-proof@v1";

/// Where an entry is in a log, with the proof and the log's checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The entry's number, from 0.
    pub index: u64,
    /// Its audit path in the tree of the checkpoint.
    pub proof: Vec<Hash>,
    /// The checkpoint, as the log signed it.
    pub checkpoint: String,
}

/// Why a receipt proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is not a receipt.
    #[error("it is not a receipt")]
    Form,
    /// Its checkpoint is not one of the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The entry is not in the log, or the proof does not show it.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Receipt {
    /// The receipt as it is written.
    #[must_use]
    pub fn to_text(&self) -> String {
        let proof = self.proof.iter().map(|hash| json::to_b64(hash) + "\n");
        let proof: String = proof.collect();
        format!(
            "{MAGIC}\nindex {}\n{proof}\n{}",
            self.index, self.checkpoint
        )
    }

    /// Reads a receipt; extra data in it is passed over.
    ///
    /// # Errors
    /// [`ReceiptError::Form`].
    pub fn read(text: &str) -> Result<Self, ReceiptError> {
        Self::parse(text).ok_or(ReceiptError::Form)
    }

    fn parse(text: &str) -> Option<Self> {
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.split('\n').peekable();
        let is_magic = lines.next()? == MAGIC;
        lines.next_if(|line| line.starts_with("extra "));
        let number = lines.next()?.strip_prefix("index ")?;
        let index: u64 = number.parse().ok()?;
        let proof = lines.map(|line| json::from_b64(line.as_bytes()).ok());
        let proof = proof
            .take(PROOF_HASHES_MAX + 1)
            .collect::<Option<Vec<Hash>>>()?;
        let is_short = proof.len() <= PROOF_HASHES_MAX;
        (is_magic && is_short && index.to_string() == number).then(|| Self {
            index,
            proof,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that this entry is in the log with this key, and gives the checkpoint.
    ///
    /// # Errors
    /// [`ReceiptError::Checkpoint`], [`ReceiptError::Proof`].
    pub fn verify(&self, entry: &[u8], log: &NoteKey) -> Result<Checkpoint, ReceiptError> {
        let checkpoint = Checkpoint::read(self.checkpoint.as_bytes(), log)?;
        let place = (self.index, checkpoint.size);
        verify_inclusion(&leaf_hash(entry), place, &self.proof, &checkpoint.root)?;
        Ok(checkpoint)
    }
}
