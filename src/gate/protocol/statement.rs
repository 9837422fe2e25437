//! What an owner says of a ticket, signed. Anybody may carry it to a gate.

use serde::Serialize;

use super::{Base64, STATEMENT_BYTES_MAX};
use crate::crypto::sha256;
use crate::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use crate::envelope::{GateLock, Ticket};
use crate::gate::log::Hash;
use crate::gate::rules::Statement;
use crate::identity::{VERSION, known_version};
use crate::json::{Error, Text, Value};
use crate::time::Time;

/// A statement whose signature was checked. Whether its signer is an owner is asked of the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    ticket: Ticket,
    op: Statement,
    at: Time,
    by: RootId,
    blind: [u8; 32],
    line: Vec<u8>,
    signature: Signature,
}

/// Why bytes are not a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Its line is not as the format demands.
    #[error(transparent)]
    Line(#[from] Error),
    /// The person that it names as its author did not sign it.
    #[error("its signature is wrong: it was changed or forged")]
    Signature,
}

impl SignedStatement {
    /// Signs a statement. `blind` shows that the signer is an owner, as [`GateLock::blind_of`] gives it.
    #[must_use]
    pub fn new(
        (ticket, op): (Ticket, Statement),
        at: Time,
        blind: [u8; 32],
        owner: &SigningKey,
    ) -> Self {
        let (word, who, until) = match op {
            Statement::Revoke => ("revoke", None, None),
            Statement::Expire(until) => ("expire", None, Some(until)),
            Statement::Deny(who) => ("deny", Some(who), None),
            Statement::Allow(who) => ("allow", Some(who), None),
        };
        let line = StatementLine {
            statement: VERSION,
            ticket,
            op: word,
            who,
            until,
            at,
            by: owner.id(),
            blind: Base64(&blind),
        };
        let line = serde_json::to_vec(&line).expect("it has only texts");
        Self {
            ticket,
            op,
            at,
            by: owner.id(),
            blind,
            signature: owner.sign(Purpose::GateStatement, &[&line]),
            line,
        }
    }

    /// Reads a statement with its signature, and checks that.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        if bytes.len() > STATEMENT_BYTES_MAX {
            return Err(Error::over_limit("the statement").into());
        }
        let parts = bytes.split_last_chunk::<{ Signature::BYTES }>();
        let parts = parts.and_then(|(line, end)| Some((line.strip_suffix(b"\n")?, end)));
        let (line, end) = parts.ok_or_else(|| Error::malformed("no line and signature"))?;
        let statement = parse(line, Signature(*end))?;
        let by = statement.by;
        let verified = by.verify(Purpose::GateStatement, &[line], &statement.signature);
        verified.map_err(|_| StatementError::Signature)?;
        Ok(statement)
    }

    /// Line, line feed and signature.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.line[..], b"\n", &self.signature.0].concat()
    }

    /// SHA-256 of the line, by which entries name it. The signature is not in it: one signer can make many of one line.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&[&self.line])
    }

    /// What it is about.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// What it says.
    #[must_use]
    pub fn op(&self) -> Statement {
        self.op
    }

    /// When it was made, by its signer's clock.
    #[must_use]
    pub fn at(&self) -> Time {
        self.at
    }

    /// Who signed it.
    #[must_use]
    pub fn by(&self) -> RootId {
        self.by
    }

    /// Whether an owner of this lock says something of it.
    #[must_use]
    pub fn is_of(&self, lock: &GateLock) -> bool {
        self.ticket == lock.ticket() && lock.is_owner(self.by, &self.blind)
    }
}

#[derive(Serialize)]
struct StatementLine<'a> {
    statement: &'static str,
    ticket: Ticket,
    op: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<RootId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    at: Time,
    by: RootId,
    blind: Base64<'a>,
}

fn parse(line: &[u8], signature: Signature) -> Result<SignedStatement, Error> {
    let (mut version, mut ticket, mut word, mut who) = (None, None, None, None);
    let (mut until, mut at, mut by, mut blind) = (None, None, None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "statement" => version = Some(known_version(value)?),
            "ticket" => ticket = Some(Ticket(value.base64()?)),
            "op" => word = Some(value.text(usize::MAX)?),
            "who" => who = Some(person(value)?),
            "until" => until = Some(value.time()?),
            "at" => at = Some(value.time()?),
            "by" => by = Some(RootId(value.base64()?)),
            "blind" => blind = Some(value.base64()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    version.ok_or_else(|| Error::missing("statement"))?;
    let word = word.ok_or_else(|| Error::missing("op"))?;
    Ok(SignedStatement {
        ticket: ticket.ok_or_else(|| Error::missing("ticket"))?,
        op: op(&word, who, until)?,
        at: at.ok_or_else(|| Error::missing("at"))?,
        by: by.ok_or_else(|| Error::missing("by"))?,
        blind: blind.ok_or_else(|| Error::missing("blind"))?,
        line: line.to_vec(),
        signature,
    })
}

/// `who` stands exactly in deny and allow, `until` in expire.
fn op(word: &str, who: Option<RootId>, until: Option<Time>) -> Result<Statement, Error> {
    match (word, who, until) {
        ("revoke", None, None) => Ok(Statement::Revoke),
        ("expire", None, Some(until)) => Ok(Statement::Expire(until)),
        ("deny", Some(who), None) => Ok(Statement::Deny(who)),
        ("allow", Some(who), None) => Ok(Statement::Allow(who)),
        ("revoke" | "expire" | "deny" | "allow", _, _) => {
            Err(Error::malformed("`who` or `until` does not fit `op`"))
        }
        (other, _, _) => Err(Error::newer(format!("op {other:?}"))),
    }
}

/// Only what can sign is a person.
fn person(value: Value<'_>) -> Result<RootId, Error> {
    let id = RootId(value.base64()?);
    let known = id.is_acceptable().then_some(id);
    known.ok_or_else(|| Error::malformed("`who` is not a root key"))
}
