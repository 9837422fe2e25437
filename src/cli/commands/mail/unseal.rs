//! `encl mail unseal`: a sealed mailbox becomes plain again.

use crate::cli::args::help::closing;
use crate::cli::args::mail::mailbox::ArchiveOptions;
use crate::cli::context::Context;
use crate::cli::errors::CommandResult;
use crate::cli::errors::Exit;
use crate::cli::operations::mail::mailbox;
use crate::cli::operations::mail::mailbox::Words;
use crate::cli::operations::mail::mailbox::unlocked_keys;
use clap::Args;
use encl::operations::mail::mailbox::unseal::MailboxOpener;

static WORDS: Words = Words {
    verb: "unseal",
    done: "unsealed",
    schema: "encl.mail-unseal/1",
};

/// Decrypt the messages of a mailbox in place
///
/// Every message encrypted for me, by any sender, is replaced by the original message, byte for byte. A message that cannot be
/// decrypted stays as it is.
///
/// Root works on another user's mail with that user's rights, and skips what belongs to another user than its folder.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl mail unseal mailbox --dry-run
  $ encl mail unseal mailbox --keep-original sealed-originals"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: ArchiveOptions,

    /// Decrypt with this one of my identities [default: $ENCL_IDENTITY, else all]
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
