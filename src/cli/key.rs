//! `encl key`: my identities.

use std::path::PathBuf;

use clap::Subcommand;

use super::context::Context;
use super::help::closing;
use super::report::{Exit, Failure, Outcome};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an identity; its card goes to standard output
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Exists], "\
  $ encl key new bob@example.org > bob.card
  $ encl key new robot@example.org --name \"Build robot\" --no-passphrase > robot.card"))]
    New {
        /// Where mail reaches you
        address: String,
        /// How people call you [default: the address]
        #[arg(long)]
        name: Option<String>,
        /// One more address on the card
        #[arg(long, value_name = "ADDRESS")]
        also_address: Vec<String>,
        /// X25519 instead of X-Wing: smaller, and no shield against quantum computers
        #[arg(long)]
        classic: bool,
        /// When its encryption key ends: RFC 3339, a date, or a span such as 730d
        #[arg(long, value_name = "WHEN")]
        expires: Option<String>,
        /// Keep the private key in the clear (0600)
        #[arg(long)]
        no_passphrase: bool,
        /// What a guess at the passphrase costs: 2^COST KiB of memory, 16 to 20
        #[arg(long, value_name = "COST", conflicts_with = "no_passphrase")]
        cost: Option<u8>,
    },
    /// List my identities
    #[command(after_help = closing(&[Exit::Failed], "  $ encl key list"))]
    List,
    /// Show one of my identities
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl key show"))]
    Show {
        /// Address, name or fingerprint [default: the default identity]
        who: Option<String>,
    },
    /// Print the card of one of my identities, to be given to others
    #[command(after_help = closing(&[Exit::Failed, Exit::Exists], "  $ encl key card > me.card"))]
    Card {
        /// Address, name or fingerprint [default: the default identity]
        who: Option<String>,
        /// Write to OUT
        #[arg(long, short, value_name = "OUT")]
        output: Option<PathBuf>,
        /// Replace OUT if it exists
        #[arg(long)]
        force: bool,
    },
    /// Show or choose the identity that signs when nothing else is said
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl key default"))]
    Default {
        /// Address, name or fingerprint
        who: Option<String>,
    },
    /// Remove an identity and its private keys, for good
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl key remove alice@example.org --yes"))]
    Remove {
        /// Address, name or fingerprint
        who: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) fn run(_command: Command, _context: &mut Context) -> Outcome {
    Err(Failure::new(Exit::Failed, "cannot do this: not built yet").into())
}
