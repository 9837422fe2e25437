//! The head of a request: what is asked by whom and when, with each item as a hash. It is kept as evidence, so it names no ticket.

use serde::Serialize;

use super::{Hashes, ITEMS_MAX};
use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::gate::log::Hash;
use crate::identity::{VERSION, known_version};
use crate::json::{Error, Text, Value};
use crate::time::Time;

/// What is asked of a gate, the same for all items of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// The part of a lock's secret.
    Open,
    /// That a statement is taken over.
    State,
    /// What was logged of a ticket.
    Log,
}

impl Op {
    /// The word in heads.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::State => "state",
            Self::Log => "log",
        }
    }

    /// How many items of a request with `items` of them are signed for.
    #[must_use]
    pub const fn proofs(self, items: usize) -> usize {
        match self {
            Self::Open | Self::Log => items,
            // A statement is signed itself, and whoever carries it proves nothing.
            Self::State => 0,
        }
    }
}

/// The head of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What is asked.
    pub op: Op,
    /// The root key of the gate that is asked.
    pub gate: RootId,
    /// When, by the asker's clock.
    pub at: Time,
    /// When, by the gate's clock, if the gate told the asker that the two are apart.
    pub told: Option<Time>,
    /// The root key of whoever asks, who signs the head; `None` for whoever does not say.
    pub who: Option<RootId>,
    /// Whether the asker wants to keep the answer for as long as the lock allows.
    pub keep: bool,
    /// The id of the key that the answer is sealed to.
    pub reply: KeyId,
    /// What each item is: the hash of its salt and its ticket.
    pub items: Vec<Hash>,
}

impl Head {
    /// The head as it is written, without a line feed.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        let line = HeadLine {
            request: VERSION,
            op: self.op.word(),
            gate: self.gate,
            at: self.at,
            told: self.told,
            who: self.who,
            keep: self.keep.then_some(true),
            reply: self.reply,
            items: Hashes(&self.items),
        };
        serde_json::to_vec(&line).expect("it has only texts and lists")
    }

    /// Reads a head, without its line feed.
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(line: &[u8]) -> Result<Self, Error> {
        let (mut version, mut op, mut gate, mut at, mut told) = (None, None, None, None, None);
        let (mut who, mut keep, mut reply, mut items) = (None, false, None, None);
        if line.len() > super::HEAD_BYTES_MAX {
            return Err(Error::over_limit("the head"));
        }
        Text::check(line)?.object(|name, value| {
            match name {
                "request" => version = Some(known_version(value)?),
                "op" => op = Some(known_op(value)?),
                "gate" => gate = Some(RootId(value.base64()?)),
                "at" => at = Some(value.time()?),
                "told" => told = Some(value.time()?),
                "who" => who = Some(RootId(value.base64()?)),
                "keep" => keep = value.is_set().map(|()| true)?,
                "reply" => reply = Some(KeyId(value.base64()?)),
                "items" => items = Some(value.array(ITEMS_MAX, Value::base64)?),
                other => return Err(Error::unknown(other)),
            }
            Ok(())
        })?;
        version.ok_or_else(|| Error::missing("request"))?;
        let items: Vec<Hash> = items.ok_or_else(|| Error::missing("items"))?;
        if items.is_empty() {
            return Err(Error::malformed("`items` is empty"));
        }
        Ok(Self {
            op: op.ok_or_else(|| Error::missing("op"))?,
            gate: gate.ok_or_else(|| Error::missing("gate"))?,
            at: at.ok_or_else(|| Error::missing("at"))?,
            told,
            who,
            keep,
            reply: reply.ok_or_else(|| Error::missing("reply"))?,
            items,
        })
    }
}

#[derive(Serialize)]
struct HeadLine<'a> {
    request: &'static str,
    op: &'static str,
    gate: RootId,
    at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<RootId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<bool>,
    reply: KeyId,
    items: Hashes<'a>,
}

fn known_op(value: Value<'_>) -> Result<Op, Error> {
    let word = value.text(usize::MAX)?;
    let known = [Op::Open, Op::State, Op::Log];
    let op = known.into_iter().find(|op| op.word() == word);
    op.ok_or_else(|| Error::newer(format!("op {word:?}")))
}
