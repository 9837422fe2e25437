//! One line of a gate's log.

use serde::Serialize;

use super::{Base64, ENTRY_BYTES_MAX, ITEMS_MAX};
use crate::crypto::signing::RootId;
use crate::envelope::Ticket;
use crate::gate::log::Hash;
use crate::gate::rules::Refusal;
use crate::identity::{VERSION, known_version};
use crate::json::{Error, Text, Value};
use crate::time::Time;

/// Bytes of the checkpoint of another log: its own signature and no others.
const BEFORE_BYTES_MAX: usize = 2_048;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryOp {
    /// A part was given out.
    Open,
    /// A part was not given out.
    Refuse,
    /// A statement of an owner was taken over.
    Statement,
    /// The operator blocked somebody.
    Block,
    /// The operator takes a block back.
    Unblock,
    /// Entries were erased.
    Erase,
    /// The log begins.
    Start,
    /// The gate answers nobody until it is thawed.
    Freeze,
    /// The gate answers again.
    Thaw,
    /// The gate has a new card.
    Card,
}

impl EntryOp {
    const ALL: [Self; 10] = [
        Self::Open,
        Self::Refuse,
        Self::Statement,
        Self::Block,
        Self::Unblock,
        Self::Erase,
        Self::Start,
        Self::Freeze,
        Self::Thaw,
        Self::Card,
    ];

    /// The word in entries.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Refuse => "refuse",
            Self::Statement => "statement",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::Erase => "erase",
            Self::Start => "start",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Card => "card",
        }
    }
}

/// One line of a gate's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number in the log, from 0.
    pub seq: u64,
    /// When, by the gate's clock.
    pub at: Time,
    /// 16 random bytes: the hash of an entry that was erased cannot be guessed.
    pub salt: [u8; 16],
    /// What happened.
    pub op: EntryOp,
    /// Which gate lock of which envelope.
    pub ticket: Option<Ticket>,
    /// The how manieth entry of the ticket, from 1.
    pub n: Option<u64>,
    /// Who asked, who made the statement, or who was blocked.
    pub who: Option<RootId>,
    /// The request.
    pub request: Option<Hash>,
    /// The item of the request, from 0.
    pub item: Option<u16>,
    /// The salt of the item, with which the ticket is found in the request's head.
    pub mark: Option<[u8; 16]>,
    /// Why a part was not given out.
    pub reason: Option<Refusal>,
    /// SHA-256 of the statement's line: of the one that was taken over, or that is the reason.
    pub statement: Option<Hash>,
    /// Until when the reader may keep the part.
    pub lease: Option<Time>,
    /// SHA-256 of the new card's text.
    pub card: Option<Hash>,
    /// The last checkpoint of the log before this one.
    pub before: Option<Vec<u8>>,
}

impl Entry {
    /// An entry about nothing yet.
    #[must_use]
    pub fn new(op: EntryOp, at: Time, salt: [u8; 16]) -> Self {
        Self {
            seq: 0,
            at,
            salt,
            op,
            ticket: None,
            n: None,
            who: None,
            request: None,
            item: None,
            mark: None,
            reason: None,
            statement: None,
            lease: None,
            card: None,
            before: None,
        }
    }

    /// The line, whose hash is the leaf; without a line feed.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        let line = EntryLine {
            entry: VERSION,
            seq: self.seq,
            at: self.at,
            salt: Base64(&self.salt),
            op: self.op.word(),
            ticket: self.ticket,
            n: self.n,
            who: self.who,
            request: self.request.as_ref().map(|hash| Base64(hash)),
            item: self.item,
            mark: self.mark.as_ref().map(|mark| Base64(mark)),
            reason: self.reason.map(Refusal::word),
            statement: self.statement.as_ref().map(|hash| Base64(hash)),
            lease: self.lease,
            card: self.card.as_ref().map(|hash| Base64(hash)),
            before: self.before.as_deref().map(Base64),
        };
        serde_json::to_vec(&line).expect("it has only texts and numbers")
    }

    /// Reads a line of a log.
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(line: &[u8]) -> Result<Self, Error> {
        if line.len() > ENTRY_BYTES_MAX {
            return Err(Error::over_limit("the entry"));
        }
        let (mut version, mut seq, mut at, mut salt, mut op) = (None, None, None, None, None);
        let never = Time::from_unix(0).expect("1970 is a year");
        let mut entry = Self::new(EntryOp::Start, never, [0; 16]);
        Text::check(line)?.object(|name, value| {
            match name {
                "entry" => version = Some(known_version(value)?),
                "seq" => seq = Some(value.number()?),
                "at" => at = Some(value.time()?),
                "salt" => salt = Some(value.base64()?),
                "op" => op = Some(known_op(value)?),
                other => entry.take(other, value)?,
            }
            Ok(())
        })?;
        version.ok_or_else(|| Error::missing("entry"))?;
        Ok(Self {
            seq: seq.ok_or_else(|| Error::missing("seq"))?,
            at: at.ok_or_else(|| Error::missing("at"))?,
            salt: salt.ok_or_else(|| Error::missing("salt"))?,
            op: op.ok_or_else(|| Error::missing("op"))?,
            ..entry
        })
    }

    /// Takes a member that not every entry has.
    fn take(&mut self, name: &str, value: Value<'_>) -> Result<(), Error> {
        match name {
            "ticket" => self.ticket = Some(Ticket(value.base64()?)),
            "n" => self.n = Some(value.number()?),
            "who" => self.who = Some(RootId(value.base64()?)),
            "request" => self.request = Some(value.base64()?),
            "item" => self.item = Some(item_number(value)?),
            "mark" => self.mark = Some(value.base64()?),
            "reason" => self.reason = Some(known_reason(value)?),
            "statement" => self.statement = Some(value.base64()?),
            "lease" => self.lease = Some(value.time()?),
            "card" => self.card = Some(value.base64()?),
            "before" => self.before = Some(value.base64_up_to(BEFORE_BYTES_MAX)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct EntryLine<'a> {
    entry: &'static str,
    seq: u64,
    at: Time,
    salt: Base64<'a>,
    op: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<Ticket>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<RootId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Base64<'a>>,
}

fn known_op(value: Value<'_>) -> Result<EntryOp, Error> {
    let word = value.text(usize::MAX)?;
    let op = EntryOp::ALL.into_iter().find(|op| op.word() == word);
    op.ok_or_else(|| Error::newer(format!("op {word:?}")))
}

fn item_number(value: Value<'_>) -> Result<u16, Error> {
    let number = u16::try_from(value.number()?).ok();
    number
        .filter(|number| usize::from(*number) < ITEMS_MAX)
        .ok_or_else(|| Error::malformed("`item` is not 0 to 255"))
}

/// A refusal by its word.
pub(super) fn known_reason(value: Value<'_>) -> Result<Refusal, Error> {
    let word = value.text(usize::MAX)?;
    Refusal::from_word(&word).ok_or_else(|| Error::newer(format!("refusal {word:?}")))
}
