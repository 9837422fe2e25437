//! `encl mail unseal`: a sealed mailbox becomes plain again.

use clap::Args;
use encl::operations::mail::mailbox::unseal::MailboxOpener;

use crate::cli::args::mailbox::ArchiveOptions;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit};
use crate::cli::operations::mail::mailbox::{self, Words, unlocked_keys};

static WORDS: Words = Words {
    verb: "unseal",
    done: "unsealed",
    schema: "encl.mail-unseal/1",
};

/// Make a sealed mailbox plain again
///
/// Every message that is sealed for me, by whomever, becomes the message that was sealed, byte for byte; what cannot be opened
/// stays as it is.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl mail unseal mailbox --dry-run
  $ encl mail unseal mailbox --keep-original sealed-originals"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: ArchiveOptions,

    /// Open with this identity of mine only [default: $ENCL_IDENTITY, else all]
    #[arg(long = "as", value_name = "WHO")]
    identity: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let people = context.people()?;
    let identity = arguments.identity.as_deref();
    let keys = unlocked_keys("unseal", identity, &people, context)?;
    let opener = MailboxOpener::new(&keys, context.now);
    mailbox::run(&arguments.archive, &opener, &WORDS, context)
}
