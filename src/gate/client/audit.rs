//! What a log says of a ticket, as far as others than the gate signed it: anybody who has the entries can check it again.

use crate::crypto::kdf::gate as kdf;
use crate::crypto::signing::{Purpose, RootId, Signature};
use crate::envelope::GateLock;
use crate::gate::answering::FRESH_SECONDS;
use crate::gate::protocol::{Entry, EntryOp, Head, LogLine, Op, SignedStatement};
use crate::gate::rules::{Refusal, Statement};
use crate::time::Time;

/// Who vouches for an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// Whoever asked, by the root key that the entry names.
    ByAsker,
    /// Somebody who had opened all other locks, and gave no name.
    ByHolder,
    /// An owner.
    ByOwner,
    /// Nobody but the gate.
    No,
}

/// An entry about a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number among the ticket's entries, from 1.
    pub number: u64,
    /// Its number in the gate's log, from 0.
    pub seq: u64,
    /// What it says; `None` where it was erased.
    pub entry: Option<AuditEntry>,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, by the gate's clock.
    pub at: Time,
    /// What happened.
    pub op: EntryOp,
    /// Who asked, or who made the statement.
    pub who: Option<RootId>,
    /// Why a part was not given out.
    pub reason: Option<Refusal>,
    /// Until when the reader may keep the part.
    pub lease: Option<Time>,
    /// What was stated.
    pub statement: Option<Statement>,
    /// Who vouches for it.
    pub signed: Signed,
}

/// Reads an entry about a lock that a gate logged. Whether it is in its log was checked where it came in.
#[must_use]
pub fn audit_line(line: &LogLine, lock: &GateLock, gate: RootId) -> Option<AuditLine> {
    let (logged, head, who, proof, statement) = match line {
        LogLine::Erased { seq, n, .. } => {
            return Some(AuditLine {
                number: *n,
                seq: *seq,
                entry: None,
            });
        }
        LogLine::Kept {
            entry,
            head,
            who,
            proof,
            statement,
        } => (entry, head, who, proof, statement),
    };
    let entry = Entry::parse(&logged.line).ok()?;
    let stated = statement
        .as_deref()
        .and_then(|bytes| stated(bytes, &entry, lock));
    let signed = match (&stated, head) {
        (Some(_), _) => Signed::ByOwner,
        (None, Some(head)) => asked(&entry, lock, gate, head, (who.as_ref(), proof.as_ref())),
        (None, None) => Signed::No,
    };
    Some(AuditLine {
        number: entry.n?,
        seq: entry.seq,
        entry: Some(AuditEntry {
            at: entry.at,
            op: entry.op,
            who: stated.as_ref().map(SignedStatement::by).or(entry.who),
            reason: entry.reason,
            lease: entry.lease,
            statement: stated.map(|statement| statement.op()),
            signed,
        }),
    })
}

/// The statement of an owner that an entry is about.
fn stated(bytes: &[u8], entry: &Entry, lock: &GateLock) -> Option<SignedStatement> {
    let statement = SignedStatement::parse(bytes).ok()?;
    let is_it = entry.op == EntryOp::Statement && entry.statement == Some(statement.hash());
    (is_it && statement.is_of(lock)).then_some(statement)
}

/// Who signed the request of an entry. The head names the request, and by the item's mark this ticket.
fn asked(
    entry: &Entry,
    lock: &GateLock,
    gate: RootId,
    bytes: &[u8],
    (who, proof): (Option<&Signature>, Option<&Signature>),
) -> Signed {
    let Ok(head) = Head::parse(bytes) else {
        return Signed::No;
    };
    let request = kdf::request_hash(bytes);
    let (Some(item), Some(mark)) = (entry.item, entry.mark) else {
        return Signed::No;
    };
    let commitment = kdf::item_commitment(&mark, &lock.ticket().0);
    let told = head.told.unwrap_or(head.at);
    let is_its = entry.request == Some(request)
        && head.op == Op::Open
        && entry.at.unix().abs_diff(told.unix()) <= FRESH_SECONDS
        && head.gate == gate
        && head.who == entry.who
        && head.items.get(usize::from(item)) == Some(&commitment);
    let is_held = || {
        let message: [&[u8]; 2] = [&request, &item.to_be_bytes()];
        let holder = lock.terms().holder;
        proof.is_some_and(|proof| holder.verify(Purpose::GateProof, &message, proof).is_ok())
    };
    let is_asker =
        |id: RootId| who.is_some_and(|who| id.verify(Purpose::GateRequest, &[bytes], who).is_ok());
    match head.who {
        _ if !is_its => Signed::No,
        Some(id) if is_asker(id) => Signed::ByAsker,
        None if is_held() => Signed::ByHolder,
        _ => Signed::No,
    }
}
