//! `encl mail seal`: the mail that lies on the server already becomes sealed mail.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::directory::{Recipients, WhoUse};
use encl::mail::archive::Mode;
use encl::operations::mail::mailbox::seal::MailboxSealer;

use crate::cli::args::gate::GateOptions;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::mail::mailbox::ArchiveOptions;
use crate::cli::args::mail::message::notice;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Tally};
use crate::cli::operations::gate::sealing;
use crate::cli::operations::mail::mailbox::{self, Words, new_rng};
use crate::cli::operations::recipients::{owners, store_cards};

static WORDS: Words = Words {
    verb: "seal",
    done: "sealed",
    schema: "encl.mail-seal/1",
    leaves_clear: true,
};

/// Encrypt the messages of a mailbox in place
///
/// Needs only the owner's card. Each message is encrypted with its header, read back from the disk and decrypted before its
/// plain file is removed. Messages already encrypted stay as they are, so after an interruption run the same command again.
/// Plain text can still be in freed disk blocks, in backups and in caches of mail programs.
///
/// In a folder, mboxes and messages are recognised by what they hold. What may be mail and stays unencrypted, such as links and
/// .emlx files, is named, and the exit code is not 0; nor is it 0 if no mail is found at all.
///
/// Root works on another user's mail with that user's rights, and skips what belongs to another user than its folder.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl mail seal mailbox --for bob@example.org --dry-run
  $ encl mail seal mailbox --for alice@example.org --purge-caches
  $ encl mail seal archive.mbox --for alice@example.org --keep-original originals"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: ArchiveOptions,

    /// The owner of the mail: an address, a name, a fingerprint, a @group or a card
    #[arg(long = "for", value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    owners: Vec<String>,

    /// Also remove `dovecot.index.cache` files, which hold unencrypted subjects
    #[arg(long)]
    purge_caches: bool,

    /// Your own notice, shown before each envelope: printable ASCII, at most 78 columns and 4 KiB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    notice: Option<PathBuf>,

    #[command(flatten)]
    gate: GateOptions,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let notice = notice(arguments.notice.as_deref())?;
    let people = context.people()?;
    let owners = owners(&arguments.owners, WhoUse::Recipient, &people, context)?;
    let owners = Recipients::new(owners, None, context.now)?;
    let is_applied = arguments.archive.mode() == Mode::Apply;
    if is_applied {
        store_cards(&owners, &people, context)?;
    }
    // The mail is theirs: they can revoke what is sealed here.
    let ids = owners.addressees.iter().map(|one| one.recipient.id);
    let gate = sealing::unsigned(&arguments.gate, ids.collect(), context)?;
    let sealer = MailboxSealer::new(owners.addressees, gate, &notice, context.now, &new_rng);
    let sealed = mailbox::run(&arguments.archive, &sealer, &WORDS, context);
    if arguments.purge_caches && is_applied {
        let mut tally = Tally::default();
        for path in arguments.archive.paths() {
            tally.add(context.terminal, mailbox::purge_caches(path, context));
        }
        return sealed.and(tally.end());
    }
    sealed
}
