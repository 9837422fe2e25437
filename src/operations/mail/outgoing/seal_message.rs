//! A whole message sealed: the envelope, and what stands around it.

use std::io::{Read, Write};

use crate::crypto::CryptoRng;
use crate::envelope::{ContentInfo, Mail, SealError, SealRequest, Sealed, seal};
use crate::mail::outer::OuterWarning;
use crate::mail::{Boundary, Eol, Frame, Header, Notice, Outer, SealedBy, decoded_words};

/// The subject outside, in place of the message's own (RFC 9788, the baseline header confidentiality policy).
pub const SUBJECT: &str = "[...]";

/// Seals one message, whole.
pub struct MessageSealer<'a> {
    header: &'a Header,
    outer: Outer,
    notice: &'a Notice,
    sealed_by: SealedBy,
    eol: Eol,
}

impl<'a> MessageSealer<'a> {
    /// For a message with this header. `subject` stands outside; `eol` are the line ends outside, by default those of the message's
    /// first line.
    #[must_use]
    pub fn new(
        header: &'a Header,
        subject: &str,
        notice: &'a Notice,
        sealed_by: SealedBy,
        eol: Option<Eol>,
    ) -> Self {
        let eol_of_message = if header.begins_with_crlf() {
            Eol::CrLf
        } else {
            Eol::Lf
        };
        Self {
            header,
            outer: Outer::of(header, subject),
            notice,
            sealed_by,
            eol: eol.unwrap_or(eol_of_message),
        }
    }

    /// Fields that could not be copied outside as they are.
    #[must_use]
    pub fn warnings(&self) -> &[OuterWarning] {
        &self.outer.warnings
    }

    /// What the envelope says about its content.
    #[must_use]
    pub fn info(&self) -> ContentInfo {
        let subject = self.header.first("Subject");
        ContentInfo {
            name: Some("message.eml".to_owned()),
            media_type: Some("message/rfc822".to_owned()),
            modified: None,
            subject: subject.map(|field| decoded_words(&field.text())),
            mail: Some(Mail::Message {
                outer: self.outer.fields.clone(),
            }),
        }
    }

    /// Writes the message with the envelope. The content of the envelope is all of `message`.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(
        &self,
        request: &SealRequest<'_>,
        message: &mut (dyn Read + Send),
        out: &mut (dyn Write + Send),
        rng: &mut dyn CryptoRng,
    ) -> Result<Sealed, SealError> {
        let frame = Frame {
            head: &self.outer.rendered(self.eol),
            sealed_by: self.sealed_by,
            notice: self.notice,
            eol: self.eol,
            boundary: Boundary::random(rng),
        };
        let mut body = frame.begin(out).map_err(SealError::Write)?;
        let sealed = seal(request, message, &mut body, rng)?;
        body.finish().map_err(SealError::Write)?;
        Ok(sealed)
    }
}
