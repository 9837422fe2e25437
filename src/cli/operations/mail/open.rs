//! Sealed messages opened, with failures that name the input.

use std::io::{self, Write};

use encl::operations::mail::incoming::open::{CheckedMessage, OpenMessageError, SealedMessage};
use encl::operations::mail::incoming::received::{Contents, Place, ReceivedMessage};

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, io_message, mail};
use crate::cli::files::input::Input;
use crate::cli::files::spool::MessageSource;
use crate::cli::operations::open::Opening;

/// Reads all of `input` and finds the envelopes in it.
pub(crate) fn receive(
    input: &Input,
    verb: &str,
    context: &Context,
) -> Result<(MessageSource, Contents), Failure> {
    MessageSource::open_looking(input, verb, &mut context.rng(), Contents::find)
}

/// The only envelope, or the one that `--part` names.
pub(crate) fn choose<'a>(
    received: &ReceivedMessage<'a>,
    part: Option<usize>,
    input: &Input,
    verb: &str,
) -> Result<Place<'a>, Failure> {
    let place = received.envelope(part);
    place.map_err(|error| mail::not_chosen(&error, &|exit| input.cannot(verb, exit)))
}

/// Opens the whole message into `sink`, and checks it.
pub(crate) fn open<W: Write + Send>(
    message: &SealedMessage<'_>,
    input: &Input,
    opening: &mut Opening<'_>,
    sink: W,
    not_written: impl Fn(&io::Error) -> Failure,
) -> Result<CheckedMessage<W>, Failure> {
    let verb = opening.verb;
    let (opener, typed) = opening.opener();
    let opened = message.open(&input.name(), opener, typed, sink);
    opened.map_err(|error| match error {
        OpenMessageError::Read(error) => {
            input.cannot(verb, Exit::Failed).reason(io_message(&error))
        }
        OpenMessageError::Open(failure) => opening.not_opened(input, failure),
        OpenMessageError::Content(error) => opening.cannot(input, error),
        OpenMessageError::Write(error) => not_written(&error),
        OpenMessageError::Sender(mismatch) => {
            mail::not_from_signer(&mismatch, &|exit| input.cannot(verb, exit))
        }
    })
}
