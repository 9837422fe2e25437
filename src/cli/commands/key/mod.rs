//! `encl key`: my identities, one command a file.

pub(crate) mod adopt;
pub(crate) mod card;
pub(crate) mod default;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod new;
pub(crate) mod paper;
pub(crate) mod passphrase;
pub(crate) mod remove;
pub(crate) mod renew;
pub(crate) mod replace;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod show;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit};
use clap::Subcommand;

/// My identities, the keys that decrypt and sign: new, list, show, card, default, passphrase, rotate, renew, replace,
/// revoke, export, import, paper, remove, adopt
#[derive(Debug, Subcommand)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl key new bob@example.org -o me.card
  $ encl key list"))]
pub(crate) enum Command {
    New(new::Arguments),
    List(list::Arguments),
    Show(show::Arguments),
    Card(card::Arguments),
    Default(default::Arguments),
    Passphrase(passphrase::Arguments),
    Rotate(rotate::Arguments),
    Renew(renew::Arguments),
    Replace(replace::Arguments),
    Revoke(revoke::Arguments),
    Export(export::Arguments),
    Import(import::Arguments),
    Paper(paper::Arguments),
    Remove(remove::Arguments),
    Adopt(adopt::Arguments),
}

pub(crate) fn run(command: Command, context: &mut Context) -> CommandResult {
    match command {
        Command::New(arguments) => new::run(arguments, context),
        Command::List(list::Arguments {}) => list::run(context),
        Command::Show(arguments) => show::run(&arguments, context),
        Command::Card(arguments) => card::run(&arguments, context),
        Command::Default(arguments) => default::run(&arguments, context),
        Command::Passphrase(arguments) => passphrase::run(&arguments, context),
        Command::Rotate(arguments) => rotate::run(&arguments, context),
        Command::Renew(arguments) => renew::run(&arguments, context),
        Command::Replace(arguments) => replace::run(&arguments, context),
        Command::Revoke(arguments) => revoke::run(&arguments, context),
        Command::Export(arguments) => export::run(&arguments, context),
        Command::Import(arguments) => import::run(&arguments, context),
        Command::Paper(arguments) => paper::run(&arguments, context),
        Command::Remove(arguments) => remove::run(&arguments, context),
        Command::Adopt(arguments) => adopt::run(&arguments, context),
    }?;
    Ok(())
}
