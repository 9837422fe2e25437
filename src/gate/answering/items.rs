//! The decision about one item, inside of the transaction.

use zeroize::Zeroizing;

use super::prepare::PreparedItem;
use super::{Ledger, Moment, Outcome, OutcomeKey, Row, pages};
use crate::crypto::sha256;
use crate::crypto::signing::{RootId, Signature};
use crate::envelope::{GateLock, PUBLIC_BLIND};
use crate::gate::log::Hash;
use crate::gate::protocol::{Entry, EntryOp, Request, SignedStatement};
use crate::gate::rules::{self, Asker, Refusal, TicketState};
use crate::time::Time;

/// What was decided about an item; entries are named by their numbers.
pub(super) enum DecidedItem {
    Refused {
        reason: Refusal,
        statement: Option<Vec<u8>>,
        entry: Option<u64>,
    },
    Share {
        part: Zeroizing<Vec<u8>>,
        keep: Option<Time>,
        entry: u64,
    },
    Stated(u64),
    Log {
        rows: Vec<Row>,
        more: bool,
    },
}

impl DecidedItem {
    fn refused(reason: Refusal) -> Self {
        Self::Refused {
            reason,
            statement: None,
            entry: None,
        }
    }
}

/// Which item it is, of which request.
pub(super) struct Place<'a> {
    pub(super) request: &'a Request,
    pub(super) number: u16,
    /// The authors all of whose envelopes are blocked.
    pub(super) authors: &'a [RootId],
    /// How many bytes of logs the answer still has room for.
    pub(super) room: &'a mut usize,
}

impl Place<'_> {
    fn key(&self, outcome: Outcome) -> OutcomeKey {
        OutcomeKey {
            request: self.request.hash,
            item: Some(self.number),
            outcome,
        }
    }

    /// An entry about this item.
    fn entry(&self, op: EntryOp, lock: crate::envelope::Ticket, moment: &mut Moment<'_>) -> Entry {
        Entry {
            ticket: Some(lock),
            who: self.request.head.who,
            request: Some(self.request.hash),
            item: Some(self.number),
            mark: Some(self.request.items[usize::from(self.number)].salt),
            ..moment.entry(op)
        }
    }

    /// The signature for an item that was logged.
    pub(super) fn signature(bytes: &[u8], at: usize) -> Option<Signature> {
        let (all, _) = bytes.as_chunks::<{ Signature::BYTES }>();
        all.get(at).map(|bytes| Signature(*bytes))
    }
}

pub(super) fn decide<L: Ledger>(
    item: &PreparedItem,
    place: &mut Place<'_>,
    ledger: &mut L,
    moment: &mut Moment<'_>,
) -> Result<DecidedItem, L::Error> {
    match item {
        PreparedItem::Refused(refusal) => Ok(DecidedItem::refused(*refusal)),
        PreparedItem::Open {
            lock,
            has_pass,
            part,
        } => {
            let part = part.as_ref().map(|part| &part[..]);
            open(lock, (*has_pass, part), place, ledger, moment)
        }
        PreparedItem::State(statement) => state(statement, place, ledger, moment),
        PreparedItem::Log { lock, by, from } => {
            if ledger.is_blocked(*by)? {
                return Ok(DecidedItem::refused(Refusal::Unknown));
            }
            let (rows, more) = pages::read(ledger, lock.ticket(), *from, place.room)?;
            Ok(DecidedItem::Log { rows, more })
        }
    }
}

fn open<L: Ledger>(
    lock: &GateLock,
    (has_pass, part): (bool, Option<&[u8]>),
    place: &Place<'_>,
    ledger: &mut L,
    moment: &mut Moment<'_>,
) -> Result<DecidedItem, L::Error> {
    let (terms, who) = (lock.terms(), place.request.head.who);
    let asker = Asker {
        who,
        is_blocked: place
            .authors
            .iter()
            .any(|author| lock.is_owner(*author, &PUBLIC_BLIND)),
        is_holder: true, // what is prepared was proved
        has_pass,
    };
    let state = ledger.state(lock.ticket(), who)?;
    let has_list = terms.members.is_some();
    let decision = rules::decide(&asker, has_list, &state, terms.conditions, moment.now);
    match (decision, part) {
        (Err(Refusal::Unknown), _) => Ok(DecidedItem::refused(Refusal::Unknown)),
        (Err(refusal), _) => {
            let is_stated =
                refusal != Refusal::Expired || state.until.is_some_and(|until| moment.now >= until);
            refuse(lock, (refusal, is_stated), place, ledger, moment)
        }
        (Ok(()), None) => Ok(DecidedItem::refused(Refusal::Broken)),
        (Ok(()), Some(part)) => {
            let keep = kept_until(lock, &state, place, moment.now);
            give(lock, (part, keep), place, ledger, moment)
        }
    }
}

/// Until when the asker may keep the part, if that was asked: for the lease, but not longer than the part is given out.
fn kept_until(lock: &GateLock, state: &TicketState, place: &Place<'_>, now: Time) -> Option<Time> {
    let lease = lock.terms().lease.filter(|_| place.request.head.keep)?;
    let until = Time::from_unix(now.unix() + u64::from(lease))?;
    let ends = lock
        .terms()
        .conditions
        .expires
        .into_iter()
        .chain(state.until);
    ends.chain([until]).min()
}

/// The part is given out, and an entry says so; a request that comes again gets the entry that it has.
fn give<L: Ledger>(
    lock: &GateLock,
    (part, keep): (&[u8], Option<Time>),
    place: &Place<'_>,
    ledger: &mut L,
    moment: &mut Moment<'_>,
) -> Result<DecidedItem, L::Error> {
    let key = place.key(Outcome::Open);
    let (entry, keep) = if let Some((seq, entry)) = logged(ledger, &key)? {
        (seq, entry.lease)
    } else {
        let entry = Entry {
            lease: keep,
            ..place.entry(EntryOp::Open, lock.ticket(), moment)
        };
        let seq = ledger.append(entry)?;
        ledger.keep_outcome(&key, seq, place.request)?;
        (seq, keep)
    };
    Ok(DecidedItem::Share {
        part: Zeroizing::new(part.to_vec()),
        keep,
        entry,
    })
}

/// The entry for an outcome, if it is there and was not erased.
fn logged<L: Ledger>(ledger: &L, key: &OutcomeKey) -> Result<Option<(u64, Entry)>, L::Error> {
    let Some(seq) = ledger.outcome(key)? else {
        return Ok(None);
    };
    let line = ledger.line(seq)?;
    let entry = line.and_then(|line| Entry::parse(&line).ok());
    Ok(entry.map(|entry| (seq, entry)))
}

fn refuse<L: Ledger>(
    lock: &GateLock,
    (reason, is_stated): (Refusal, bool),
    place: &Place<'_>,
    ledger: &mut L,
    moment: &mut Moment<'_>,
) -> Result<DecidedItem, L::Error> {
    let who = place.request.head.who;
    let statement = match is_stated {
        true => ledger.reason(lock.ticket(), reason, who)?,
        false => None,
    };
    let key = place.key(Outcome::Refused(reason));
    let entry = match logged(ledger, &key)? {
        Some((seq, _)) => Some(seq),
        None if !(moment.may_log)(who) => None,
        None => {
            let entry = Entry {
                reason: Some(reason),
                statement: statement.as_deref().and_then(line_hash),
                ..place.entry(EntryOp::Refuse, lock.ticket(), moment)
            };
            let seq = ledger.append(entry)?;
            ledger.keep_outcome(&key, seq, place.request)?;
            Some(seq)
        }
    };
    Ok(DecidedItem::Refused {
        reason,
        statement,
        entry,
    })
}

/// The hash of the line of a statement that was taken over, whose signature was checked then.
fn line_hash(statement: &[u8]) -> Option<Hash> {
    let (line, _) = statement.split_last_chunk::<{ Signature::BYTES }>()?;
    Some(sha256(&[line.strip_suffix(b"\n")?]))
}

fn state<L: Ledger>(
    statement: &SignedStatement,
    place: &Place<'_>,
    ledger: &mut L,
    moment: &mut Moment<'_>,
) -> Result<DecidedItem, L::Error> {
    if ledger.is_blocked(statement.by())? {
        return Ok(DecidedItem::refused(Refusal::Unknown));
    }
    let hash = statement.hash();
    if let Some(seq) = ledger.stated(&hash)? {
        return Ok(DecidedItem::Stated(seq));
    }
    if ledger.state_statement(statement)?.is_err() {
        return Ok(DecidedItem::refused(Refusal::Limit));
    }
    let entry = Entry {
        who: Some(statement.by()),
        statement: Some(hash),
        ..place.entry(EntryOp::Statement, statement.ticket(), moment)
    };
    let seq = ledger.append(entry)?;
    ledger.keep_statement(statement, seq, place.request)?;
    Ok(DecidedItem::Stated(seq))
}
