//! A message that is to be sent, as a mail program gave it.

use std::io::{self, BufReader, Read};

use encl::mail::{Header, HeaderEnd, Reopen, recipients};

use crate::cli::commands::mail::send::cannot;
use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::spool::MessageSource;

/// Fields that a message has once (RFC 5322 §3.6); with two of them readers would not agree on what it says.
const ONCE: [&str; 3] = ["From", "Date", "Message-ID"];

/// A message with a header that everybody understands in the same way.
pub(crate) struct Draft<'a> {
    source: &'a MessageSource,
    pub(crate) header: Header,
    /// The header as it is sealed: no reader sees who the blind ones are.
    head: Vec<u8>,
}

impl<'a> Draft<'a> {
    pub(crate) fn read(source: &'a MessageSource) -> Result<Self, Failure> {
        let unreadable = |error: io::Error| {
            let failure = cannot(Exit::Failed).reason(io_message(&error));
            failure.sysexit(Sysexit::IoErr)
        };
        let reader = source.open().map_err(unreadable)?;
        let header = Header::read(&mut BufReader::new(reader)).map_err(unreadable)?;
        if let Some(because) = no_message(&header) {
            let failure = cannot(Exit::Damaged).reason(because);
            return Err(failure.sysexit(Sysexit::DataErr));
        }
        Ok(Self {
            source,
            head: recipients::without_blind(&header),
            header,
        })
    }

    /// What is sealed.
    pub(crate) fn content(&self) -> io::Result<impl Read + '_> {
        let mut rest = self.source.open()?;
        let header_bytes = self.header.bytes().len() as u64;
        io::copy(&mut rest.by_ref().take(header_bytes), &mut io::sink())?;
        Ok(self.head.as_slice().chain(rest))
    }
}

/// Why a message with this header cannot be sent.
fn no_message(header: &Header) -> Option<String> {
    if header.end() == HeaderEnd::OverLimit {
        return Some("its header is longer than 1 MiB".to_owned());
    }
    if header.fields().next().is_none() {
        return Some("it is not a message: it has no header field".to_owned());
    }
    let twice = ONCE.iter().find(|name| header.all(name).count() > 1);
    twice.map(|name| format!("it has two fields {name}"))
}
