//! `encl restore`: a backup merged into the keystore.

use std::path::PathBuf;
use std::{io, thread};

use clap::{Args, ValueHint};
use encl::envelope::Opened;
use encl::keystore::{BACKUP_TYPE, read_parts};

use crate::cli::args::InputFiles;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::keystore;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::parallel::Parallelism;
use crate::cli::operations::identity::restore_backup::{Merge, Stopped};
use crate::cli::operations::open;
use crate::cli::operations::open::{Opening, Requirements};
use crate::cli::terminal::{safe, shown};

pub(crate) const VERB: &str = "restore";

/// Merge a backup into the keystore
///
/// Newer data in the keystore is kept; missing data is added from the backup. Existing groups do not change. A contact that is
/// blocked or revoked in either place stays so. Verified contacts are verified again. This holds for your own backups: signed
/// by an identity of yours, or opened by a passphrase and holding one of your identities. From any other backup only contacts
/// and groups are added. The changes are shown first, and you confirm them.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient, Exit::Damaged, Exit::Locked, Exit::Exists], "\
  $ encl backup -o keystore.encl && encl restore keystore.encl --dry-run
  $ encl backup -o keystore.encl && encl restore keystore.encl --yes --keystore elsewhere"))]
pub(crate) struct Arguments {
    /// A backup (`-`: standard input)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Dry run: show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    /// Also add identities from a backup that may not be yours: its maker can decrypt what is encrypted for them
    #[arg(long)]
    foreign: bool,

    /// Decrypt with this one of my identities [default: $ENCL_IDENTITY, else all]
    #[arg(long = "as", value_name = "WHO")]
    identity: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    if context.json && !arguments.yes && !arguments.dry_run {
        let failure = Failure::new(
            Exit::Usage,
            "cannot ask for confirmation: --json does not show the changes",
        );
        return Err(failure
            .hint("--dry-run shows the changes, --yes makes them")
            .into());
    }
    let files = InputFiles {
        files: vec![arguments.file.clone()],
        ..InputFiles::default()
    };
    let inputs = Input::of(&files, VERB, context)?;
    let input = &inputs[0];
    let people = context.people()?;
    let demands = Requirements {
        identity: arguments.identity.clone(),
        ..Requirements::default()
    };
    let keystore = context.keystore.clone();
    let mine = keystore.identities();
    let mine = mine.map_err(|error| keystore::unreadable(&error))?;
    let mine = mine.iter().map(|one| one.card.id()).collect();
    let mut backup = Backup {
        input,
        // It is read twice, and nobody may change it in between.
        source: input.open(VERB)?.spooled(input, VERB)?,
        opening: Opening::new(VERB, &demands, &people, context)?,
    };
    let mut merge = Merge::foresee(&keystore, mine, arguments.foreign, context);
    let signer = backup.read(&mut merge)?.signer();
    let signer = signer.map(|id| people.signer(id));
    let foreseen = merge.end();
    let is_idle = arguments.dry_run || !foreseen.report.changes_anything();
    if is_idle || !context.json {
        let report = &foreseen.report;
        report.show(input, signer.as_ref(), arguments.dry_run, context)?;
    }
    let mut tally = Tally::default();
    if is_idle {
        let failures = foreseen.failures.into_iter();
        failures.for_each(|failure| tally.add(context.terminal, Err(failure)));
        return tally.end();
    }
    if !arguments.yes {
        let place = shown(keystore.root());
        let what = format!("cannot restore {}", input.name());
        context.confirm(&format!("Restore this into {place}?"), &what)?;
    }
    let mut merge = Merge::act(&keystore, foreseen, context);
    backup.read(&mut merge)?;
    let done = merge.end();
    if context.json {
        let report = &done.report;
        report.show(input, signer.as_ref(), false, context)?;
    }
    if done.failures.is_empty() {
        let text = "restored; no newer data was replaced";
        context.terminal.status(text);
    }
    let failures = done.failures.into_iter();
    failures.for_each(|failure| tally.add(context.terminal, Err(failure)));
    tally.end()
}

/// A backup that is opened as often as it is read.
struct Backup<'a> {
    input: &'a Input,
    source: Source,
    opening: Opening<'a>,
}

impl Backup<'_> {
    /// Hands all that is in it to `merge`. What is decrypted passes through a pipe, never through a file.
    fn read(&mut self, merge: &mut Merge<'_>) -> Result<Opened, Failure> {
        let input = self.input;
        let failed = |error: io::Error| {
            let failure = input.cannot(VERB, Exit::Failed);
            failure.reason(io_message(&error))
        };
        self.source.rewind(0).map_err(failed)?;
        let content = self
            .opening
            .open(input, &mut self.source, Parallelism::Exclusive)?;
        let about = content.metadata();
        if about.private.info.media_type.as_deref() != Some(BACKUP_TYPE) {
            let failure = input.cannot(VERB, Exit::Damaged);
            return Err(failure
                .reason("it is not a backup of a keystore")
                .hint("`encl unwrap` opens it"));
        }
        merge.begin(about);
        let (mut reader, mut writer) = io::pipe().map_err(failed)?;
        let (copied, parsed) = thread::scope(|scope| {
            let parsing = scope.spawn(move || {
                let parsed = read_parts(&mut reader, |part| merge.part(part));
                // Whatever is wrong with it, the envelope is read to its end: damage is told as that.
                let _ = io::copy(&mut reader, &mut io::sink());
                parsed
            });
            let copied = content.copy_to(&mut writer, Parallelism::Exclusive.workers());
            drop(writer);
            (copied, parsing.join())
        });
        let (about, _) = copied.map_err(|error| open::failure(input, VERB, error))?;
        match parsed {
            Ok(Ok(())) => Ok(about),
            Ok(Err(Stopped::By(failure))) => Err(failure),
            Ok(Err(Stopped::NoBackup(error))) => {
                let failure = input.cannot(VERB, Exit::Damaged);
                Err(failure.reason(safe(&error.to_string())))
            }
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}
