//! A whole message on its way into an envelope, for every command that seals one.

use std::io::{Read, Write};

use encl::crypto::CryptoRng;
use encl::envelope::{ContentInfo, Mail, SealError, SealRequest, Sealed};
use encl::mail::{Boundary, Eol, Frame, Header, Notice, Outer, SealedBy};

use crate::cli::terminal::{Terminal, safe};

/// What stands outside instead of the subject (RFC 9788, the baseline header confidentiality policy).
pub(crate) const SUBJECT: &str = "[...]";

/// What is to stand around the envelope of one message.
pub(crate) struct MessageSealer<'a> {
    header: &'a Header,
    outer: Outer,
    notice: &'a Notice,
    sealed_by: SealedBy,
    eol: Eol,
}

impl<'a> MessageSealer<'a> {
    /// A message with this header; `eol` if not the line ends of its first line.
    pub(crate) fn new(
        header: &'a Header,
        subject: &str,
        notice: &'a Notice,
        sealed_by: SealedBy,
        eol: Option<Eol>,
    ) -> Self {
        let its_own = if header.begins_with_crlf() {
            Eol::CrLf
        } else {
            Eol::Lf
        };
        Self {
            header,
            outer: Outer::of(header, subject),
            notice,
            sealed_by,
            eol: eol.unwrap_or(its_own),
        }
    }

    /// Says what could not be copied outside.
    pub(crate) fn warn(&self, terminal: Terminal) {
        for warning in &self.outer.warnings {
            terminal.warning(&safe(&warning.to_string()));
        }
    }

    /// What is said to the readers.
    pub(crate) fn about(&self) -> ContentInfo {
        let subject = self.header.first("Subject");
        ContentInfo {
            name: Some("message.eml".to_owned()),
            media_type: Some("message/rfc822".to_owned()),
            modified: None,
            subject: subject.map(|field| encl::mail::decoded_words(&field.text())),
            mail: Some(Mail::Message {
                outer: self.outer.fields.clone(),
            }),
        }
    }

    /// Writes the message outside; `message` is sealed, all of it.
    pub(crate) fn seal(
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
        let sealed = encl::envelope::seal(request, message, &mut body, rng)?;
        body.finish().map_err(SealError::Write)?;
        Ok(sealed)
    }
}
