//! One exchange with a witness: it gets the last checkpoint, with the proof that it continues the one that it cosigned before.

use encl::gate::log::{SignedNote, Submission, consistency_proof};

use super::ask::{Place, card, submit};
use crate::store::{Cosigned, Peer, Store, now};

/// The size that a witness tells may have to be tried again: it grew while it was asked by another program of this gate.
const TRIES: u32 = 4;
/// Further apart than that, one of the two clocks is wrong.
const CLOCK_SECONDS_MAX: u64 = 300;

/// What a witness says.
#[derive(Debug)]
pub(super) enum Said {
    /// The log continues what it cosigned before.
    Cosigned(Cosigned),
    /// It has cosigned a checkpoint of this log that is no beginning of it.
    Lost(String),
    /// Nothing that counts, and why.
    Nothing(String),
}

/// Takes over the newer card of a peer, if it has one.
pub(super) fn refresh(store: &mut Store, peer: &mut Peer) -> Result<(), String> {
    let place = Place {
        url: &peer.url,
        ca: peer.ca.as_deref(),
    };
    let card = card(place)?;
    if card.id() != peer.id {
        return Err("another gate is at its address".to_owned());
    }
    if card.serial() < peer.serial {
        return Err("its card is older than the one that is known".to_owned());
    }
    if card.serial() > peer.serial {
        let updated = store.begin().and_then(|mut transaction| {
            let updated = transaction.update_peer(&card)?;
            transaction.commit().map(|()| updated)
        });
        let updated = updated.map_err(|error| error.to_string())?;
        updated.map_err(|refused| refused.to_string())?;
        peer.serial = card.serial();
    }
    peer.log = card.log_key().clone();
    Ok(())
}

/// Asks a peer to cosign.
pub(super) fn ask(store: &mut Store, peer: &Peer) -> Result<Said, rusqlite::Error> {
    let place = Place {
        url: &peer.url,
        ca: peer.ca.as_deref(),
    };
    let mut old = known_size(store, peer)?;
    for _ in 0..TRIES {
        let Some((submission, size)) = submission(store, old)? else {
            return Ok(ahead(old));
        };
        let (status, body) = match submit(place, &submission) {
            Ok(answer) => answer,
            Err(error) => return Ok(Said::Nothing(error)),
        };
        match (status, told_size(&body)) {
            (200, _) => return Ok(cosigned(peer, &submission, size, &body)),
            (409, Some(told)) if told == old && old == size => return Ok(forked(old)),
            (409, Some(told)) if told != old => old = told,
            (422, _) => return Ok(forked(old)),
            (status, _) => return Ok(Said::Nothing(refused(status))),
        }
    }
    Ok(Said::Nothing("it tells another size each time".to_owned()))
}

/// The size that the peer has cosigned last, as far as this gate knows.
fn known_size(store: &mut Store, peer: &Peer) -> rusqlite::Result<u64> {
    let transaction = store.look()?;
    let of_this_log = |cosigned: &&Cosigned| cosigned.origin == transaction.origin();
    let cosigned = peer.cosigned.as_ref().filter(of_this_log);
    Ok(cosigned.map_or(0, |cosigned| cosigned.size))
}

/// The last checkpoint and its size; `None` if the log is shorter than what it has to continue.
fn submission(store: &mut Store, old: u64) -> rusqlite::Result<Option<(Submission, u64)>> {
    let transaction = store.look()?;
    let size = transaction.size();
    if old > size {
        return Ok(None);
    }
    let submission = Submission {
        old,
        proof: consistency_proof(&transaction, old, size)?,
        note: transaction.note().to_owned(),
    };
    Ok(Some((submission, size)))
}

/// The size in the body of a 409.
fn told_size(body: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(body).ok()?.strip_suffix('\n')?;
    let size: u64 = digits.parse().ok()?;
    (size.to_string() == digits).then_some(size)
}

fn cosigned(peer: &Peer, submission: &Submission, size: u64, lines: &[u8]) -> Said {
    let note = [submission.note.as_bytes(), lines].concat();
    let read = SignedNote::read(&note).and_then(|note| note.cosignature(&peer.log));
    let Ok((line, seconds)) = read else {
        return Said::Nothing("its cosignature is none of its key".to_owned());
    };
    let now = now();
    if seconds.abs_diff(now.unix()) > CLOCK_SECONDS_MAX {
        let apart = seconds.abs_diff(now.unix());
        return Said::Nothing(format!(
            "its clock and that of this gate are {apart} s apart"
        ));
    }
    Said::Cosigned(Cosigned {
        origin: submission.origin().to_owned(),
        size,
        line,
        at: now,
    })
}

fn ahead(told: u64) -> Said {
    Said::Lost(format!(
        "it has cosigned {told} entries of this log, which has not so many"
    ))
}

fn forked(old: u64) -> Said {
    Said::Lost(format!(
        "it has cosigned {old} entries of this log that are not the first {old} of it"
    ))
}

fn refused(status: u16) -> String {
    match status {
        403 => "it does not know the log key of this gate yet".to_owned(),
        404 => {
            "it does not watch this log: `encl-gate witness add` has to be run there too".to_owned()
        }
        503 => "it is frozen itself".to_owned(),
        status => format!("it answered with HTTP status {status}"),
    }
}
