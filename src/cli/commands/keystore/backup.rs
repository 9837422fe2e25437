//! `encl backup`: all of the keystore in one envelope.

use std::fs::File;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use encl::atomic_file;
use encl::directory::Recipients;
use encl::envelope::seal;
use encl::keystore::BackupCounts;
use encl::operations::backup::{backup_info, begin_backup};
use serde::Serialize;

use crate::cli::args::existing;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::seal::SealOptions;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::keystore::backup::not_begun;
use crate::cli::errors::{CommandResult, Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::files::output::Output;
use crate::cli::files::target;
use crate::cli::files::target::Target;
use crate::cli::operations::recipients::store_cards;
use crate::cli::operations::seal;
use crate::cli::operations::seal::{RecipientObject, Sealing};
use encl::operations::MyKeys;

const VERB: &str = "back up";

/// Encrypt the whole keystore into one envelope
///
/// The backup holds identities, contacts, groups, and whom you verified or blocked. Private keys protected by a passphrase stay
/// protected. Without --to, a passphrase opens the backup: write it down, and keep it in another place. `encl restore` merges
/// the backup into a keystore.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl backup -o keystore.encl
  $ encl backup --to bob@example.org -o - > keystore-for-bob.encl"))]
pub(crate) struct Arguments {
    /// Write to OUT (`-`: standard output)
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: PathBuf,

    /// Encrypt for WHO instead of with a passphrase: another identity, or a person you trust with all your keys
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who_completer))]
    to: Vec<String>,

    /// Which of my identities signs the backup [default: $ENCL_IDENTITY, else the default identity]
    #[arg(
        long = "as",
        value_name = "WHO",
        conflicts_with = "anonymous",
        requires = "to"
    )]
    identity: Option<String>,

    /// Do not sign the backup; on another machine, restoring it will verify no contact
    #[arg(long, requires = "to")]
    anonymous: bool,

    /// Replace OUT if it exists
    #[arg(long)]
    force: bool,
}

/// `encl.backup/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    output: String,
    id: String,
    identities: usize,
    contacts: usize,
    groups: usize,
    gates: usize,
    recipients: Vec<RecipientObject<'a>>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let keystore = context.keystore.clone();
    let input = Input::File(keystore.root().to_owned());
    let target = Target::parse(&arguments.output);
    let existing = existing(arguments.force);
    let output = Output {
        verb: VERB,
        input: &input,
        target: &target,
    };
    target::refuse_binary_on_terminal(&target, &input)?;
    output.refuse_existing(existing)?;
    let options = options(arguments);
    let terms = options.terms(context)?;
    let people = context.people()?;
    let author = match options.passphrase {
        true => None,
        false => options.author(&people, context)?,
    };
    let readers = Recipients::resolve(&arguments.to, None, &people, context.now)?;
    let keys = MyKeys::new(context, people.readers());
    let content = begin_backup(&keystore, context.now, &mut context.rng());
    let mut content = content.map_err(|error| not_begun(error, |exit| input.cannot(VERB, exit)))?;
    let counts = content.counts();
    let by = (author, &keys);
    let sealing = Sealing::prepare_called("the backup", &options, terms, by, context)?;
    store_cards(&readers, &people, context)?;
    let mut sink = output.open(&folder(&input)?, atomic_file::FileMode::Umask, existing)?;
    let request = sealing.request(&readers, backup_info());
    let sealed = seal(&request, &mut content, &mut sink, &mut context.rng());
    let sealed = sealed.map_err(|error| seal::not_sealed(&output, error))?;
    output.commit(sink)?;
    if let Err(error) = keystore.note_backup(context.now) {
        let text = format!("the date of the backup could not be recorded: {error}");
        context.terminal.warning(&text);
    }
    let everybody = readers.everybody().into_iter();
    let object = Object {
        schema: "encl.backup/1",
        output: target.typed(),
        id: sealed.id.to_string(),
        identities: counts.identities,
        contacts: counts.contacts,
        groups: counts.groups,
        gates: counts.gates,
        recipients: everybody.map(|(_, one)| RecipientObject::of(one)).collect(),
    };
    let words = Words::Status(format!(
        "{}: {}, {}",
        target.name(),
        describe_counts(counts),
        sealing.summary(&readers)
    ));
    Ok(context.report(&Outcome { object, words }, target.objects())?)
}

fn options(arguments: &Arguments) -> SealOptions {
    let by_passphrase = arguments.to.is_empty();
    SealOptions {
        passphrase: by_passphrase,
        anonymous: arguments.anonymous || by_passphrase,
        identity: arguments.identity.clone(),
        no_self: true,
        ..SealOptions::default()
    }
}

/// The keystore's folder, to be compared with the output.
fn folder(input: &Input) -> Result<Source, Failure> {
    let failed = |error: std::io::Error| {
        let failure = input.cannot(VERB, Exit::Failed);
        failure.reason(io_message(&error))
    };
    let file = File::open(input.path().unwrap_or(".".as_ref())).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    Ok(Source { file, metadata })
}

/// "1 identity, 120 contacts and 3 groups"
fn describe_counts(counts: BackupCounts) -> String {
    let number = |number: usize, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {many}"),
    };
    let gates = match counts.gates {
        0 => String::new(),
        gates => format!(", {}", number(gates, "gate", "gates")),
    };
    format!(
        "{}, {} and {}{gates}",
        number(counts.identities, "identity", "identities"),
        number(counts.contacts, "contact", "contacts"),
        number(counts.groups, "group", "groups")
    )
}
