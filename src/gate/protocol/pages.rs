//! What an owner reads of a ticket's log: its entries, each with what proves it.

use serde::Serialize;

use super::{
    Base64, ENTRY_BYTES_MAX, HEAD_BYTES_MAX, Hashes, LoggedEntry, STATEMENT_BYTES_MAX, proof,
};
use crate::crypto::signing::Signature;
use crate::gate::log::Hash;
use crate::json::{Error, Value};

/// The most entries of one page; a page has at most as many as fit into an answer.
const LINES_MAX: usize = 1_024;

/// A part of what was logged of a ticket, in the order of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The entries.
    pub lines: Vec<LogLine>,
    /// Whether there are more behind them.
    pub more: bool,
}

/// An entry of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLine {
    /// It is there.
    Kept {
        /// The entry.
        entry: LoggedEntry,
        /// The head of the request that it is about.
        head: Option<Vec<u8>>,
        /// The signature of whoever asked.
        who: Option<Signature>,
        /// The signature for the item.
        proof: Option<Signature>,
        /// The statement that was taken over.
        statement: Option<Vec<u8>>,
    },
    /// It was erased; the hash that is left shows where it was.
    Erased {
        /// Its number in the log.
        seq: u64,
        /// Its number among the ticket's entries.
        n: u64,
        /// The hash of the leaf.
        leaf: Hash,
        /// Its audit path.
        proof: Vec<Hash>,
    },
}

impl LogLine {
    /// More bytes than it will have as it is written.
    #[must_use]
    pub fn bytes_expected(&self) -> usize {
        let base64 = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, |bytes| bytes.len() * 2);
        match self {
            Self::Kept {
                entry,
                head,
                statement,
                ..
            } => {
                let entry = entry.line.len() * 2 + entry.proof.len() * 48;
                512 + entry + base64(head) + base64(statement)
            }
            Self::Erased { proof, .. } => 256 + proof.len() * 48,
        }
    }

    fn out(&self) -> LogLineOut<'_> {
        match self {
            Self::Kept {
                entry,
                head,
                who,
                proof,
                statement,
            } => LogLineOut {
                entry: Some(Base64(&entry.line)),
                proof: Some(Hashes(&entry.proof)),
                head: head.as_deref().map(Base64),
                who_sig: *who,
                proof_sig: *proof,
                statement: statement.as_deref().map(Base64),
                ..LogLineOut::default()
            },
            Self::Erased {
                seq,
                n,
                leaf,
                proof,
            } => LogLineOut {
                erased: Some(Base64(leaf)),
                seq: Some(*seq),
                n: Some(*n),
                proof: Some(Hashes(proof)),
                ..LogLineOut::default()
            },
        }
    }
}

impl LogPage {
    pub(super) fn lines(&self) -> Vec<LogLineOut<'_>> {
        self.lines.iter().map(LogLine::out).collect()
    }

    pub(super) fn bytes_expected(&self) -> usize {
        let lines = self.lines.iter().map(LogLine::bytes_expected);
        64 + lines.sum::<usize>()
    }
}

/// An entry of a page as it is written.
#[derive(Default, Serialize)]
pub(super) struct LogLineOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    proof: Option<Hashes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    who_sig: Option<Signature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof_sig: Option<Signature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<Base64<'a>>,
}

/// Reads the entries of a page.
pub(super) fn parse(value: Value<'_>) -> Result<LogPage, Error> {
    Ok(LogPage {
        lines: value.array(LINES_MAX, line)?,
        more: false,
    })
}

fn line(value: Value<'_>) -> Result<LogLine, Error> {
    let (mut entry, mut erased, mut seq, mut number, mut path) = (None, None, None, None, None);
    let (mut head, mut who, mut proof_sig, mut statement) = (None, None, None, None);
    value.object(|name, value| {
        match name {
            "entry" => entry = Some(value.base64_up_to(ENTRY_BYTES_MAX)?),
            "erased" => erased = Some(value.base64()?),
            "seq" => seq = Some(value.number()?),
            "n" => number = Some(value.number()?),
            "proof" => path = Some(proof(value)?),
            "head" => head = Some(value.base64_up_to(HEAD_BYTES_MAX)?),
            "who_sig" => who = Some(Signature(value.base64()?)),
            "proof_sig" => proof_sig = Some(Signature(value.base64()?)),
            "statement" => statement = Some(value.base64_up_to(STATEMENT_BYTES_MAX)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    let proof = path.ok_or_else(|| Error::missing("proof"))?;
    let is_bare = head.is_none() && who.is_none() && proof_sig.is_none() && statement.is_none();
    match (entry, erased, seq, number) {
        (Some(line), None, None, None) => Ok(LogLine::Kept {
            entry: LoggedEntry { line, proof },
            head,
            who,
            proof: proof_sig,
            statement,
        }),
        (None, Some(leaf), Some(seq), Some(n)) if is_bare => Ok(LogLine::Erased {
            seq,
            n,
            leaf,
            proof,
        }),
        _ => Err(Error::malformed("neither an entry nor an erased one")),
    }
}
