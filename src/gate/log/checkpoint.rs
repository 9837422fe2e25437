//! Checkpoints (C2SP tlog-checkpoint): how many entries a log has, and the root of their tree, signed by the log.

use super::note::{NoteError, NoteKey, SignedNote, is_key_name};
use super::tree::Hash;
use crate::crypto::signing::SigningKey;
use crate::json;

/// Bytes of an origin.
const ORIGIN_BYTES_MAX: usize = 255;

/// The state of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of its key as well.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

/// Why a text is not a checkpoint of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is not signed by the log.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// What was signed is not a checkpoint.
    #[error("it is not a checkpoint")]
    Form,
    /// It is the checkpoint of another log.
    #[error("it is the checkpoint of another log")]
    Origin,
}

/// Whether a log can be called so: like `gate.example.org/1`, without blanks and `+`.
#[must_use]
pub fn is_origin(text: &str) -> bool {
    text.len() <= ORIGIN_BYTES_MAX && is_key_name(text) && json::is_clean(text)
}

impl Checkpoint {
    /// Signs it; the name of the key is the origin.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        let Self { origin, size, root } = self;
        let text = format!("{origin}\n{size}\n{}\n", json::to_b64(root));
        SignedNote::sign(&text, origin, key).to_text()
    }

    /// Reads the checkpoint of the log with this key, and checks its signature.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn read(note: &[u8], log: &NoteKey) -> Result<Self, CheckpointError> {
        let note = SignedNote::read(note)?;
        note.verify(log)?;
        let checkpoint = Self::parse(note.text()).ok_or(CheckpointError::Form)?;
        match checkpoint.origin == log.name {
            true => Ok(checkpoint),
            false => Err(CheckpointError::Origin),
        }
    }

    /// Extension lines are allowed, and say nothing.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let number: u64 = size.parse().ok()?;
        let is_canonical = number.to_string() == size;
        let root = json::from_b64(root.as_bytes()).ok()?;
        (is_origin(origin) && is_canonical && lines.all(|line| !line.is_empty())).then(|| Self {
            origin: origin.to_owned(),
            size: number,
            root,
        })
    }
}
