//! `encl mail inspect`: the envelopes in a message and what stands beside them; needs no key.

use clap::Args;
use encl::directory::People;
use encl::operations::mail::incoming::received::{Place, ReceivedMessage};

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::mail::show_outside;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, io_message};
use crate::cli::files::input::Input;
use crate::cli::operations::mail::open::choose;
use crate::cli::operations::mail::open::receive;
use crate::cli::operations::open::inspect::inspect;

/// Envelopes of one message that are shown: for each, the message is read up to where it stands.
const ENVELOPES_MAX: usize = 20;

/// Show the envelopes in a message: who can decrypt them, who signed them; needs no key
///
/// Nothing is decrypted, so nothing is verified. Parts that are not encrypted are listed.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Newer], "\
  $ encl mail inspect sealed.eml
  $ encl mail inspect --json sealed.eml"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let people = context
        .people()
        .unwrap_or_else(|_| People::nobody(context.keystore.clone()));
    let mut tally = Tally::default();
    for input in arguments.inputs.all("inspect", context)? {
        tally.add(context.terminal, inspect_message(&input, &people, context));
    }
    tally.end()
}

fn inspect_message(input: &Input, people: &People, context: &Context) -> Result<(), Failure> {
    let (source, contents) = receive(input, "inspect", context)?;
    let received = ReceivedMessage::new(&source, &contents);
    let envelopes = contents.findings.envelopes.iter();
    let mut places: Vec<Place<'_>> = envelopes.map(Place::Part).collect();
    if places.is_empty() {
        places.push(choose(&received, None, input, "inspect")?);
    }
    let more = places.len().saturating_sub(ENVELOPES_MAX);
    for place in places.into_iter().take(ENVELOPES_MAX) {
        let part = match place {
            Place::Part(sealed) => Some(&*sealed.part.number),
            Place::Bare => None,
        };
        let envelope = received.open(place).map_err(|error| {
            input
                .cannot("inspect", Exit::Failed)
                .reason(io_message(&error))
        })?;
        inspect((input, part), envelope, people, context)?;
    }
    if more > 0 {
        let text = format!("{more} more envelopes are not shown");
        context.terminal.notice(&text);
    }
    show_outside(&received, context.terminal);
    Ok(())
}
