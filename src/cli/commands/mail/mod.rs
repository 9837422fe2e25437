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

use crate::cli::args::help::closing;
use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::errors::sysexits;
use crate::cli::errors::{CommandResult, Exit, Failure};

/// Encrypt and decrypt mail: wrap, unwrap, show, inspect, send, deliver, seal, unseal, grep
#[derive(Debug, Subcommand)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl mail wrap letter.eml > sealed.eml
  $ encl mail unwrap sealed.eml"))]
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

/// Runs a command about messages in the context that `begin` makes.
pub(crate) fn run(
    command: Command,
    begin: impl FnOnce() -> Result<Context, Failure>,
) -> CommandResult {
    // Mail programs act on the codes of these two, whatever goes wrong.
    let command = match command {
        Command::Send(arguments) => return sysexits::ended(|| send::run(&arguments, &begin()?)),
        Command::Deliver(arguments) => {
            return sysexits::ended(|| deliver::run(&arguments, &begin()?));
        }
        other => other,
    };
    let context = &mut begin()?;
    match command {
        Command::Wrap(arguments) => wrap::run(&arguments, context),
        Command::Unwrap(arguments) => unwrap::run(&arguments, context),
        Command::Show(arguments) => show::run(&arguments, context),
        Command::Inspect(arguments) => inspect::run(&arguments, context),
        Command::Send(_) | Command::Deliver(_) => Ok(()),
        Command::Seal(arguments) => seal::run(&arguments, context),
        Command::Unseal(arguments) => unseal::run(&arguments, context),
        Command::Grep(arguments) => grep::run(&arguments, context),
    }
}

/// Whether the exit codes are those of sysexits.h, by the names of a command whose line cannot be read.
pub(crate) fn speak_sysexits(names: &[std::ffi::OsString]) -> bool {
    matches!(names, [mail, name, ..] if mail == "mail" && (name == "send" || name == "deliver"))
}
