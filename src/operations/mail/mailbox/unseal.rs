//! Sealed messages of a mailbox opened, each of which becomes the message that was sealed, byte for byte.

use std::io::{Read, Write};

use super::ConversionError;
use super::compare::CompareWriter;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::{KeyId, PrivateKey};
use crate::envelope::{Content, Envelope, Keyring, KeyringError, OpenError, ReaderKey, Workers};
use crate::mail::archive::{Decision, Direction, Transform};
use crate::mail::{Reopen, find, open_body};
use crate::operations::MyKeys;
use crate::operations::keys::{EnvelopeKeyring, TypedPassphrase};
use crate::operations::mail::is_message;
use crate::operations::mail::is_sealed::sealed_for;
use crate::time::Time;

/// Why a message with an envelope in it stays as it is.
const OTHER: &str = "the envelope in it is not for you, or covers only part of the message";

/// An envelope that opens by a passphrase only: nothing is asked for while a mailbox is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it opens by a passphrase only")]
pub struct PassphraseOnly;

/// What a message is to the owner of my keys.
pub enum SealedState<'m> {
    /// There is no envelope in it.
    Plain,
    /// A whole message is sealed in it, opened as far as its private line.
    Mine(Box<Content<Box<dyn Read + Send + 'm>>>),
    /// The envelope in it is somebody else's, or an attachment.
    Other,
}

/// Opens sealed messages with my keys.
pub struct MailboxOpener<'a> {
    keys: &'a MyKeys<'a>,
    now: Time,
}

impl<'a> MailboxOpener<'a> {
    /// Opens with these keys; `now` is what dates are compared with.
    #[must_use]
    pub fn new(keys: &'a MyKeys<'a>, now: Time) -> Self {
        Self { keys, now }
    }

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
            true => SealedState::Mine(Box::new(content)),
            false => SealedState::Other,
        })
    }

    fn open_mine<'m>(
        &self,
        message: &'m dyn Reopen,
    ) -> Result<Content<Box<dyn Read + Send + 'm>>, ConversionError> {
        match self.open(message)? {
            SealedState::Mine(content) => Ok(*content),
            _ => Err(ConversionError::NotForMe),
        }
    }

    fn holds(&self, sealed: &dyn Reopen, plain: &dyn Reopen) -> Result<bool, ConversionError> {
        let mut comparing = CompareWriter::with(plain.open().map_err(ConversionError::Read)?);
        self.open_mine(sealed)?
            .copy_to(&mut comparing, Workers::ONE)
            .map_err(ConversionError::Open)?;
        comparing.is_same().map_err(ConversionError::Read)
    }
}

impl Transform for MailboxOpener<'_> {
    type Receipt = ();
    type Error = ConversionError;

    fn direction(&self) -> Direction {
        Direction::Unseal
    }

    fn decide(&self, message: &dyn Reopen) -> Result<Decision, ConversionError> {
        Ok(match self.open(message)? {
            SealedState::Mine(_) => Decision::Change,
            SealedState::Plain => Decision::Already,
            SealedState::Other => Decision::Skip(OTHER.to_owned()),
        })
    }

    fn write(
        &self,
        message: &dyn Reopen,
        out: &mut (dyn Write + Send),
    ) -> Result<(), ConversionError> {
        match self.open_mine(message)?.copy_to(out, Workers::ONE) {
            Ok(_) => Ok(()),
            Err(OpenError::Write(error)) => Err(ConversionError::Write(error)),
            Err(error) => Err(ConversionError::Open(error)),
        }
    }

    fn verify(
        &self,
        (): (),
        written: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<(), ConversionError> {
        match self.holds(message, written)? {
            true => Ok(()),
            false => Err(ConversionError::NotSame),
        }
    }

    fn is_form_of(
        &self,
        other: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<bool, ConversionError> {
        self.holds(message, other)
    }
}

/// My keys, without any passphrase.
struct WithoutPassphrase<'k, 'a>(EnvelopeKeyring<'k, 'a>);

impl Keyring for WithoutPassphrase<'_, '_> {
    fn keys(&self) -> Vec<ReaderKey> {
        self.0.keys()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        self.0.private_key(key)
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Err(PassphraseOnly.into())
    }
}
