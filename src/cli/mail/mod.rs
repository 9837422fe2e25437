//! `encl mail`: messages sealed, sent, delivered, read and archived.

mod author;
mod output;
mod readers;
mod source;
mod wrap;

use clap::Subcommand;

use super::context::Context;
use super::report::Outcome;

/// The commands about messages.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Wrap(wrap::Arguments),
}

pub(crate) fn run(command: Command, context: &mut Context) -> Outcome {
    match command {
        Command::Wrap(arguments) => wrap::run(&arguments, context),
    }
}
