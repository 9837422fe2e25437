//! `encl group`: named sets of contacts.

use clap::Subcommand;

use super::context::Context;
use super::help::closing;
use super::report::{Exit, Failure, Outcome};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a group
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl group new board bob@example.org carol@example.org"))]
    New {
        /// Small letters, digits, `.`, `_`, `-`
        name: String,
        /// Its first members
        who: Vec<String>,
    },
    /// Add contacts to a group
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl group add finance carol@example.org"))]
    Add {
        /// The group
        name: String,
        /// Address, name or fingerprint
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// Remove contacts from a group
    #[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl group remove finance bob@example.org"))]
    Remove {
        /// The group
        name: String,
        /// Address, name or fingerprint
        #[arg(required = true)]
        who: Vec<String>,
    },
    /// List groups
    #[command(after_help = closing(&[Exit::Failed], "  $ encl group list"))]
    List,
    /// Show the members of a group
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl group show finance"))]
    Show {
        /// The group
        name: String,
    },
    /// Delete a group; its members stay contacts
    #[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl group delete finance"))]
    Delete {
        /// The group
        name: String,
    },
}

pub(crate) fn run(_command: Command, _context: &mut Context) -> Outcome {
    Err(Failure::new(Exit::Failed, "cannot do this: not built yet").into())
}
