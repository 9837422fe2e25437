//! `encl mail seal`: the mail that lies on the server already becomes sealed mail.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::directory::{People, Recipients, resolve};
use encl::mail::archive::Mode;
use encl::mail::parse_list;
use encl::operations::mail::mailbox::seal::MailboxSealer;

use crate::cli::args::mailbox::ArchiveOptions;
use crate::cli::commands::program::completions::who as who_completer;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::operations::mail::mailbox::{self, Words, new_rng};
use crate::cli::operations::mail::notice::notice;
use crate::cli::operations::recipients::{at_mailboxes, store_cards};

static WORDS: Words = Words {
    verb: "seal",
    done: "sealed",
    schema: "encl.mail-seal/1",
};

/// Seal the messages of a mailbox where they lie
///
/// Only the reader's card is needed. Each message is sealed whole, read back from the disk and opened before its plain file
/// goes; what is sealed already stays as it is, so that a run that was interrupted is simply run again. Freed blocks, backups
/// and the caches of mail programs still hold what was in clear.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Exists], "\
  $ encl mail seal mailbox --for bob@example.org --dry-run
  $ encl mail seal mailbox --for alice@example.org --purge-caches
  $ encl mail seal archive.mbox --for alice@example.org --keep-original originals"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    archive: ArchiveOptions,

    /// Whose mail it is: an address, or anything else that names a person or group here
    #[arg(long = "for", value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    owners: Vec<String>,

    /// Remove `dovecot.index.cache`, which keeps subjects in clear
    #[arg(long)]
    purge_caches: bool,

    /// An own text in front of each envelope: printable ASCII, at most 78 columns and 4 KiB
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

/// Whoever is named: by an address, as mail does, or in any other way.
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
