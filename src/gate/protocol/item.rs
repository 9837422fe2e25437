//! One item of a request's body: a gate lock, and what is asked of it.

use serde::Serialize;

use super::{Base64, Op, STATEMENT_BYTES_MAX};
use crate::crypto::Kem;
use crate::crypto::kdf::gate as kdf;
use crate::crypto::signing::{RootId, Signature};
use crate::envelope::{EnvelopeId, GateLock, Ticket};
use crate::gate::log::Hash;
use crate::json::{Error, Value};
use crate::policy::{LOCKS_MAX, TERMS_BYTES_MAX};

/// Bytes of a slot's ciphertext: a secret or a share, and a tag.
const CT_BYTES: [usize; 2] = [32 + 16, 33 + 16];

/// One item: which lock, and what is asked. The lock is not read until [`Item::lock`] is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// 16 random bytes, which hide the ticket in the head.
    pub salt: [u8; 16],
    /// The envelope that the lock is in.
    pub envelope: EnvelopeId,
    /// The number of the lock in it, from 1: a gate lock is never the only one.
    pub number: u16,
    /// The bytes of the lock, as they stand in line 2.
    pub terms: Vec<u8>,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The part of the secret that is in the gate's slot.
    Open {
        /// The encapsulated key of the slot.
        enc: Vec<u8>,
        /// The ciphertext of the slot.
        ct: Vec<u8>,
        /// The pass of whoever asks.
        pass: Option<Signature>,
    },
    /// That a statement is taken over.
    State {
        /// The statement with its signature.
        statement: Vec<u8>,
    },
    /// What was logged of the ticket.
    Log {
        /// The owner who asks.
        by: RootId,
        /// What shows that this is an owner.
        blind: [u8; 32],
        /// The number, among the ticket's entries, of the first one that is asked for. The first of all has the number 1.
        from: u64,
    },
}

impl Ask {
    /// Which op it belongs to.
    #[must_use]
    pub fn op(&self) -> Op {
        match self {
            Self::Open { .. } => Op::Open,
            Self::State { .. } => Op::State,
            Self::Log { .. } => Op::Log,
        }
    }
}

impl Item {
    /// Asks something of a lock.
    #[must_use]
    pub fn new(salt: [u8; 16], lock: &GateLock, ask: Ask) -> Self {
        Self {
            salt,
            envelope: lock.envelope(),
            number: lock.number(),
            terms: lock.bytes().to_vec(),
            ask,
        }
    }

    /// The ticket of the lock, whether its bytes are a lock or not.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket(kdf::ticket(&self.envelope.0, self.number, &self.terms))
    }

    /// What the head says of this item.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        kdf::item_commitment(&self.salt, &self.ticket().0)
    }

    /// Reads the lock.
    ///
    /// # Errors
    /// [`Error`].
    pub fn lock(&self) -> Result<GateLock, Error> {
        GateLock::parse(self.envelope, self.number, &self.terms)
    }

    /// How it is written.
    pub(super) fn line(&self) -> ItemLine<'_> {
        let mut line = ItemLine {
            salt: Base64(&self.salt),
            policy: self.envelope,
            lock: self.number,
            terms: Base64(&self.terms),
            ..ItemLine::default()
        };
        match &self.ask {
            Ask::Open { enc, ct, pass } => {
                (line.enc, line.ct, line.pass) = (Some(Base64(enc)), Some(Base64(ct)), *pass);
            }
            Ask::State { statement } => line.statement = Some(Base64(statement)),
            Ask::Log { by, blind, from } => {
                (line.by, line.blind, line.from) = (Some(*by), Some(Base64(blind)), Some(*from));
            }
        }
        line
    }

    /// Reads an item of a request with this op.
    pub(super) fn parse(value: Value<'_>, op: Op) -> Result<Self, Error> {
        let (mut salt, mut envelope, mut number, mut terms) = (None, None, None, None);
        let mut members = AskMembers::default();
        value.object(|name, value| {
            match name {
                "salt" => salt = Some(value.base64()?),
                "policy" => envelope = Some(EnvelopeId(value.base64()?)),
                "lock" => number = Some(lock_number(value)?),
                "terms" => terms = Some(value.base64_up_to(TERMS_BYTES_MAX)?),
                other => members.take(other, value, op)?,
            }
            Ok(())
        })?;
        Ok(Self {
            salt: salt.ok_or_else(|| Error::missing("salt"))?,
            envelope: envelope.ok_or_else(|| Error::missing("policy"))?,
            number: number.ok_or_else(|| Error::missing("lock"))?,
            terms: terms.ok_or_else(|| Error::missing("terms"))?,
            ask: members.ask(op)?,
        })
    }
}

fn lock_number(value: Value<'_>) -> Result<u16, Error> {
    let number = u16::try_from(value.number()?).ok();
    number
        .filter(|number| (1..LOCKS_MAX).contains(&usize::from(*number)))
        .ok_or_else(|| Error::malformed("`lock` is not 1 to 7"))
}

/// The members that depend on what is asked.
#[derive(Default)]
struct AskMembers {
    enc: Option<Vec<u8>>,
    ct: Option<Vec<u8>>,
    pass: Option<Signature>,
    statement: Option<Vec<u8>>,
    by: Option<RootId>,
    blind: Option<[u8; 32]>,
    from: Option<u64>,
}

impl AskMembers {
    fn take(&mut self, name: &str, value: Value<'_>, op: Op) -> Result<(), Error> {
        match (op, name) {
            (Op::Open, "enc") => self.enc = Some(value.base64_of(&[Kem::XWing.enc_bytes()])?),
            (Op::Open, "ct") => self.ct = Some(value.base64_of(&CT_BYTES)?),
            (Op::Open, "pass") => self.pass = Some(Signature(value.base64()?)),
            (Op::State, "statement") => {
                self.statement = Some(value.base64_up_to(STATEMENT_BYTES_MAX)?);
            }
            (Op::Log, "by") => self.by = Some(RootId(value.base64()?)),
            (Op::Log, "blind") => self.blind = Some(value.base64()?),
            (Op::Log, "from") => self.from = Some(value.number()?),
            (_, other) => return Err(Error::unknown(other)),
        }
        Ok(())
    }

    fn ask(self, op: Op) -> Result<Ask, Error> {
        Ok(match op {
            Op::Open => Ask::Open {
                enc: self.enc.ok_or_else(|| Error::missing("enc"))?,
                ct: self.ct.ok_or_else(|| Error::missing("ct"))?,
                pass: self.pass,
            },
            Op::State => Ask::State {
                statement: self.statement.ok_or_else(|| Error::missing("statement"))?,
            },
            Op::Log => Ask::Log {
                by: self.by.ok_or_else(|| Error::missing("by"))?,
                blind: self.blind.ok_or_else(|| Error::missing("blind"))?,
                from: self.from.ok_or_else(|| Error::missing("from"))?,
            },
        })
    }
}

/// An item as it is written.
#[derive(Serialize)]
pub(super) struct ItemLine<'a> {
    salt: Base64<'a>,
    policy: EnvelopeId,
    lock: u16,
    terms: Base64<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enc: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ct: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<Signature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<RootId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blind: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
}

impl Default for ItemLine<'_> {
    fn default() -> Self {
        Self {
            salt: Base64(&[]),
            policy: EnvelopeId([0; 32]),
            lock: 0,
            terms: Base64(&[]),
            enc: None,
            ct: None,
            pass: None,
            statement: None,
            by: None,
            blind: None,
            from: None,
        }
    }
}
