//! Attachments that were sealed in their places: put back into their message, or extracted.

use std::io::{self, BufReader, Read, Write};

use super::sender_check::{FromMismatch, SenderMismatch, check_from};
use crate::crypto::CryptoRng;
use crate::directory::People;
use crate::envelope::{Mail, OpenError, Opened, Workers};
use crate::mail::attachments::{Arrival, Restoration, RestoreError};
use crate::mail::{Decoded, Encoding, Header, Reopen, ScanError, Sealed, open_body};
use crate::operations::keys::TypedPassphrase;
use crate::operations::mail::spool::{Spool, SpoolWriter};
use crate::operations::open::{OpenFailure, Opener};

/// Envelopes in one message that are opened. Each costs a decapsulation, or a passphrase.
pub const ENVELOPES_MAX: usize = 1_000;

/// Why attachments cannot be opened or put back.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// The message cannot be scanned.
    #[error(transparent)]
    Scan(ScanError),
    /// The message cannot be read.
    #[error("the message cannot be read")]
    Read(#[source] io::Error),
    /// There are too many envelopes in it.
    #[error("it holds more than {ENVELOPES_MAX} envelopes")]
    TooMany,
    /// An envelope does not open.
    #[error(transparent)]
    Open(OpenFailure),
    /// The content of an envelope is damaged.
    #[error(transparent)]
    Content(OpenError),
    /// The envelopes have different signers.
    #[error("its attachments were not signed by the same person")]
    SeveralSigners,
    /// The message is not from the signer of its attachments.
    #[error(transparent)]
    Sender(#[from] SenderMismatch),
    /// The attachments cannot be put back.
    #[error(transparent)]
    Restore(RestoreError),
    /// An opened attachment cannot be kept in a temporary file.
    #[error("the opened attachment cannot be kept in a temporary file")]
    Spool(#[source] io::Error),
    /// What was opened cannot be written.
    #[error("the output cannot be written")]
    Write(#[source] io::Error),
}

impl From<io::Error> for AttachmentError {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// A message with attachments in envelopes.
pub struct AttachmentOpener<'a> {
    message: &'a dyn Reopen,
    arrival: Arrival,
    /// What each envelope says, in their order; `None` where it cannot be opened.
    opened: Vec<Option<Opened>>,
}

impl<'a> AttachmentOpener<'a> {
    /// Opens every envelope as far as its private line; `None` when none of them is an attachment. An envelope that does not open
    /// is passed over, unless `is_final` says that no further one is to be tried. `name` names the message in a question for a
    /// passphrase.
    ///
    /// # Errors
    /// [`AttachmentError`].
    pub fn read(
        message: &'a dyn Reopen,
        name: &str,
        opener: &Opener<'_>,
        typed: &mut TypedPassphrase,
        is_final: &dyn Fn(&OpenFailure) -> bool,
    ) -> Result<Option<Self>, AttachmentError> {
        let arrival = Arrival::read(message).map_err(AttachmentError::Scan)?;
        let envelopes = &arrival.findings().envelopes;
        if envelopes.len() > ENVELOPES_MAX {
            return Err(AttachmentError::TooMany);
        }
        let mut opened = Vec::with_capacity(envelopes.len());
        for sealed in envelopes {
            let body = open_body(message, sealed).map_err(AttachmentError::Read)?;
            opened.push(match opener.open(name, body, typed) {
                Ok(content) => Some(content.into_metadata()),
                Err(failure) if is_final(&failure) => return Err(AttachmentError::Open(failure)),
                Err(_) => None,
            });
        }
        let has_attachment = opened.iter().flatten().any(is_attachment);
        Ok(has_attachment.then_some(Self {
            message,
            arrival,
            opened,
        }))
    }

    /// All envelopes in their order, with what those say that can be opened.
    pub fn envelopes(&self) -> impl Iterator<Item = (&Sealed, Option<&Opened>)> {
        let envelopes = self.arrival.findings().envelopes.iter();
        envelopes.zip(self.opened.iter().map(Option::as_ref))
    }

    /// How many envelopes can be opened.
    #[must_use]
    pub fn opened_count(&self) -> usize {
        self.opened.iter().flatten().count()
    }

    /// What the first envelope says that can be opened: all have one author.
    #[must_use]
    pub fn first(&self) -> &Opened {
        let first = self.opened.iter().flatten().next();
        first.expect("at least one was opened, or `read` gives nothing")
    }

    /// Decides whether the attachments can be put back.
    ///
    /// # Errors
    /// [`AttachmentError::SeveralSigners`], [`AttachmentError::Restore`], [`AttachmentError::Read`].
    pub fn restoration(&self) -> Result<Restoration, AttachmentError> {
        let mut signers = self.opened.iter().flatten().map(Opened::signer);
        let first = signers.next();
        if signers.any(|signer| Some(signer) != first) {
            return Err(AttachmentError::SeveralSigners);
        }
        let mail = |opened: &Opened| opened.private.info.mail.clone();
        let mails: Vec<Option<Mail>> = self
            .opened
            .iter()
            .map(|opened| opened.as_ref().and_then(mail))
            .collect();
        let restoration = self.arrival.restoration(self.message, &mails);
        restoration.map_err(|error| match error {
            RestoreError::Read(error) => AttachmentError::Read(error),
            error => AttachmentError::Restore(error),
        })
    }

    /// Writes the message with its attachments in their places; gives its length in bytes.
    ///
    /// # Errors
    /// [`AttachmentError`]: what was written then must not be used.
    pub fn restore(
        &self,
        restoration: &Restoration,
        name: &str,
        opener: &Opener<'_>,
        typed: &mut TypedPassphrase,
        sink: &mut (dyn Write + Send),
    ) -> Result<u64, AttachmentError> {
        let mut counting = CountingWriter { sink, bytes: 0 };
        let mut open = |_: &Sealed,
                        envelope: &mut (dyn Read + Send),
                        out: &mut (dyn Write + Send)|
         -> Result<(), AttachmentError> {
            let content = opener.open(name, envelope, typed);
            let content = content.map_err(AttachmentError::Open)?;
            match content.copy_to(out, Workers::Processors) {
                Ok(_) => Ok(()),
                Err(OpenError::Write(error)) => Err(AttachmentError::Write(error)),
                Err(error) => Err(AttachmentError::Content(error)),
            }
        };
        restoration.write(self.message, &mut counting, &mut open)?;
        Ok(counting.bytes)
    }

    /// Refuses a message that says it is from somebody else than the signers of its attachments. Its header is not encrypted.
    ///
    /// # Errors
    /// [`AttachmentError::Sender`].
    pub fn check_from(&self, rule: FromMismatch, people: &People) -> Result<(), AttachmentError> {
        let header = &self.arrival.findings().structure.header;
        for opened in self.opened.iter().flatten() {
            check_from(opened, header, rule, people)?;
        }
        Ok(())
    }

    /// Opens one envelope completely.
    ///
    /// # Errors
    /// [`AttachmentError`].
    pub fn extract(
        &self,
        sealed: &Sealed,
        name: &str,
        opener: &Opener<'_>,
        typed: &mut TypedPassphrase,
        rng: &mut dyn CryptoRng,
    ) -> Result<ExtractedAttachment, AttachmentError> {
        let body = open_body(self.message, sealed).map_err(AttachmentError::Read)?;
        let content = opener.open(name, body, typed);
        let content = content.map_err(AttachmentError::Open)?;
        let mut spool = SpoolWriter::new(rng).map_err(AttachmentError::Spool)?;
        let (opened, _) = content
            .copy_to(&mut spool, Workers::Processors)
            .map_err(|error| match error {
                OpenError::Write(error) => AttachmentError::Spool(error),
                error => AttachmentError::Content(error),
            })?;
        let content = spool.finish().map_err(AttachmentError::Spool)?;
        Ok(ExtractedAttachment { opened, content })
    }
}

/// An attachment that was opened and verified.
pub struct ExtractedAttachment {
    /// What its envelope says.
    pub opened: Opened,
    content: Spool,
}

impl ExtractedAttachment {
    /// The length in bytes of the content of its envelope.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.content.bytes()
    }

    /// Writes the file. The content of an envelope is the whole part with its header: the file is what that encodes.
    ///
    /// # Errors
    /// [`AttachmentError::Spool`], [`AttachmentError::Write`].
    pub fn write(&self, out: &mut dyn Write) -> Result<(), AttachmentError> {
        let content = self.content.open().map_err(AttachmentError::Spool)?;
        let mut content = BufReader::new(content);
        let copied = if is_attachment(&self.opened) {
            let header = Header::read(&mut content).map_err(AttachmentError::Spool)?;
            io::copy(&mut Decoded::new(content, Encoding::of(&header)), out)
        } else {
            io::copy(&mut content, out)
        };
        copied.map(drop).map_err(AttachmentError::Write)
    }
}

fn is_attachment(opened: &Opened) -> bool {
    matches!(opened.private.info.mail, Some(Mail::Attachment { .. }))
}

struct CountingWriter<'a> {
    sink: &'a mut (dyn Write + Send),
    bytes: u64,
}

impl Write for CountingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.sink.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
