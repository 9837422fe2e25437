//! Messages of a mailbox sealed for its owners. No private key is needed.

use std::io::{self, BufReader, Read, Write};

use super::compare::CompareWriter;
use super::{ConversionError, ReadBackError};
use crate::crypto::KeyId;
use crate::crypto::kdf::ContentKey;
use crate::envelope::{
    Addressee, Envelope, GateRequest, LockRequest, SealError, SealRequest, Workers,
};
use crate::mail::archive::{Decision, Direction, Transform};
use crate::mail::{Header, Notice, Outer, Reopen, SealedBy, differences, find, open_body};
use crate::operations::mail::NewRng;
use crate::operations::mail::is_sealed::{is_sealed_for, sealed_for};
use crate::operations::mail::outgoing::seal_message::{MessageSealer, SUBJECT};
use crate::time::Time;

/// Seals messages.
pub struct MailboxSealer<'a> {
    addressees: Vec<Addressee>,
    gate: Option<GateRequest>,
    keys: Vec<KeyId>,
    notice: &'a Notice,
    now: Time,
    new_rng: &'a NewRng<'a>,
}

impl<'a> MailboxSealer<'a> {
    /// Seals for these people, behind these gates; `notice` stands in front of each envelope.
    #[must_use]
    pub fn new(
        addressees: Vec<Addressee>,
        gate: Option<GateRequest>,
        notice: &'a Notice,
        now: Time,
        new_rng: &'a NewRng<'a>,
    ) -> Self {
        let keys = addressees.iter().map(|one| one.recipient.key).collect();
        Self {
            addressees,
            gate,
            keys,
            notice,
            now,
            new_rng,
        }
    }

    fn request(&self, message: &MessageSealer<'_>) -> SealRequest<'_> {
        SealRequest {
            locks: vec![LockRequest {
                recipients: self.addressees.clone(),
                ..LockRequest::default()
            }],
            gate: self.gate.clone(),
            created: Some(self.now),
            info: message.info(),
            ..SealRequest::default()
        }
    }
}

impl Transform for MailboxSealer<'_> {
    type Receipt = ContentKey;
    type Error = ConversionError;

    fn direction(&self) -> Direction {
        Direction::Seal
    }

    fn decide(&self, message: &dyn Reopen) -> Result<Decision, ConversionError> {
        let is_sealed = is_sealed_for(message, &self.keys).map_err(ConversionError::Read)?;
        Ok(if is_sealed {
            Decision::Already
        } else {
            Decision::Change
        })
    }

    fn write(
        &self,
        message: &dyn Reopen,
        out: &mut (dyn Write + Send),
    ) -> Result<ContentKey, ConversionError> {
        let mut content = BufReader::new(message.open().map_err(ConversionError::Read)?);
        let header = Header::read(&mut content).map_err(ConversionError::Read)?;
        let sealer = MessageSealer::new(&header, SUBJECT, self.notice, SealedBy::Archive, None);
        let content = &mut header.bytes().chain(content);
        let sealed = sealer.seal(&self.request(&sealer), content, out, &mut *(self.new_rng)());
        match sealed {
            Ok(sealed) => Ok(sealed.key),
            Err(SealError::Read(error)) => Err(ConversionError::Read(error)),
            Err(SealError::Write(error)) => Err(ConversionError::Write(error)),
            Err(error) => Err(ConversionError::Seal(error)),
        }
    }

    fn verify(
        &self,
        key: ContentKey,
        written: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<(), ConversionError> {
        let mut text = written.open().map_err(ConversionError::Read)?;
        let found = find(&mut text)
            .map_err(|error| ConversionError::ReadBack(ReadBackError::Scan(error)))?;
        let sealed = sealed_for(&found, written, &self.keys).map_err(ConversionError::Read)?;
        let not_sealed = ConversionError::ReadBack(ReadBackError::NotSealed);
        let body = open_body(written, sealed.ok_or(not_sealed)?).map_err(ConversionError::Read)?;
        let not_opened = |error| ConversionError::ReadBack(ReadBackError::Open(error));
        let content = Envelope::read(body).and_then(|envelope| envelope.reopen(&key));
        let mut comparing = CompareWriter::with(message.open().map_err(ConversionError::Read)?);
        content
            .map_err(not_opened)?
            .copy_to(&mut comparing, Workers::ONE)
            .map_err(not_opened)?;
        match comparing.is_same().map_err(ConversionError::Read)? {
            true => Ok(()),
            false => Err(ConversionError::ReadBack(ReadBackError::OtherMessage)),
        }
    }

    /// There is no private key to open it with: it is a sealed message for the same readers, with the same fields outside.
    fn is_form_of(
        &self,
        other: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<bool, ConversionError> {
        let has_same_fields = || -> io::Result<bool> {
            if !is_sealed_for(other, &self.keys)? {
                return Ok(false);
            }
            let header = |source: &dyn Reopen| Header::read(&mut BufReader::new(source.open()?));
            let (outside, inside) = (header(other)?, header(message)?);
            let fields = Outer::of(&inside, SUBJECT).fields;
            Ok(differences(&fields, &outside).is_empty())
        };
        has_same_fields().map_err(ConversionError::Read)
    }
}
