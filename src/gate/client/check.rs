//! The checks of an answer: it is the gate's, it belongs to the request, everything it says is logged, and the log continues what was
//! seen of it before.

use super::kept::KeptCheckpoint;
use super::reply::{NoReply, Receipt, Refused, Reply};
use crate::crypto::kdf::gate as kdf;
use crate::crypto::{Kem, hpke};
use crate::envelope::GateLock;
use crate::gate::log::{
    self, CheckpointError, Hash, NoteKey, ProofError, leaf_hash, verify_consistency,
    verify_inclusion,
};
use crate::gate::protocol::{
    Answer, AnswerError, Ask, Entry, EntryOp, ItemAnswer, LogLine, LogPage, LoggedEntry, Pending,
    Said, SignedStatement,
};
use crate::gate::rules::{Refusal, Statement};
use crate::time::Time;

/// Something that a gate signed and that cannot be true, or not together with what it signed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lie {
    /// What is wrong.
    pub kind: LieKind,
    /// The request that was answered.
    pub request: Hash,
    /// The entry that it is about.
    pub entry: Option<Vec<u8>>,
    /// The checkpoints that it is about, as they were signed.
    pub checkpoints: Vec<String>,
    /// The answer as the gate signed it: its line, a line feed and the signature. Only where no part of a secret is in it.
    pub answer: Option<Vec<u8>>,
}

impl Lie {
    /// Two checkpoints of one log that cannot both be true.
    #[must_use]
    pub fn two_logs(one: &KeptCheckpoint, other: &KeptCheckpoint) -> Self {
        Self {
            kind: LieKind::Inconsistent(ProofError::Root),
            request: [0; 32],
            entry: None,
            checkpoints: vec![one.note.clone(), other.note.clone()],
            answer: None,
        }
    }
}

/// In which way an answer cannot be true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LieKind {
    /// It is signed, and for something else.
    #[error("it answered another request")]
    OtherRequest,
    /// It has another number of items.
    #[error("it answered another number of questions")]
    Items,
    /// Its checkpoint is not one of its log.
    #[error("its checkpoint does not hold: {0}")]
    Checkpoint(CheckpointError),
    /// Its log has fewer entries than it had.
    #[error("its log is shorter than it was: {now} entries after {before}")]
    Shorter {
        /// How many it had.
        before: u64,
        /// How many it says now.
        now: u64,
    },
    /// Its log does not continue what it was.
    #[error("its log is another one than before: {0}")]
    Inconsistent(ProofError),
    /// The entry is not about what was asked.
    #[error("the entry in its log is not about this request: {0}")]
    Entry(&'static str),
    /// The entry is not in its log.
    #[error("the entry is not in its log: {0}")]
    NotLogged(ProofError),
    /// Of the entries about a ticket one is missing or doubled.
    #[error("it leaves out entries of its log: number {due} is due, and {found} comes")]
    Gap {
        /// The number that is due.
        due: u64,
        /// The number that came.
        found: u64,
    },
    /// It gave the reader a part that the lock does not know.
    #[error("it answered with a part that the lock does not know")]
    WrongPart,
}

/// What an answer says of the gate's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogNews {
    /// Nothing that could be compared with what is known.
    None,
    /// It continues what is known; this is to be kept.
    Continued(KeptCheckpoint),
    /// The gate has begun a new log: it forgot what it knew. This is to be kept.
    Forgot(KeptCheckpoint),
}

/// An answer that was checked.
pub(super) struct Checked {
    pub(super) replies: Vec<Result<Reply, NoReply>>,
    pub(super) news: LogNews,
}

/// Why there is nothing in an answer that could be used.
pub(super) enum Unusable {
    /// It is none.
    NoAnswer(AnswerError),
    /// The key on the gate's card did not sign it.
    Signature,
    /// All of it was refused, at this time of the gate's clock.
    Refused(Refusal, Time),
    /// It lies.
    Lie(Box<Lie>),
}

/// What was answered to an item, which its entry has to say too.
#[derive(Clone, Copy)]
struct ItemOutcome {
    op: EntryOp,
    reason: Option<Refusal>,
    lease: Option<Time>,
}

/// What an answer is compared with.
pub(super) struct Expected<'a> {
    pub(super) pending: &'a Pending,
    /// The lock of each item, and the position of the gate in it.
    pub(super) locks: Vec<(&'a GateLock, u8)>,
    /// The gate's log, by its card.
    pub(super) log: &'a NoteKey,
    pub(super) kept: Option<&'a KeptCheckpoint>,
}

impl Expected<'_> {
    /// Checks an answer.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<Checked, Unusable> {
        let opened = Answer::open(bytes, self.pending, self.log.key);
        let answer = opened.map_err(|error| match error {
            AnswerError::Signature => Unusable::Signature,
            AnswerError::Request => self.lie(LieKind::OtherRequest, None, &[]),
            error => Unusable::NoAnswer(error),
        })?;
        let (items, note, consistency) = match answer.said {
            Said::Refused(reason) => return Err(Unusable::Refused(reason, answer.at)),
            Said::Items {
                items,
                checkpoint,
                consistency,
            } => (items, checkpoint, consistency),
        };
        if items.len() != self.locks.len() {
            return Err(self.lie(LieKind::Items, None, &[]));
        }
        let shown = || String::from_utf8_lossy(&note).into_owned();
        let now = KeptCheckpoint::read(&note, self.log)
            .map_err(|error| self.lie(LieKind::Checkpoint(error), None, &[shown()]))?;
        let news = self.compare(&now, &consistency)?;
        let mut replies = Vec::with_capacity(items.len());
        for (number, item) in items.into_iter().enumerate() {
            let mut reply = self.item(number, item, &now, answer.at)?;
            if let Err(NoReply::Lied(lie)) = &mut reply {
                lie.answer = self.alone(bytes);
            }
            replies.push(reply);
        }
        Ok(Checked { replies, news })
    }

    fn lie(&self, kind: LieKind, entry: Option<&[u8]>, checkpoints: &[String]) -> Unusable {
        Unusable::Lie(Box::new(Lie {
            kind,
            request: self.pending.hash,
            entry: entry.map(<[u8]>::to_vec),
            checkpoints: checkpoints.to_vec(),
            answer: None,
        }))
    }

    /// Compares the checkpoint with the one that is known. Without a name the gate was not told which that is, and proves nothing.
    fn compare(&self, now: &KeptCheckpoint, consistency: &[Hash]) -> Result<LogNews, Unusable> {
        let Some(kept) = self.kept else {
            return Ok(LogNews::Continued(now.clone()));
        };
        if kept.log.name != now.log.name {
            return Ok(LogNews::Forgot(now.clone()));
        }
        let both = [kept.note.clone(), now.note.clone()];
        if now.size < kept.size {
            let (before, now) = (kept.size, now.size);
            return Err(self.lie(LieKind::Shorter { before, now }, None, &both));
        }
        let is_unknown_to_gate = self.pending.head.who.is_none();
        if is_unknown_to_gate && now.size > kept.size {
            return Ok(LogNews::None);
        }
        let (old, new) = ((kept.size, &kept.root), (now.size, &now.root));
        let consistent = verify_consistency(old, new, consistency);
        consistent.map_err(|error| self.lie(LieKind::Inconsistent(error), None, &both))?;
        Ok(LogNews::Continued(now.clone()))
    }

    fn item(
        &self,
        number: usize,
        answer: ItemAnswer,
        now: &KeptCheckpoint,
        at: Time,
    ) -> Result<Result<Reply, NoReply>, Unusable> {
        let (lock, gate) = self.locks[number];
        Ok(match answer {
            ItemAnswer::Share { part, keep, entry } => {
                let said = ItemOutcome {
                    op: EntryOp::Open,
                    reason: None,
                    lease: keep,
                };
                let receipt = self.of_request(number, said, &entry, now)?;
                // It is kept only if that was asked, and for no longer than the author allows.
                let allowed = lock.terms().lease.filter(|_| self.pending.head.keep);
                let keep = keep.filter(|until| {
                    allowed.is_some_and(|lease| until.unix() <= at.unix() + u64::from(lease))
                });
                match lock.fits(gate, &part) {
                    true => Ok(Reply::Part {
                        gate,
                        part,
                        keep,
                        receipt,
                    }),
                    false => Err(self.wrong_part(&entry, now)),
                }
            }
            ItemAnswer::Refused {
                reason,
                statement,
                entry,
            } => {
                if let Some(entry) = &entry {
                    let said = ItemOutcome {
                        op: EntryOp::Refuse,
                        reason: Some(reason),
                        lease: None,
                    };
                    self.of_request(number, said, entry, now)?;
                }
                let proof = statement.and_then(|bytes| self.proof((reason, at), &bytes, lock));
                let proof = proof.map(Box::new);
                Err(NoReply::Refused(Refused { reason, proof }))
            }
            ItemAnswer::Stated(entry) => Ok(Reply::Stated(self.stated(number, &entry, now)?)),
            ItemAnswer::Log(page) => {
                self.page(number, &page, now)?;
                Ok(Reply::Log(page))
            }
        })
    }

    /// A gate looks at the part in its slot before it answers, so another one is its own doing. All other answers of the request
    /// hold.
    fn wrong_part(&self, entry: &LoggedEntry, now: &KeptCheckpoint) -> NoReply {
        NoReply::Lied(Box::new(Lie {
            kind: LieKind::WrongPart,
            request: self.pending.hash,
            entry: Some(entry.line.clone()),
            checkpoints: vec![now.note.clone()],
            answer: None,
        }))
    }

    /// The answer as the gate signed it, if nothing but one item is in it: the others may have parts that are right.
    fn alone(&self, answer: &[u8]) -> Option<Vec<u8>> {
        if self.locks.len() != 1 {
            return None;
        }
        let (enc, ct) = answer.split_at_checked(Kem::XWing.enc_bytes())?;
        let info = kdf::answer_info(&self.pending.hash);
        let text = hpke::open(&self.pending.reply, enc, &info, ct).ok()?;
        Some(text.to_vec())
    }

    /// An owner's statement that is the reason for a refusal.
    fn proof(
        &self,
        (reason, at): (Refusal, Time),
        bytes: &[u8],
        lock: &GateLock,
    ) -> Option<SignedStatement> {
        let statement = SignedStatement::parse(bytes).ok()?;
        let who = self.pending.head.who;
        let says_so = match (reason, statement.op()) {
            (Refusal::Revoked, Statement::Revoke) => true,
            (Refusal::Expired, Statement::Expire(until)) => until <= at,
            (Refusal::Denied, Statement::Deny(denied)) => Some(denied) == who,
            _ => false,
        };
        (says_so && statement.is_of(lock)).then_some(statement)
    }

    /// An entry that was made for an item of this request.
    fn of_request(
        &self,
        number: usize,
        said: ItemOutcome,
        logged: &LoggedEntry,
        now: &KeptCheckpoint,
    ) -> Result<Receipt, Unusable> {
        let (entry, receipt) = self.logged(logged, now)?;
        let item = &self.pending.items[number];
        let what = match () {
            () if entry.op != said.op => "it says something else",
            () if entry.reason != said.reason => "the reason",
            () if entry.lease != said.lease => "the lease",
            () if entry.ticket != Some(item.ticket()) => "the ticket",
            () if entry.request != Some(self.pending.hash) => "the request",
            () if entry.item.map(usize::from) != Some(number) => "the item",
            () if entry.mark != Some(item.salt) => "the mark",
            () if entry.who != self.pending.head.who => "who asked",
            () if entry.n.is_none() => "it has no number",
            () => return Ok(receipt),
        };
        Err(self.lie(
            LieKind::Entry(what),
            Some(&logged.line),
            std::slice::from_ref(&now.note),
        ))
    }

    /// The entry of a statement, which may be older than this request.
    fn stated(
        &self,
        number: usize,
        logged: &LoggedEntry,
        now: &KeptCheckpoint,
    ) -> Result<Receipt, Unusable> {
        let (entry, receipt) = self.logged(logged, now)?;
        let item = &self.pending.items[number];
        let hash = match &item.ask {
            Ask::State { statement } => SignedStatement::parse(statement).ok(),
            _ => None,
        };
        let hash = hash.map(|statement| statement.hash());
        let what = match () {
            () if entry.op != EntryOp::Statement => "it says something else",
            () if entry.ticket != Some(item.ticket()) => "the ticket",
            () if entry.statement.is_none() || entry.statement != hash => "the statement",
            () => return Ok(receipt),
        };
        Err(self.lie(
            LieKind::Entry(what),
            Some(&logged.line),
            std::slice::from_ref(&now.note),
        ))
    }

    /// Entries of the ticket, in order and without a gap.
    fn page(&self, number: usize, page: &LogPage, now: &KeptCheckpoint) -> Result<(), Unusable> {
        let item = &self.pending.items[number];
        let from = match item.ask {
            Ask::Log { from, .. } => from.max(1),
            _ => 1,
        };
        let notes = std::slice::from_ref(&now.note);
        for (due, line) in (from..).zip(&page.lines) {
            let found = match line {
                LogLine::Kept { entry: logged, .. } => {
                    let (entry, _) = self.logged(logged, now)?;
                    if entry.ticket != Some(item.ticket()) {
                        let kind = LieKind::Entry("the ticket");
                        return Err(self.lie(kind, Some(&logged.line), notes));
                    }
                    entry.n.unwrap_or(0)
                }
                LogLine::Erased {
                    seq,
                    n,
                    leaf,
                    proof,
                } => {
                    let included = verify_inclusion(leaf, (*seq, now.size), proof, &now.root);
                    included.map_err(|error| self.lie(LieKind::NotLogged(error), None, notes))?;
                    *n
                }
            };
            if found != due {
                return Err(self.lie(LieKind::Gap { due, found }, None, notes));
            }
        }
        Ok(())
    }

    /// An entry that is in the log.
    fn logged(
        &self,
        logged: &LoggedEntry,
        now: &KeptCheckpoint,
    ) -> Result<(Entry, Receipt), Unusable> {
        let lie = |kind| self.lie(kind, Some(&logged.line), std::slice::from_ref(&now.note));
        let entry = Entry::parse(&logged.line);
        let entry = entry.map_err(|_| lie(LieKind::Entry("it cannot be read")))?;
        let place = (entry.seq, now.size);
        let included = verify_inclusion(&leaf_hash(&logged.line), place, &logged.proof, &now.root);
        included.map_err(|error| lie(LieKind::NotLogged(error)))?;
        let receipt = Receipt {
            entry: logged.line.clone(),
            place: log::Receipt {
                index: entry.seq,
                proof: logged.proof.clone(),
                checkpoint: now.note.clone(),
            },
        };
        Ok((entry, receipt))
    }
}
