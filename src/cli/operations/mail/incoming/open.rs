//! A sealed message being opened: everything is checked that can be, before anybody relies on it.

use std::io::{self, Write};

use encl::directory::People;
use encl::envelope::{OpenError, Opened, Workers};
use encl::mail::Header;

use crate::cli::context::Context;
use crate::cli::errors::envelope;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::mail::incoming::header_tap::HeaderTap;
use crate::cli::operations::mail::incoming::received::{Place, ReceivedMessage};
use crate::cli::operations::mail::incoming::sender_check;
use crate::cli::operations::mail::incoming::sender_check::FromMismatch;
use crate::cli::operations::open::Opening;

/// The envelope that is opened.
pub(crate) struct SealedMessage<'a> {
    pub(crate) letter: &'a ReceivedMessage<'a>,
    pub(crate) place: Place<'a>,
    pub(crate) rule: FromMismatch,
    pub(crate) people: &'a People,
}

/// A message that has passed, and was found good.
pub(crate) struct CheckedMessage<W> {
    pub(crate) sink: W,
    pub(crate) about: Opened,
    pub(crate) bytes: u64,
    header: Header,
    holds_envelope: bool,
}

impl SealedMessage<'_> {
    /// Opens the whole message into `sink`, and holds it against what it says of itself.
    pub(crate) fn pass<W: Write + Send>(
        &self,
        opening: &mut Opening<'_>,
        sink: W,
        not_written: impl Fn(&io::Error) -> Failure,
    ) -> Result<CheckedMessage<W>, Failure> {
        let input = self.letter.input;
        let content = opening.open_reader(input, self.letter.envelope(self.place)?)?;
        let mut inner = HeaderTap::new(sink);
        let (about, bytes) = content
            .copy_to(&mut inner, Workers::Processors)
            .map_err(|error| match error {
                OpenError::Write(error) => not_written(&error),
                error => envelope::failure(input.cannot(self.letter.verb, Exit::Failed), error),
            })?;
        let (sink, header, holds_envelope) =
            inner.into_parts().map_err(|error| not_written(&error))?;
        sender_check::check_from(
            (self.letter.verb, input),
            &about,
            &header,
            self.rule,
            self.people,
        )?;
        Ok(CheckedMessage {
            sink,
            about,
            bytes,
            header,
            holds_envelope,
        })
    }
}

impl<W> CheckedMessage<W> {
    /// What should be known beside who sealed it.
    pub(crate) fn tell(&self, letter: &ReceivedMessage<'_>, context: &Context) {
        if let Some(arrived) = letter.header() {
            sender_check::tell_differences(&self.about, arrived, context);
        }
        sender_check::warn_of_names(&self.header, context);
        for line in letter.outside() {
            context.terminal.notice(&line);
        }
        if !sender_check::is_message(&self.about) {
            context.terminal.notice("it holds a file, not a message");
        }
        if self.holds_envelope {
            context
                .terminal
                .notice("there is a further envelope inside, which was left as it is");
        }
    }
}
