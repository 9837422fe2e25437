//! A sealed message opened: everything is checked that can be, before anybody relies on it.

use std::io::{self, Write};

use super::header_tap::HeaderTap;
use super::received::{Place, ReceivedMessage};
use super::sender_check::{FromMismatch, SenderMismatch, check_from};
use crate::directory::People;
use crate::envelope::{Mail, OpenError, Opened, Workers};
use crate::mail::Header;
use crate::operations::keys::TypedPassphrase;
use crate::operations::open::{OpenFailure, Opener};

/// The envelope that is opened.
pub struct SealedMessage<'a> {
    /// The message that it came in.
    pub received: &'a ReceivedMessage<'a>,
    /// Where it is in that.
    pub place: Place<'a>,
    /// Whether the message may be from somebody else than its signer.
    pub rule: FromMismatch,
    /// Whose cards are known.
    pub people: &'a People,
}

/// A message that was written to `sink`, complete and checked.
pub struct CheckedMessage<W> {
    /// Where it was written.
    pub sink: W,
    /// What the envelope says, verified.
    pub opened: Opened,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its own header.
    pub header: Header,
    /// Whether there seems to be a further envelope in it.
    pub holds_envelope: bool,
}

/// Why a message was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenMessageError {
    /// The message cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// Its envelope does not open.
    #[error(transparent)]
    Open(OpenFailure),
    /// The content of the envelope is damaged.
    #[error(transparent)]
    Content(OpenError),
    /// What was opened cannot be written.
    #[error("the output cannot be written")]
    Write(#[source] io::Error),
    /// It is not from its signer.
    #[error(transparent)]
    Sender(#[from] SenderMismatch),
}

impl SealedMessage<'_> {
    /// Writes the whole message to `sink` and checks it. `name` names it in a question for its passphrase.
    ///
    /// # Errors
    /// [`OpenMessageError`]: what was written then must not be used.
    pub fn open<W: Write + Send>(
        &self,
        name: &str,
        opener: &Opener<'_>,
        typed: &mut TypedPassphrase,
        sink: W,
    ) -> Result<CheckedMessage<W>, OpenMessageError> {
        let envelope = self.received.open(self.place);
        let envelope = envelope.map_err(OpenMessageError::Read)?;
        let content = opener.open(name, envelope, typed);
        let mut tap = HeaderTap::new(sink);
        let (opened, bytes) = content
            .map_err(OpenMessageError::Open)?
            .copy_to(&mut tap, Workers::Processors)
            .map_err(|error| match error {
                OpenError::Write(error) => OpenMessageError::Write(error),
                error => OpenMessageError::Content(error),
            })?;
        let (sink, header, holds_envelope) = tap.into_parts().map_err(OpenMessageError::Write)?;
        check_from(&opened, &header, self.rule, self.people)?;
        // An attachment has no header of its own that says from whom it is.
        if let (Some(Mail::Attachment { .. }), Some(arrived)) =
            (&opened.private.info.mail, self.received.header())
        {
            check_from(&opened, arrived, self.rule, self.people)?;
        }
        Ok(CheckedMessage {
            sink,
            opened,
            bytes,
            header,
            holds_envelope,
        })
    }
}
