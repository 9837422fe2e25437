//! `encl gate`: servers that are asked at each opening, and what an owner tells them.

mod add;
pub(crate) mod audit;
mod compare;
mod contacts;
mod state;
mod status;

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit};

/// Gates, servers that are asked at each opening: add, list, show, remove, status, compare, revoke, allow, expire
#[derive(Debug, Subcommand)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl gate add https://gate.example.org --yes
  $ encl gate list"))]
pub(crate) enum Command {
    /// Add a gate to the contacts, or take its newer card
    Add(add::Arguments),
    /// List gates
    #[command(after_help = closing(&[Exit::Failed], "  $ encl gate list"))]
    List,
    /// Show a gate: its address, fingerprint, card and log
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl gate show gate.example.org"))]
    Show {
        /// Name, address or fingerprint
        gate: String,
    },
    /// Remove a gate: it is not asked any more
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient], "\
  $ encl gate remove gate.example.org --yes"))]
    Remove {
        /// Name, address or fingerprint
        gate: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show what the gates of an envelope know, and tell them again what they missed
    Status(status::Arguments),
    /// Compare two checkpoints or receipts of one gate
    #[command(
        long_about = "Compare two checkpoints or receipts of one gate\n\n\
A gate that tells different people different stories has signed two logs of the same length that differ. A and B are files, each \
with a checkpoint that the gate signed, or with a receipt, such as `encl unwrap --receipts` writes. If one has more entries than the \
other, the gate has to prove that its log went on: it is asked for hashes that everybody may fetch. If it does not, or they \
contradict each other, exit 4, and both are kept as evidence.",
        after_help = closing(&[Exit::Failed, Exit::Damaged, Exit::Recipient], "\
  $ encl gate compare mine.receipt from-bob.receipt")
    )]
    Compare {
        /// A file with a checkpoint or a receipt
        #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
        one: PathBuf,
        /// Another one
        #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
        other: PathBuf,
    },
    /// Tell the gates to answer nobody any more, or one person not any more. Cannot be taken back
    Revoke(state::Revoke),
    /// Tell the gates to answer somebody whom the author did not name
    Allow(state::Allow),
    /// Tell the gates to answer nobody from a time on. It only ever gets earlier
    Expire(state::Expire),
}

pub(crate) fn run(command: Command, context: &Context) -> CommandResult {
    match command {
        Command::Add(arguments) => add::run(&arguments, context)?,
        Command::List => contacts::list(context)?,
        Command::Show { gate } => contacts::show(&gate, context)?,
        Command::Remove { gate, yes } => contacts::remove(&gate, yes, context)?,
        Command::Status(arguments) => status::run(&arguments, context)?,
        Command::Compare { one, other } => compare::run(&one, &other, context)?,
        Command::Revoke(arguments) => state::revoke(&arguments, context)?,
        Command::Allow(arguments) => state::allow(&arguments, context)?,
        Command::Expire(arguments) => state::expire(&arguments, context)?,
    }
    Ok(())
}
