//! Sealed messages of a mailbox opened, each of which becomes the message that was sealed, byte for byte.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use super::ConversionError;
use super::compare::CompareWriter;
use crate::crypto::KeyId;
use crate::directory::People;
use crate::envelope::{Content, Envelope, HeldQuestion, Keyring as _, OpenError, Workers};
use crate::mail::archive::{Decision, Direction, Transform};
use crate::mail::trace::{TraceWriter, has_travelled};
use crate::mail::{Header, Reopen, Sealed, find, open_body};
use crate::operations::MyKeys;
use crate::operations::keys::{TypedPassphrase, WithoutPassphrase};
use crate::operations::mail::incoming::header_tap::HeaderTap;
use crate::operations::mail::incoming::sender_check::{FromMismatch, check_from};
use crate::operations::mail::is_message;
use crate::operations::mail::is_sealed::sealed_for;
use crate::time::Time;

/// Why a message with an envelope in it stays as it is.
const OTHER: &str = "the envelope in it is not for you, or covers only part of the message";

/// What a message is to the owner of my keys.
pub enum SealedState<'m> {
    /// There is no envelope in it.
    Plain,
    /// A whole message is sealed in it, opened as far as its private line; and the header outside.
    Mine(Box<Content<Box<dyn Read + Send + 'm>>>, Header),
    /// The envelope in it is somebody else's, or an attachment.
    Other,
}

/// Opens sealed messages with my keys.
pub struct MailboxOpener<'a> {
    /// My keys.
    pub keys: &'a MyKeys<'a>,
    /// Whose cards are known.
    pub people: &'a People,
    /// Whether a message may be from somebody else than its signer.
    pub rule: FromMismatch,
    /// What dates are compared with.
    pub now: Time,
}

impl MailboxOpener<'_> {
    /// Opens the envelope in a message, if there is one of mine.
    ///
    /// # Errors
    /// [`ConversionError::Read`], [`ConversionError::Open`].
    pub fn open<'m>(&self, message: &'m dyn Reopen) -> Result<SealedState<'m>, ConversionError> {
        let mut text = message.open().map_err(ConversionError::Read)?;
        let Ok(found) = find(&mut text) else {
            return Ok(SealedState::Plain);
        };
        let mut typed = TypedPassphrase::default();
        let mut keyring = WithoutPassphrase(self.keys.keyring("", &mut typed));
        let ids: Vec<KeyId> = keyring.keys().iter().map(|key| key.id).collect();
        let sealed = sealed_for(&found, message, &ids).map_err(ConversionError::Read)?;
        let Some(sealed) = sealed else {
            return Ok(match found.envelopes.is_empty() {
                true => SealedState::Plain,
                false => SealedState::Other,
            });
        };
        let body = open_body(message, sealed).map_err(ConversionError::Read)?;
        let content = Envelope::read(body)
            .and_then(|envelope| envelope.unlock(&mut keyring, self.now))
            .map_err(ConversionError::Open)?;
        Ok(match is_message(content.metadata()) {
            true => SealedState::Mine(Box::new(content), found.structure.header),
            false => SealedState::Other,
        })
    }

    /// Opens one envelope of a message, whatever stands beside it.
    ///
    /// # Errors
    /// [`ConversionError::Read`], [`ConversionError::Open`].
    pub fn open_envelope<'m>(
        &self,
        message: &'m dyn Reopen,
        sealed: &Sealed,
    ) -> Result<Content<Box<dyn Read + Send + 'm>>, ConversionError> {
        let mut typed = TypedPassphrase::default();
        let mut keyring = WithoutPassphrase(self.keys.keyring("", &mut typed));
        let body = open_body(message, sealed).map_err(ConversionError::Read)?;
        Envelope::read(body)
            .and_then(|envelope| envelope.unlock(&mut keyring, self.now))
            .map_err(ConversionError::Open)
    }

    /// What the gates of one envelope of a message are to be asked; `None` if nothing.
    ///
    /// # Errors
    /// [`ConversionError::Read`], [`ConversionError::Open`].
    pub fn question(
        &self,
        message: &dyn Reopen,
        sealed: &Sealed,
    ) -> Result<Option<HeldQuestion>, ConversionError> {
        let body = open_body(message, sealed).map_err(ConversionError::Read)?;
        let question = self.keys.gate_question(body);
        question.map_err(ConversionError::Open)
    }

    /// Writes the message that was sealed, checked.
    ///
    /// # Errors
    /// [`ConversionError`]: what was written then must not be used.
    pub fn copy<R: Read + Send>(
        &self,
        content: Content<R>,
        out: &mut (dyn Write + Send),
    ) -> Result<(), ConversionError> {
        let mut tap = HeaderTap::new(out);
        let copied = content.copy_to(&mut tap, Workers::ONE);
        let (opened, _) = copied.map_err(|error| match error {
            OpenError::Write(error) => ConversionError::Write(error),
            error => ConversionError::Open(error),
        })?;
        let (_, header, _) = tap.into_parts().map_err(ConversionError::Write)?;
        Ok(check_from(&opened, &header, self.rule, self.people)?)
    }

    fn open_mine<'m>(
        &self,
        message: &'m dyn Reopen,
    ) -> Result<(Content<Box<dyn Read + Send + 'm>>, Header), ConversionError> {
        match self.open(message)? {
            SealedState::Mine(content, outside) => Ok((*content, outside)),
            _ => Err(ConversionError::NotForMe),
        }
    }
}

/// Whose trace fields an unsealed message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TracePolicy {
    /// Where a message travelled sealed, those from outside stand on top, and those that its sender wrote are renamed.
    Servers,
    /// Those inside, as they were sealed.
    Inside,
}

/// Makes sealed messages of a mailbox plain again.
pub struct MailboxUnsealer<'a> {
    opener: MailboxOpener<'a>,
    policy: TracePolicy,
    travelled: AtomicU64,
}

impl<'a> MailboxUnsealer<'a> {
    /// Opens with `opener`.
    #[must_use]
    pub fn new(opener: MailboxOpener<'a>, policy: TracePolicy) -> Self {
        Self {
            opener,
            policy,
            travelled: AtomicU64::new(0),
        }
    }

    /// How many messages had travelled sealed, and have the trace fields from outside now.
    pub fn travelled(&self) -> u64 {
        self.travelled.load(Ordering::Relaxed)
    }

    /// Writes the plain form; says whether the message had travelled sealed.
    fn write_plain(
        &self,
        message: &dyn Reopen,
        policy: TracePolicy,
        out: &mut (dyn Write + Send),
    ) -> Result<bool, ConversionError> {
        let (content, outside) = self.opener.open_mine(message)?;
        if policy == TracePolicy::Inside || !has_travelled(&outside) {
            self.opener.copy(content, out)?;
            return Ok(false);
        }
        let mut traced = TraceWriter::new(&outside, out);
        let copied = self.opener.copy(content, &mut traced);
        let ended = copied.and_then(|()| traced.finish().map_err(ConversionError::Write));
        match traced.fault() {
            Some(fault) => Err(fault.into()),
            None => ended.map(|()| true),
        }
    }

    fn holds(
        &self,
        sealed: &dyn Reopen,
        plain: &dyn Reopen,
        policy: TracePolicy,
    ) -> Result<bool, ConversionError> {
        let mut comparing = CompareWriter::with(plain.open().map_err(ConversionError::Read)?);
        self.write_plain(sealed, policy, &mut comparing)?;
        comparing.is_same().map_err(ConversionError::Read)
    }
}

impl Transform for MailboxUnsealer<'_> {
    type Receipt = ();
    type Error = ConversionError;

    fn direction(&self) -> Direction {
        Direction::Unseal
    }

    fn decide(&self, message: &dyn Reopen) -> Result<Decision, ConversionError> {
        Ok(match self.opener.open(message)? {
            SealedState::Mine(..) => Decision::Change,
            SealedState::Plain => Decision::Already,
            SealedState::Other => Decision::Skip(OTHER.to_owned()),
        })
    }

    fn write(
        &self,
        message: &dyn Reopen,
        out: &mut (dyn Write + Send),
    ) -> Result<(), ConversionError> {
        let travelled = self.write_plain(message, self.policy, out)?;
        self.travelled
            .fetch_add(travelled.into(), Ordering::Relaxed);
        Ok(())
    }

    fn verify(
        &self,
        (): (),
        written: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<(), ConversionError> {
        match self.holds(message, written, self.policy)? {
            true => Ok(()),
            false => Err(ConversionError::NotSame),
        }
    }

    fn is_form_of(
        &self,
        other: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<bool, ConversionError> {
        // An earlier run may have had another policy.
        Ok(self.holds(message, other, TracePolicy::Inside)?
            || self.holds(message, other, TracePolicy::Servers)?)
    }
}
