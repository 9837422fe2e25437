//! What a person can ask for: one command a file. A command never uses another command.

pub(crate) mod access;
pub(crate) mod envelope;
pub(crate) mod key;
pub(crate) mod keystore;
pub(crate) mod mail;
pub(crate) mod people;
pub(crate) mod program;

use clap::Subcommand;

use access::{approve, drop, grant, revoke, rewrap};
use envelope::{inspect, unwrap, verify, wrap};
use keystore::{backup, doctor, restore, unlock};
use people::{contact, group, invite};
use program::help::closing;
use program::{completions, help, man, version};

use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Failure, sysexits};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Wrap(wrap::Arguments),
    Unwrap(unwrap::Arguments),
    Inspect(inspect::Arguments),
    Verify(verify::Arguments),
    Grant(grant::Arguments),
    Drop(drop::Arguments),
    Revoke(revoke::Arguments),
    Rewrap(rewrap::Arguments),
    Approve(approve::Arguments),
    /// My identities, the keys that decrypt and sign: new, list, show, card, default, passphrase, rotate, renew, replace,
    /// revoke, export, import, paper, remove
    #[command(subcommand, arg_required_else_help = true, after_help = closing(&Exit::ALL, "\
  $ encl key new bob@example.org > bob.card
  $ encl key list"))]
    Key(key::Command),
    /// Other people's cards, the public keys that I encrypt for: add, list, show, verify, block, unblock, remove
    #[command(subcommand, arg_required_else_help = true, after_help = closing(&Exit::ALL, "\
  $ encl contact add bob.card --yes
  $ encl contact list"))]
    Contact(contact::Command),
    Invite(invite::Arguments),
    /// Groups of recipients: new, add, remove, list, show, delete
    #[command(subcommand, arg_required_else_help = true, after_help = closing(&Exit::ALL, "\
  $ encl group new board bob@example.org carol@example.org
  $ encl wrap report.pdf --to @finance"))]
    Group(group::Command),
    /// Encrypt and decrypt mail: wrap, unwrap, show, inspect, send, deliver, seal, unseal, grep
    #[command(subcommand, arg_required_else_help = true, after_help = closing(&Exit::ALL, "\
  $ encl mail wrap letter.eml > sealed.eml
  $ encl mail unwrap sealed.eml"))]
    Mail(mail::Command),
    Unlock(unlock::Unlock),
    Lock(unlock::Lock),
    Backup(backup::Arguments),
    Restore(restore::Arguments),
    Doctor(doctor::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    Help(help::Arguments),
    Version(version::Arguments),
}

impl Command {
    pub(crate) fn run(self, context: &mut Context) -> CommandResult {
        match self {
            Self::Wrap(arguments) => wrap::run(&arguments, context),
            Self::Unwrap(arguments) => unwrap::run(&arguments, context),
            Self::Inspect(arguments) => inspect::run(&arguments, context),
            Self::Verify(arguments) => verify::run(&arguments, context),
            Self::Grant(arguments) => grant::run(&arguments, context),
            Self::Drop(arguments) => drop::run(&arguments, context),
            Self::Revoke(arguments) => revoke::run(&arguments, context),
            Self::Rewrap(arguments) => rewrap::run(&arguments, context),
            Self::Approve(arguments) => approve::run(&arguments, context),
            Self::Key(command) => key::run(command, context),
            Self::Contact(command) => contact::run(command, context),
            Self::Invite(arguments) => invite::run(&arguments, context),
            Self::Group(command) => group::run(command, context),
            Self::Mail(command) => mail::run(command, context),
            Self::Unlock(arguments) => unlock::unlock(&arguments, context),
            Self::Lock(arguments) => unlock::lock(&arguments, context),
            Self::Backup(arguments) => backup::run(&arguments, context),
            Self::Restore(arguments) => restore::run(&arguments, context),
            Self::Doctor(arguments) => doctor::run(&arguments, context),
            Self::Completions(_) | Self::Man(_) | Self::Help(_) | Self::Version(_) => Ok(()),
        }
    }

    /// A failure before the command began, with the code that whoever runs it acts on.
    pub(crate) fn coded(&self, failure: Failure) -> Failure {
        match self {
            Self::Mail(command) if command.speaks_sysexits() => sysexits::coded(failure),
            _ => failure,
        }
    }
}
