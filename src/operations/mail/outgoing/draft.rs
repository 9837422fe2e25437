//! A message that is to be sent, as a mail program gave it.

use std::io::{self, BufReader, Read};

use crate::mail::{Doubt, Header, HeaderEnd, Reopen, recipients};

/// Fields that a message has once (RFC 5322 §3.6); with two of them readers would not agree on what it says.
const ONCE: [&str; 3] = ["From", "Date", "Message-ID"];
/// Fields that say who writes to whom, with those whose name begins with `Resent-`.
const PEOPLE: [&str; 6] = ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"];
const RESENT: &str = "Resent-";

/// A message with a header that everybody understands in the same way.
pub struct Draft<'a> {
    message: &'a dyn Reopen,
    /// Its header.
    pub header: Header,
    /// The header as it is sealed: no reader sees who the blind ones are.
    sealed_header: Vec<u8>,
}

/// Why a message cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// The header was not read to its end.
    #[error("its header is longer than 1 MiB")]
    HeaderTooLong,
    /// There is no header.
    #[error("it is not a message: it has no header field")]
    NoHeader,
    /// Mail programs would not agree for whom it is.
    #[error("line {line} of its header {doubt}, and {name} stands behind it")]
    Doubtful {
        /// The number of the line, from 1.
        line: usize,
        /// What it is.
        doubt: Doubt,
        /// The first field behind it that names people.
        name: String,
    },
    /// A field that may stand there once.
    #[error("it has two fields {0}")]
    Twice(&'static str),
}

impl<'a> Draft<'a> {
    /// Reads the header of a message, and checks it.
    ///
    /// # Errors
    /// [`DraftError`].
    pub fn read(message: &'a dyn Reopen) -> Result<Self, DraftError> {
        let reader = message.open().map_err(DraftError::Read)?;
        let header = Header::read(&mut BufReader::new(reader)).map_err(DraftError::Read)?;
        check(&header)?;
        Ok(Self {
            message,
            sealed_header: recipients::without_blind(&header),
            header,
        })
    }

    /// What is sealed: the message without its Bcc fields.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn content(&self) -> io::Result<impl Read + Send + '_> {
        let mut rest = self.message.open()?;
        let header_bytes = self.header.bytes().len() as u64;
        io::copy(&mut rest.by_ref().take(header_bytes), &mut io::sink())?;
        Ok(self.sealed_header.as_slice().chain(rest))
    }
}

fn check(header: &Header) -> Result<(), DraftError> {
    if header.end() == HeaderEnd::OverLimit {
        return Err(DraftError::HeaderTooLong);
    }
    if header.fields().next().is_none() {
        return Err(DraftError::NoHeader);
    }
    if let Some(line) = header.doubtful_line()
        && let Some(field) = header
            .doubtful_fields()
            .find(|field| names_people(field.name))
    {
        return Err(DraftError::Doubtful {
            line: line.line,
            doubt: line.doubt,
            name: field.name.to_owned(),
        });
    }
    match ONCE.iter().find(|name| header.all(name).count() > 1) {
        Some(name) => Err(DraftError::Twice(name)),
        None => Ok(()),
    }
}

fn names_people(name: &str) -> bool {
    let prefix = name.get(..RESENT.len());
    PEOPLE.iter().any(|one| one.eq_ignore_ascii_case(name))
        || prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(RESENT))
}
