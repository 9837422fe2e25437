//! `encl mail`: messages sealed, sent, delivered, read and archived.

mod archive;
mod attach;
mod author;
mod child;
mod compare;
mod deliver;
mod grep;
mod inner;
mod inspect;
mod letter;
mod maildir;
mod opened;
mod output;
mod readers;
mod restore;
mod seal;
mod sealed;
mod send;
mod show;
mod source;
pub(crate) mod sysexits;
mod unseal;
mod unwrap;
mod verdict;
mod whole;
mod wrap;

use clap::Subcommand;

use super::context::Context;
use super::report::Outcome;

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

pub(crate) fn run(command: Command, context: &mut Context) -> Outcome {
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

/// Whether the command line is one whose exit codes are those of sysexits.h; asked when it cannot be read otherwise.
pub(crate) fn speaks_sysexits() -> bool {
    let words: Vec<_> = std::env::args_os()
        .take_while(|word| word != "--")
        .collect();
    let is_mail = |pair: &[std::ffi::OsString]| {
        pair[0] == "mail" && (pair[1] == "send" || pair[1] == "deliver")
    };
    words.windows(2).any(is_mail)
}
