//! `gate-sealed/TICKET`: what the user sealed with a gate, and what was said to gates about it.
//!
//! Whoever sent the only copy away can still revoke it: the first line has all that a gate must be told. Each further line is a
//! statement, kept as long as the record, since a gate that was restored from a backup must hear it again.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::super::{Keystore, KeystoreError, Readable, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::envelope::{EnvelopeId, GateLock, Ticket};
use crate::gate::protocol::{STATEMENT_BYTES_MAX, SignedStatement};
use crate::gate::rules::Statement;
use crate::json::{self, Error, Text, Value};
use crate::policy::{GATES_MAX, TERMS_BYTES_MAX};
use crate::time::Time;

pub(in super::super) const SEALED: &str = "gate-sealed";
/// Statements of one ticket. What has no room is refused, and never left out in silence.
pub const STATEMENTS_MAX: usize = 1_024;
/// So many more have room if they revoke: nothing may keep an owner from that.
const REVOCATIONS_MAX: usize = 64;
/// Bytes of a file's name.
const FILE_NAME_BYTES_MAX: usize = 4_096;
pub(in super::super) const SEALED_BYTES_MAX: u64 = 8 << 20;

/// What was sealed with a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedWithGate {
    /// The gate lock, as it stands in the envelope.
    pub lock: GateLock,
    /// When it was sealed, or its record made.
    pub at: Time,
    /// The file, as it was called then: a hint.
    pub file: Option<String>,
    /// What was said of it, in the order in which it was said.
    pub statements: Vec<KeptStatement>,
}

/// A statement, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptStatement {
    /// The statement with its signature, as gates get it.
    pub statement: Vec<u8>,
    /// The gates that acknowledged it.
    pub known_by: BTreeSet<RootId>,
}

impl SealedWithGate {
    /// A record of a gate lock about which nothing was said yet.
    #[must_use]
    pub fn new(lock: GateLock, at: Time, file: Option<&str>) -> Self {
        let file = file.filter(|file| file.len() <= FILE_NAME_BYTES_MAX && json::is_clean(file));
        Self {
            lock,
            at,
            file: file.map(str::to_owned),
            statements: Vec::new(),
        }
    }

    /// Adds statements, and who has them.
    ///
    /// # Errors
    /// [`KeystoreError::StatementsFull`].
    pub(super) fn merge(&mut self, others: &[KeptStatement]) -> Result<(), KeystoreError> {
        for other in others {
            let is_same = |mine: &KeptStatement| mine.statement == other.statement;
            if let Some(at) = self.statements.iter().position(is_same) {
                self.statements[at].known_by.extend(&other.known_by);
                continue;
            }
            let room = match other.revokes() {
                true => STATEMENTS_MAX + REVOCATIONS_MAX,
                false => STATEMENTS_MAX,
            };
            if self.statements.len() >= room {
                return Err(KeystoreError::StatementsFull(STATEMENTS_MAX));
            }
            self.statements.push(other.clone());
        }
        Ok(())
    }

    /// Whether another record says nothing that this one does not.
    pub(in super::super) fn has_all_of(&self, other: &Self) -> bool {
        let mut merged = self.clone();
        merged.merge(&other.statements).is_ok() && merged == *self
    }

    /// Reads what stands in its file.
    pub(in super::super) fn from_text(text: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(text).map_err(|_| Error::malformed("invalid UTF-8"))?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let mut record = parse(first.as_bytes())?;
        for line in lines {
            if record.statements.len() == STATEMENTS_MAX + REVOCATIONS_MAX {
                return Err(Error::over_limit("the number of statements"));
            }
            record.statements.push(parse_statement(line.as_bytes())?);
        }
        Ok(record)
    }

    /// What stands in its file.
    pub(in super::super) fn to_text(&self) -> Vec<u8> {
        let line = Line {
            envelope: self.lock.envelope(),
            lock: self.lock.number(),
            terms: json::to_b64(self.lock.bytes()),
            at: self.at,
            file: self.file.as_deref(),
        };
        let mut text = written(&line);
        for kept in &self.statements {
            text += &written(&StatementLine {
                statement: json::to_b64(&kept.statement),
                known_by: &kept.known_by,
            });
        }
        text.into_bytes()
    }
}

impl KeptStatement {
    fn revokes(&self) -> bool {
        let signed = SignedStatement::parse(&self.statement);
        signed.is_ok_and(|signed| signed.op() == Statement::Revoke)
    }
}

fn written(line: &impl Serialize) -> String {
    serde_json::to_string(line).expect("it has only texts and numbers") + "\n"
}

#[derive(Serialize)]
struct Line<'a> {
    envelope: EnvelopeId,
    lock: u16,
    terms: String,
    at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

#[derive(Serialize)]
struct StatementLine<'a> {
    statement: String,
    known_by: &'a BTreeSet<RootId>,
}

impl Keystore {
    /// Records that something was sealed with a gate, or what was said of it since: what the record has already stays.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn record_sealed(&self, record: &SealedWithGate) -> Result<SealedWithGate, KeystoreError> {
        let _lock = self.lock()?;
        self.merge_sealed(record)
    }

    /// The caller holds the lock.
    pub(in super::super) fn merge_sealed(
        &self,
        record: &SealedWithGate,
    ) -> Result<SealedWithGate, KeystoreError> {
        folder::make_folder(&self.root.join(SEALED))?;
        let ticket = record.lock.ticket();
        let here = match self.sealed_with_gate(ticket) {
            Err(KeystoreError::Damaged { .. }) => {
                self.set_aside_record(record)?;
                self.sealed_with_gate(ticket)?
            }
            here => here?,
        };
        let mut merged = here.clone().unwrap_or_else(|| SealedWithGate {
            statements: Vec::new(),
            ..record.clone()
        });
        merged.merge(&record.statements)?;
        if here.as_ref() != Some(&merged) {
            let path = self.sealed_path(ticket);
            folder::write(&path, &merged.to_text(), Existing::Replace)?;
        }
        Ok(merged)
    }

    /// Takes no statement for known by this gate any more: it forgot.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn forget_acknowledgements(&self, gate: &RootId) -> Result<(), KeystoreError> {
        let _lock = self.lock()?;
        for mut record in self.all_sealed_with_gates()?.found {
            let mut forgot = false;
            for kept in &mut record.statements {
                forgot |= kept.known_by.remove(gate);
            }
            if forgot {
                let path = self.sealed_path(record.lock.ticket());
                folder::write(&path, &record.to_text(), Existing::Replace)?;
            }
        }
        Ok(())
    }

    /// The record of a ticket, if there is one.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn sealed_with_gate(
        &self,
        ticket: Ticket,
    ) -> Result<Option<SealedWithGate>, KeystoreError> {
        let path = self.sealed_path(ticket);
        let Some(text) = folder::read_up_to(&path, SEALED_BYTES_MAX)? else {
            return Ok(None);
        };
        let damaged = |what: &dyn std::fmt::Display| KeystoreError::damaged(&path, what);
        let record = SealedWithGate::from_text(&text).map_err(|error| damaged(&error))?;
        match record.lock.ticket() == ticket {
            true => Ok(Some(record)),
            false => Err(damaged(&"it is about another ticket")),
        }
    }

    /// All records that can be read, the latest first, and what is wrong with the others.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn all_sealed_with_gates(&self) -> Result<Readable<SealedWithGate>, KeystoreError> {
        let tickets = self.sealed_tickets()?.into_iter();
        let mut all = Readable::of(tickets.map(|ticket| self.sealed_with_gate(ticket)));
        all.found.sort_by_key(|record| std::cmp::Reverse(record.at));
        Ok(all)
    }

    pub(in super::super) fn sealed_tickets(&self) -> Result<Vec<Ticket>, KeystoreError> {
        let names = self.names_in(SEALED)?;
        let ids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        Ok(ids.map(|id: RootId| Ticket(id.0)).collect())
    }

    pub(in super::super) fn sealed_path(&self, ticket: Ticket) -> PathBuf {
        self.root.join(SEALED).join(RootId(ticket.0).to_string())
    }
}

fn parse(line: &[u8]) -> Result<SealedWithGate, Error> {
    let (mut envelope, mut number, mut terms) = (None, None, None);
    let (mut at, mut file) = (None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "envelope" => envelope = Some(EnvelopeId(value.base64()?)),
            "lock" => {
                let lock = u16::try_from(value.number()?);
                number = Some(lock.map_err(|_| Error::over_limit("the number of the lock"))?);
            }
            "terms" => terms = Some(value.base64_up_to(TERMS_BYTES_MAX)?),
            "at" => at = Some(value.time()?),
            "file" => file = Some(value.text(FILE_NAME_BYTES_MAX)?.into_owned()),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    let envelope = envelope.ok_or_else(|| Error::missing("envelope"))?;
    let number = number.ok_or_else(|| Error::missing("lock"))?;
    let terms: Vec<u8> = terms.ok_or_else(|| Error::missing("terms"))?;
    Ok(SealedWithGate {
        lock: GateLock::parse(envelope, number, &terms)?,
        at: at.ok_or_else(|| Error::missing("at"))?,
        file,
        statements: Vec::new(),
    })
}

pub(super) fn parse_statement(line: &[u8]) -> Result<KeptStatement, Error> {
    let (mut statement, mut known_by) = (None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "statement" => statement = Some(value.base64_up_to(STATEMENT_BYTES_MAX)?),
            "known_by" => {
                let id = |one: Value<'_>| Ok(RootId(one.base64()?));
                known_by = Some(value.array(GATES_MAX, id)?);
            }
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(KeptStatement {
        statement: statement.ok_or_else(|| Error::missing("statement"))?,
        known_by: known_by
            .ok_or_else(|| Error::missing("known_by"))?
            .into_iter()
            .collect(),
    })
}
