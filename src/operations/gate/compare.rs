//! Two checkpoints of a gate's log compared, by the hashes of its log where the sizes differ.

use super::Gates;
use crate::gate::client::{
    GatePlace, KeptCheckpoint, Lie, LieKind, Tiles, TransportError, contradict,
};
use crate::gate::log::{ProofError, consistency_proof, root, verify_consistency};
use crate::gate::protocol::CHECKPOINT_BYTES_MAX;
use crate::keystore::{GateContact, KeystoreError};

/// How two checkpoints of one log go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// They are of the same entries.
    Same,
    /// The log of one is the beginning of that of the other: the gate has proved it.
    Continues,
    /// The gate's log does not continue both of them: what it signed shows that, and is kept as evidence.
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
    /// Its hashes are signed by nobody: what does not lead to a signed root may come from anybody on the way to it.
    #[error("it gives hashes that do not lead to what it signed")]
    Unproved,
    /// The checkpoint that came is an earlier one, and anybody on the way may have put it there.
    #[error("over a connection without https came an earlier checkpoint than one of these")]
    Earlier,
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
        let place = GatePlace {
            url: gate.card.url().clone(),
            ca: gate.ca.clone(),
        };
        let now = self.checkpoint_now(gate, &place)?;
        for before in [old, new] {
            if let Some(lie) = self.fork(&place, before, &now)? {
                return self.forked(gate, lie);
            }
        }
        Ok(Compared::Continues)
    }

    fn checkpoint_now(
        &self,
        gate: &GateContact,
        place: &GatePlace,
    ) -> Result<KeptCheckpoint, CompareError> {
        let note = self
            .transport
            .fetch(place, "/checkpoint", CHECKPOINT_BYTES_MAX)?;
        let now = KeptCheckpoint::read(&note, gate.card.log_key());
        now.map_err(|_| CompareError::OtherLog)
    }

    /// What shows that the gate's log of now is not that of an earlier checkpoint which went on. The hashes lead to the root of now,
    /// which it signed: so they are those of its log, and so is the root that they give for the earlier size.
    fn fork(
        &self,
        place: &GatePlace,
        before: &KeptCheckpoint,
        now: &KeptCheckpoint,
    ) -> Result<Option<Lie>, CompareError> {
        let lie = |kind| Lie {
            kind,
            ..Lie::two_logs(before, now)
        };
        if contradict(before, now) {
            return Ok(Some(Lie::two_logs(before, now)));
        }
        if now.size < before.size {
            return match place.url.is_https() {
                true => Ok(Some(lie(LieKind::Shorter {
                    before: before.size,
                    now: now.size,
                }))),
                false => Err(CompareError::Earlier),
            };
        }
        if now.size == before.size {
            return Ok(None);
        }
        let tiles = Tiles::new(&*self.transport, place, now.size);
        let then = root(&tiles, before.size)?;
        let proof = match before.size {
            0 => Vec::new(),
            size => consistency_proof(&tiles, size, now.size)?,
        };
        verify_consistency((before.size, &then), (now.size, &now.root), &proof)
            .map_err(|_| CompareError::Unproved)?;
        let is_same = then == before.root;
        Ok((!is_same).then(|| lie(LieKind::Inconsistent(ProofError::Root))))
    }

    fn forked(&self, gate: &GateContact, lie: Lie) -> Result<Compared, CompareError> {
        self.keep_lie(gate, &lie)?;
        Ok(Compared::Forked(lie.kind))
    }
}
