//! The keys that a gate answers with. The root key is not among them: it may lie elsewhere.

use crate::crypto::signing::{RootId, SigningKey};
use crate::crypto::{KeyId, PrivateKey};
use crate::gate::log::{Checkpoint, NoteKey};

/// The keys that a gate answers with.
pub struct GateKeys {
    /// The root key's public half, by which locks and requests name the gate.
    pub id: RootId,
    /// Signs answers and checkpoints.
    pub log: SigningKey,
    /// The log that is written.
    pub origin: String,
    /// The keys that signed checkpoints of this log before.
    pub former: Vec<RootId>,
    /// The KEM keys, each beside its id; the old ones too.
    pub kem: Vec<(KeyId, PrivateKey)>,
}

impl GateKeys {
    /// The private key with this id.
    #[must_use]
    pub fn kem_key(&self, id: KeyId) -> Option<&PrivateKey> {
        let mut keys = self.kem.iter();
        keys.find(|(known, _)| *known == id).map(|(_, key)| key)
    }

    /// What others know the log by.
    #[must_use]
    pub fn note_key(&self) -> NoteKey {
        self.with(self.log.id())
    }

    fn with(&self, key: RootId) -> NoteKey {
        NoteKey {
            name: self.origin.clone(),
            key,
        }
    }

    /// Reads a checkpoint that this gate signed of this log, now or with a former key. What others made up is nothing.
    pub(super) fn own_checkpoint(&self, note: &[u8]) -> Option<Checkpoint> {
        let own = std::iter::once(self.log.id());
        let mut keys = own.chain(self.former.iter().copied());
        keys.find_map(|key| Checkpoint::read(note, &self.with(key)).ok())
    }
}
