//! `encl contact`: other people's cards.

use std::path::PathBuf;

use clap::Subcommand;

use super::context::Context;
use super::help::closing;
use super::report::{Exit, Failure, Outcome};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add or update a contact from a card
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Recipient, Exit::Newer], "\
  $ encl contact add bob.card --yes"))]
    Add {
        /// A card file, or `-` for standard input (the default)
        file: Option<PathBuf>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List contacts
    #[command(after_help = closing(&[Exit::Failed], "  $ encl contact list"))]
    List,
    /// Show a contact: addresses, fingerprint, trust, keys
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl contact show bob@example.org"))]
    Show {
        /// Address, name or fingerprint
        who: String,
    },
    /// Remove a contact
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl contact remove bob@example.org --yes"))]
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
