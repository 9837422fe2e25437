//! `encl restore`: a backup merged into the keystore.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::directory::Signer;
use encl::envelope::Workers;
use encl::keystore::StoredSecret;
use encl::operations::restore::{
    FailedIdentity, ForeignIdentities, Merge, MergeError, MergeOutcome, Origin, SeenBackup,
};

use crate::cli::args::help::closing;
use crate::cli::args::one_input;
use crate::cli::args::open::RequirementArgs;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::display::restore::ItemLines;
use crate::cli::display::restore::RestoreText;
use crate::cli::errors::CommandResult;
use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::Tally;
use crate::cli::errors::envelope;
use crate::cli::errors::io_message;
use crate::cli::errors::keystore::backup::not_merged;
use crate::cli::errors::keystore::identity;
use crate::cli::files::input::Input;
use crate::cli::files::input::Source;
use crate::cli::files::parallel::Parallelism;
use crate::cli::operations::identity::Ask;
use crate::cli::operations::identity::find::identities;
use crate::cli::operations::open::approvals::LoadedApprovals;
use crate::cli::operations::open::{InputContent, Opening};
use crate::cli::secrets::stored;
use crate::cli::terminal::Stream;
use crate::cli::terminal::shown;

pub(crate) const VERB: &str = "restore";

/// Merge a backup into the keystore
///
/// Newer data in the keystore is kept; missing data is added from the backup. Existing groups do not change. A contact that is
/// blocked or revoked in either place stays so. Verified contacts are verified again. This holds for your own backups: made on
/// this machine, signed by an identity of yours, or with its private keys unprotected in it and for nobody else. On a machine
/// that knows no identity of yours, you are asked whether you take all of it as your own. From any other backup only contacts,
/// not verified, and groups are added. The changes are shown first, and you confirm them.
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

    /// Also add identities from a backup that may not be yours, for `encl key adopt`: its maker can decrypt what is encrypted for them
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
    let input = &one_input(Some(&arguments.file), VERB, context)?;
    let people = context.people()?;
    let requirements = RequirementArgs {
        identity: arguments.identity.clone(),
        ..RequirementArgs::default()
    };
    let keystore = &context.keystore;
    let mut backup = Backup {
        input,
        // It is read three times, and nobody may change it in between.
        source: input.open(VERB)?.spooled(input, VERB)?,
        opening: Opening::new(
            VERB,
            &requirements,
            LoadedApprovals::default(),
            &people,
            context,
        )?,
    };
    let foreign = match arguments.foreign {
        true => ForeignIdentities::Accept,
        false => ForeignIdentities::Refuse,
    };
    let (seen, opened) =
        backup.read(|content, workers| SeenBackup::read(keystore, content, workers))?;
    let signer = opened.signer().map(|id| people.signer(id));
    let origin = seen.origin;
    let mut items = ItemLines::default();
    let merge = Merge::dry_run(keystore, seen, foreign, context.now, &mut items);
    let plan = backup.merge(merge)?;
    let is_idle = arguments.dry_run || !plan.report.changes_anything();
    if is_idle || !context.json {
        show(
            &plan,
            &items,
            (input, signer.as_ref()),
            arguments.dry_run,
            context,
        )?;
    }
    if is_idle {
        return report_failures(plan.failures, context);
    }
    if !arguments.yes {
        let place = shown(keystore.root());
        let what = format!("cannot restore {}", input.name());
        let question = match origin {
            Origin::Unclaimed => {
                format!("Take all of it as your own, and restore it into {place}?")
            }
            Origin::Mine(_) | Origin::Unknown => format!("Restore this into {place}?"),
        };
        context.confirm(&question, &what)?;
    }
    let (mut ask, mut rng) = (Ask::new(context), context.rng());
    let mut items = ItemLines::default();
    let merge = Merge::apply(plan, ask.identities(&mut rng), &mut items);
    let done = backup.merge(merge)?;
    if context.json {
        show(&done, &items, (input, signer.as_ref()), false, context)?;
    }
    if done.failures.is_empty() {
        let text = "restored; no newer data was replaced";
        context.terminal.status(text);
        tell_of_passphrases(context)?;
    }
    report_failures(done.failures, context)
}

/// Shows what becomes of the backup.
fn show(
    outcome: &MergeOutcome,
    items: &ItemLines,
    (input, signer): (&Input, Option<&Signer>),
    is_dry_run: bool,
    context: &Context,
) -> Result<(), Failure> {
    let text = RestoreText {
        file: (input.name(), input.typed()),
        signer,
        report: &outcome.report,
        items,
        is_dry_run,
    };
    context.report(&text, Stream::Stdout)
}

/// The passphrase of a backup is not that of an identity in it.
fn tell_of_passphrases(context: &Context) -> Result<(), Failure> {
    let mut names = Vec::new();
    for identity in identities(context)? {
        let secret = stored::secret_if_any(&context.keystore, identity.card.id())?;
        if matches!(secret, Some(StoredSecret::Locked(_))) {
            names.push(identity.card.display_name());
        }
    }
    if !names.is_empty() {
        let text = "each keeps the passphrase that it had, whatever opened the backup";
        let names = names.join(", ");
        context.terminal.notice(&format!(
            "identities with a passphrase of their own: {names}; {text}"
        ));
    }
    Ok(())
}

/// Reports the identities that could not be merged.
fn report_failures(failures: Vec<FailedIdentity>, context: &Context) -> CommandResult {
    let mut tally = Tally::default();
    for FailedIdentity { card, error } in failures {
        let what = format!("cannot restore your identity {}", card.display_name());
        tally.add(context.terminal, Err(identity::failure(&what, error)));
    }
    tally.end()
}

/// A backup that is opened as often as it is read.
struct Backup<'a> {
    input: &'a Input,
    source: Source,
    opening: Opening<'a>,
}

impl Backup<'_> {
    /// Hands all that is in it to `merge`.
    fn merge(&mut self, mut merge: Merge<'_>) -> Result<MergeOutcome, Failure> {
        self.read(|content, workers| {
            merge.read(content, workers)?;
            merge.finish()
        })
    }

    /// Opens it once more.
    fn read<T>(
        &mut self,
        read: impl FnOnce(InputContent<&mut Source>, Workers) -> Result<T, MergeError>,
    ) -> Result<T, Failure> {
        let (input, parallelism) = (self.input, Parallelism::Exclusive);
        let unreadable = |error: io::Error| {
            let failure = input.cannot(VERB, Exit::Failed);
            failure.reason(io_message(&error))
        };
        self.source.rewind(0).map_err(unreadable)?;
        let content = self.opening.open(input, &mut self.source, parallelism)?;
        read(content, parallelism.workers()).map_err(|error| {
            let not_opened = |error| envelope::failure(input.cannot(VERB, Exit::Failed), error);
            not_merged(error, |exit| input.cannot(VERB, exit), not_opened)
        })
    }
}
