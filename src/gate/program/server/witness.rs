//! What others may see of the log, and what this gate does as a witness of others.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use encl::gate::answering::GateKeys;
use encl::gate::log::{Checkpoint, NotWitnessed, Submission, Tile, cosign};

use super::engine::Engine;
use crate::store::{Frozen, Store, Tx, now};

/// What becomes of a checkpoint that a log hands over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Witnessing {
    /// The signature line.
    Cosigned(String),
    Refused(NotWitnessed),
    /// Nobody has told this gate to watch such a log.
    UnknownLog,
    /// This gate has lost entries itself, or has no database.
    Unable,
}

impl Engine {
    /// The hashes of a tile; `None` if the log is not so long.
    pub(super) fn tile(&self, tile: &Tile) -> rusqlite::Result<Option<Vec<u8>>> {
        self.with_store(|store| {
            let transaction = store.look()?;
            match tile.in_tree(transaction.size()) {
                Some((level, first)) => transaction.hashes((level, first), tile.width()).map(Some),
                None => Ok(None),
            }
        })
    }

    /// Cosigns the checkpoint of a peer, if it continues the last one. What was seen is on the disk before it is signed.
    pub(super) fn witness(&self, submission: &Submission) -> Witnessing {
        let keys = self.shared.keys();
        let done = self.with_store(|store| witnessing(store, submission, &keys));
        let done = done.unwrap_or(Witnessing::Unable);
        if matches!(
            done,
            Witnessing::UnknownLog | Witnessing::Refused(NotWitnessed::Key)
        ) {
            // A peer with a new key or a new log has a newer card.
            self.wanted.store(true, Ordering::Relaxed);
        }
        done
    }

    /// Does something with the database, beside the writer.
    fn with_store<T>(
        &self,
        job: impl FnOnce(&mut Store) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut store = match reader.take().filter(Store::is_there) {
            Some(store) => store,
            None => Store::open(&self.dir.database())?,
        };
        let done = job(&mut store)?;
        *reader = Some(store);
        Ok(done)
    }
}

/// Looks first, so that whoever sends nonsense, or the same again, does not hold up the writer; what counts is what is there when it
/// is remembered.
fn witnessing(
    store: &mut Store,
    submission: &Submission,
    keys: &GateKeys,
) -> rusqlite::Result<Witnessing> {
    let looked = judged(&store.look()?, submission, keys)?;
    match looked {
        Err(refused) => return Ok(refused),
        Ok(Judged { is_seen: true, .. }) => {}
        Ok(_) => {
            let mut transaction = store.begin()?;
            match judged(&transaction, submission, keys)? {
                Ok(judged) => transaction.set_witnessed(&judged.checkpoint)?,
                Err(refused) => return Ok(refused),
            }
            transaction.commit()?;
        }
    }
    // What was written to a file that nobody will find again is not remembered.
    let (true, Some(text)) = (store.is_there(), submission.text()) else {
        return Ok(Witnessing::Unable);
    };
    Ok(Witnessing::Cosigned(cosign(
        &text,
        &keys.origin,
        &keys.log,
        now(),
    )))
}

/// A checkpoint that may be cosigned.
struct Judged {
    checkpoint: Checkpoint,
    /// It is the one that was cosigned last.
    is_seen: bool,
}

/// The checkpoint, if it may be cosigned.
fn judged(
    transaction: &Tx<'_>,
    submission: &Submission,
    keys: &GateKeys,
) -> rusqlite::Result<Result<Judged, Witnessing>> {
    let Some(log) = transaction.log_of_peer(submission.origin())? else {
        return Ok(Err(Witnessing::UnknownLog));
    };
    let seen = transaction.witnessed(&log.name)?;
    let checkpoint = match submission.check(&log, &seen) {
        Ok(checkpoint) => checkpoint,
        Err(refused) => return Ok(Err(Witnessing::Refused(refused))),
    };
    let is_able = transaction.frozen() != Frozen::Loss && transaction.origin() == keys.origin;
    let is_seen = (checkpoint.size, checkpoint.root) == (seen.size, seen.root);
    Ok(match is_able {
        true => Ok(Judged {
            checkpoint,
            is_seen,
        }),
        false => Err(Witnessing::Unable),
    })
}
