//! Two checkpoints of a gate's log compared, by the hashes of its log where the sizes differ.

use super::Gates;
use crate::gate::client::{
    GatePlace, KeptCheckpoint, Lie, LieKind, Tiles, TransportError, contradict,
};
use crate::gate::log::{consistency_proof, verify_consistency};
use crate::gate::protocol::CHECKPOINT_BYTES_MAX;
use crate::keystore::{GateContact, KeystoreError};

/// How two checkpoints of one log go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// They are of the same entries.
    Same,
    /// The log of one is the beginning of that of the other: the gate has proved it.
    Continues,
    /// They cannot both be true, or the gate does not prove that they are. Both are kept as evidence.
    Forked(LieKind),
}

/// Why two checkpoints of different sizes were not compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The gate is not asked: this machine does not know it as it is.
    #[error("this machine does not know the gate as it is, so it is not asked")]
    NotKnown,
    /// It was not reached.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// It has begun a new log, and proves nothing about the old one.
    #[error("it does not keep that log any more, and has begun a new one")]
    OtherLog,
    /// The evidence cannot be kept.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
}

impl Gates<'_> {
    /// Compares two checkpoints that a gate signed. Where their sizes differ, the gate is asked for hashes of its log, which everybody
    /// may fetch: it does not learn who asks.
    ///
    /// # Errors
    /// [`CompareError`].
    pub fn compare(
        &self,
        gate: &GateContact,
        (one, other): (&KeptCheckpoint, &KeptCheckpoint),
    ) -> Result<Compared, CompareError> {
        if contradict(one, other) {
            return self.forked(gate, Lie::two_logs(one, other));
        }
        if one.size == other.size {
            return Ok(Compared::Same);
        }
        let (old, new) = match one.size < other.size {
            true => (one, other),
            false => (other, one),
        };
        if !self.known.iter().any(|known| known == gate) {
            return Err(CompareError::NotKnown);
        }
        match self.proof(gate, old, new)? {
            Some(lie) => self.forked(gate, lie),
            None => Ok(Compared::Continues),
        }
    }

    /// What keeps the gate from proving that its log went on.
    fn proof(
        &self,
        gate: &GateContact,
        old: &KeptCheckpoint,
        new: &KeptCheckpoint,
    ) -> Result<Option<Lie>, CompareError> {
        let place = GatePlace {
            url: gate.card.url().clone(),
            ca: gate.ca.clone(),
        };
        let note = self
            .transport
            .fetch(&place, "/checkpoint", CHECKPOINT_BYTES_MAX)?;
        let now = KeptCheckpoint::read(&note, gate.card.log_key());
        let now = now.map_err(|_| CompareError::OtherLog)?;
        if now.size < new.size {
            let (before, now_size) = (new.size, now.size);
            return Ok(Some(Lie {
                kind: LieKind::Shorter {
                    before,
                    now: now_size,
                },
                ..Lie::two_logs(new, &now)
            }));
        }
        let tiles = Tiles::new(&*self.transport, &place, new.size);
        let proof = match old.size {
            0 => Vec::new(),
            size => consistency_proof(&tiles, size, new.size)?,
        };
        let proved = verify_consistency((old.size, &old.root), (new.size, &new.root), &proof);
        Ok(proved.err().map(|error| Lie {
            kind: LieKind::Inconsistent(error),
            ..Lie::two_logs(old, new)
        }))
    }

    fn forked(&self, gate: &GateContact, lie: Lie) -> Result<Compared, CompareError> {
        self.keep_lie(gate, &lie)?;
        Ok(Compared::Forked(lie.kind))
    }
}
