//! What a gate answers to one item of a request.

use serde::Serialize;
use zeroize::Zeroizing;

use super::entry::known_reason;
use super::pages::{LogLineOut, LogPage};
use super::{Base64, ENTRY_BYTES_MAX, Hashes, Op, STATEMENT_BYTES_MAX, pages, proof};
use crate::gate::log::Hash;
use crate::gate::rules::Refusal;
use crate::json::{Error, Value};
use crate::time::Time;

/// Bytes of a part: a secret, or a share with its number.
const PART_BYTES: [usize; 2] = [32, 33];

/// A line of the log, and the proof that it is in the tree of the answer's checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// The entry as it is in the log.
    pub line: Vec<u8>,
    /// Its audit path.
    pub proof: Vec<Hash>,
}

/// What a gate answers to one item.
#[derive(Debug, PartialEq, Eq)]
pub enum ItemAnswer {
    /// The secret, or a share of it.
    Share {
        /// It.
        part: Zeroizing<Vec<u8>>,
        /// Until when it may be kept, if that was asked and is allowed.
        keep: Option<Time>,
        /// That it was given out.
        entry: LoggedEntry,
    },
    /// The item is refused.
    Refused {
        /// Why.
        reason: Refusal,
        /// The statement of an owner that is the reason.
        statement: Option<Vec<u8>>,
        /// That it was refused; not every refusal is logged.
        entry: Option<LoggedEntry>,
    },
    /// The statement was taken over, now or before.
    Stated(LoggedEntry),
    /// What was logged of the ticket.
    Log(LogPage),
}

impl ItemAnswer {
    /// A refusal that is not logged.
    #[must_use]
    pub fn refused(reason: Refusal) -> Self {
        Self::Refused {
            reason,
            statement: None,
            entry: None,
        }
    }

    /// More bytes than it will have as it is written.
    pub(super) fn bytes_expected(&self) -> usize {
        let of_entry = |entry: &LoggedEntry| entry.line.len() * 2 + entry.proof.len() * 48 + 64;
        match self {
            Self::Share { entry, .. } => 256 + of_entry(entry),
            Self::Refused {
                statement, entry, ..
            } => {
                let statement = statement.as_ref().map_or(0, Vec::len);
                256 + statement * 2 + entry.as_ref().map_or(0, of_entry)
            }
            Self::Stated(entry) => 64 + of_entry(entry),
            Self::Log(page) => page.bytes_expected(),
        }
    }

    /// How it is written.
    pub(super) fn line(&self) -> ItemLine<'_> {
        match self {
            Self::Share { part, keep, entry } => ItemLine {
                share: Some(Base64(part)),
                keep: *keep,
                ..ItemLine::logged(Some(entry))
            },
            Self::Refused {
                reason,
                statement,
                entry,
            } => ItemLine {
                refused: Some(reason.word()),
                statement: statement.as_deref().map(Base64),
                ..ItemLine::logged(entry.as_ref())
            },
            Self::Stated(entry) => ItemLine::logged(Some(entry)),
            Self::Log(page) => ItemLine {
                entries: Some(page.lines()),
                more: page.more.then_some(true),
                ..ItemLine::default()
            },
        }
    }
}

/// An answer to an item as it is written.
#[derive(Default, Serialize)]
pub(super) struct ItemLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Hashes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<LogLineOut<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
}

impl<'a> ItemLine<'a> {
    fn logged(entry: Option<&'a LoggedEntry>) -> Self {
        Self {
            entry: entry.map(|entry| Base64(&entry.line)),
            proof: entry.map(|entry| Hashes(&entry.proof)),
            ..Self::default()
        }
    }
}

/// The members of an answer to an item.
#[derive(Default)]
struct Members {
    share: Option<Zeroizing<Vec<u8>>>,
    keep: Option<Time>,
    refused: Option<Refusal>,
    statement: Option<Vec<u8>>,
    entry: Option<Vec<u8>>,
    proof: Option<Vec<Hash>>,
    page: Option<LogPage>,
    more: bool,
}

/// Reads the answer to an item of a request with this op.
pub(super) fn answer_item(value: Value<'_>, op: Op) -> Result<ItemAnswer, Error> {
    let mut members = Members::default();
    value.object(|name, value| members.take(name, value, op))?;
    let entry = match (members.entry, members.proof) {
        (Some(line), Some(proof)) => Some(LoggedEntry { line, proof }),
        (None, None) => None,
        _ => {
            return Err(Error::malformed(
                "an entry without a proof, or a proof alone",
            ));
        }
    };
    let (share, refused, page) = (members.share, members.refused, members.page);
    let is_plain = members.keep.is_none() && members.statement.is_none();
    let answer = match (op, share, refused, entry, page) {
        (Op::Open, Some(part), None, Some(entry), None) if members.statement.is_none() => {
            ItemAnswer::Share {
                part,
                keep: members.keep,
                entry,
            }
        }
        (_, None, Some(reason), entry, None) if members.keep.is_none() => ItemAnswer::Refused {
            reason,
            statement: members.statement,
            entry,
        },
        (Op::State, None, None, Some(entry), None) if is_plain => ItemAnswer::Stated(entry),
        (Op::Log, None, None, None, Some(page)) if is_plain => {
            return Ok(ItemAnswer::Log(LogPage {
                more: members.more,
                ..page
            }));
        }
        _ => return Err(Error::malformed("an answer that fits no item")),
    };
    match members.more {
        true => Err(Error::malformed("`more` of something that is not a log")),
        false => Ok(answer),
    }
}

impl Members {
    fn take(&mut self, name: &str, value: Value<'_>, op: Op) -> Result<(), Error> {
        match (op, name) {
            (Op::Open, "share") => {
                self.share = Some(Zeroizing::new(value.base64_of(&PART_BYTES)?));
            }
            (Op::Open, "keep") => self.keep = Some(value.time()?),
            (_, "refused") => self.refused = Some(known_reason(value)?),
            (Op::Open, "statement") => {
                self.statement = Some(value.base64_up_to(STATEMENT_BYTES_MAX)?);
            }
            (Op::Open | Op::State, "entry") => {
                self.entry = Some(value.base64_up_to(ENTRY_BYTES_MAX)?);
            }
            (Op::Open | Op::State, "proof") => self.proof = Some(proof(value)?),
            (Op::Log, "entries") => self.page = Some(pages::parse(value)?),
            (Op::Log, "more") => self.more = value.is_set().map(|()| true)?,
            (_, other) => return Err(Error::unknown(other)),
        }
        Ok(())
    }
}
