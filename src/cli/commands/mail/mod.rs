//! `encl mail`: messages sealed, sent, delivered, read and archived.

pub(crate) mod deliver;
pub(crate) mod grep;
pub(crate) mod inspect;
pub(crate) mod seal;
pub(crate) mod send;
pub(crate) mod show;
pub(crate) mod unseal;
pub(crate) mod unwrap;
pub(crate) mod wrap;

use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::errors::CommandResult;

/// The commands about messages.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Wrap(wrap::Arguments),
    Unwrap(unwrap::Arguments),
    Show(show::Arguments),
    Inspect(inspect::Arguments),
    Send(send::Arguments),
    Deliver(deliver::Arguments),
    Seal(seal::Arguments),
    Unseal(unseal::Arguments),
    Grep(grep::Arguments),
}

pub(crate) fn run(command: Command, context: &mut Context) -> CommandResult {
    match command {
        Command::Wrap(arguments) => wrap::run(&arguments, context),
        Command::Unwrap(arguments) => unwrap::run(&arguments, context),
        Command::Show(arguments) => show::run(&arguments, context),
        Command::Inspect(arguments) => inspect::run(&arguments, context),
        Command::Send(arguments) => send::run(&arguments, context),
        Command::Deliver(arguments) => deliver::run(&arguments, context),
        Command::Seal(arguments) => seal::run(&arguments, context),
        Command::Unseal(arguments) => unseal::run(&arguments, context),
        Command::Grep(arguments) => grep::run(&arguments, context),
    }
}

impl Command {
    /// Whether its exit codes are those of sysexits.h.
    pub(crate) fn speaks_sysexits(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Deliver(_))
    }
}

/// The same for a command line that cannot be read, by the names of its command.
pub(crate) fn speak_sysexits(names: &[std::ffi::OsString]) -> bool {
    matches!(names, [mail, name, ..] if mail == "mail" && (name == "send" || name == "deliver"))
}
