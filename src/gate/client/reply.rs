//! What a gate said to a question, after all checks.

use zeroize::Zeroizing;

use super::check::Lie;
use super::transport::TransportError;
use crate::gate::log;
use crate::gate::protocol::{LogPage, SignedStatement};
use crate::gate::rules::Refusal;
use crate::time::Time;

/// That an entry is in a gate's log: to be kept, and checked by anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The entry, as it is in the log.
    pub entry: Vec<u8>,
    /// Where it is, with the proof and the checkpoint.
    pub place: log::Receipt,
}

impl Receipt {
    /// The receipt as it is kept in a file: the entry in a line, then a C2SP tlog-proof.
    #[must_use]
    pub fn to_text(&self) -> Vec<u8> {
        [
            &self.entry,
            b"\n".as_slice(),
            self.place.to_text().as_bytes(),
        ]
        .concat()
    }

    /// Reads what [`Receipt::to_text`] wrote; `None` for anything else. Nothing of it is checked.
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let end = text.iter().position(|byte| *byte == b'\n')?;
        let place = std::str::from_utf8(&text[end + 1..]).ok()?;
        Some(Self {
            entry: text[..end].to_vec(),
            place: log::Receipt::read(place).ok()?,
        })
    }
}

/// What a gate answered.
#[derive(Debug)]
pub enum Reply {
    /// The lock's secret, or the gate's share of it: it fits the lock.
    Part {
        /// The gate's position in the lock.
        gate: u8,
        /// It.
        part: Zeroizing<Vec<u8>>,
        /// Until when it may be kept.
        keep: Option<Time>,
        /// That it was given out.
        receipt: Receipt,
    },
    /// The statement is known to the gate.
    Stated(Receipt),
    /// A part of what was logged of the ticket: each entry is in the log of this checkpoint.
    Log(LogPage),
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why, in the gate's word.
    pub reason: Refusal,
    /// The owner's statement that says so; `None`: only the gate says it.
    pub proof: Option<Box<SignedStatement>>,
}

/// Why a gate gave no answer.
#[derive(Debug, Clone)]
pub enum NoReply {
    /// It refused.
    Refused(Refused),
    /// It was not reached.
    Unreachable(TransportError),
    /// What came back is no answer of the gate: in words.
    NoAnswer(String),
    /// It said something that cannot be true.
    Lied(Box<Lie>),
}
