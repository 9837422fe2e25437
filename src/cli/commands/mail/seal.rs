//! `encl mail seal`: the mail that lies on the server already becomes sealed mail.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::directory::{People, Recipients, resolve};
use encl::mail::archive::Mode;
use encl::mail::parse_list;
use encl::operations::mail::mailbox::seal::MailboxSealer;

use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::mail::mailbox::ArchiveOptions;
use crate::cli::args::mail::message::notice;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::operations::mail::mailbox::{self, Words, new_rng};
use crate::cli::operations::recipients::{at_mailboxes, store_cards};

static WORDS: Words = Words {
    verb: "seal",
    done: "sealed",
    schema: "encl.mail-seal/1",
};

/// Encrypt the messages of a mailbox in place
///
/// Needs only the owner's card. Each message is encrypted with its header, read back from the disk and decrypted before its
/// plain file is removed. Messages already encrypted stay as they are, so after an interruption run the same command again.
/// Plain text can still be in freed disk blocks, in backups and in caches of mail programs.
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

    /// The owner of the mail: an address, or another name of a person or group in the keystore
    #[arg(long = "for", value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    owners: Vec<String>,

    /// Also remove `dovecot.index.cache` files, which hold unencrypted subjects
    #[arg(long)]
    purge_caches: bool,

    /// Your own notice, shown before each envelope: printable ASCII, at most 78 columns and 4 KiB
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    notice: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let notice = notice(arguments.notice.as_deref())?;
    let people = context.people()?;
    let owners = owners(&arguments.owners, &people, context)?;
    let is_applied = arguments.archive.mode() == Mode::Apply;
    if is_applied {
        store_cards(&owners, &people, context)?;
    }
    let sealer = MailboxSealer::new(owners.addressees, &notice, context.now, &new_rng);
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

/// The owners that are named: by a mail address, or in any other way.
fn owners(names: &[String], people: &People, context: &Context) -> Result<Recipients, Failure> {
    let mut found = Vec::new();
    for name in names {
        let is_card =
            name.contains('/') || Path::new(name).extension().is_some_and(|e| e == "card");
        let is_address = name.find('@').is_some_and(|at| at > 0) && !is_card;
        found.extend(match parse_list(name) {
            Ok(mailboxes) if is_address => at_mailboxes(&mailboxes, people, context)?,
            _ => resolve(&[name], people)?,
        });
    }
    Ok(Recipients::new(found, None, context.now)?)
}
