//! What is remembered of a gate's log: the latest checkpoint that was seen.

use crate::gate::log::{Checkpoint, CheckpointError, Hash, NoteKey};

/// A checkpoint of a gate's log that was checked, and that continues all that were seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCheckpoint {
    /// The key that signed it, and the log's origin.
    pub log: NoteKey,
    /// How many entries the log had.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// The note, as the gate signed it.
    pub note: String,
}

impl KeptCheckpoint {
    /// Reads the checkpoint of a log, and checks its signature.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn read(note: &[u8], log: &NoteKey) -> Result<Self, CheckpointError> {
        let checkpoint = Checkpoint::read(note, log)?;
        Ok(Self {
            log: log.clone(),
            size: checkpoint.size,
            root: checkpoint.root,
            note: String::from_utf8_lossy(note).into_owned(),
        })
    }
}

/// Whether two checkpoints cannot both be of one honest log: the same log had the same size and another root. A log that has a new
/// key is the same.
#[must_use]
pub fn contradict(one: &KeptCheckpoint, other: &KeptCheckpoint) -> bool {
    one.log.name == other.log.name && one.size == other.size && one.root != other.root
}
