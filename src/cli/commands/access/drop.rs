//! `encl drop`: slots are left out. It helps against people who never had the file or the key, and says so.

use std::collections::HashSet;

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::crypto::KeyId;
use encl::directory::ResolvedRemovals;
use encl::envelope::{KeyDirectory, Reader};
use serde::Serialize;

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::rewrite::RewriteOptions;
use crate::cli::context::Context;
use crate::cli::display::names::list_of;
use crate::cli::display::report::Report;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::parallel;
use crate::cli::files::roots::Roots;
use crate::cli::files::target::Target;
use crate::cli::operations::rewrite::printers::print_line;
use crate::cli::operations::rewrite::session::RewriteSession;
use crate::cli::terminal::Terminal;
use crate::cli::terminal::stdout::StdoutError;
use encl::operations::keys::TypedPassphrase;

/// Remove a person's slot. Weak: whoever has opened or copied the file can still decrypt it; see revoke
///
/// Content, policy and signature do not change, and the policy still names the person. This stops only people who have never
/// had the file or its key. `encl revoke` encrypts the content again, with new keys.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl drop letter.pdf.encl --from bob@example.org --yes
  $ encl drop letter.pdf.encl --from @finance --dry-run"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// Whose slots to remove: @GROUP, an address, a name, a fingerprint, or a key id as `inspect --json` shows it
    #[arg(long, value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    from: Vec<String>,

    #[command(flatten)]
    rewrite: RewriteOptions,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// What it does not do, in one line.
const CAVEAT: &str = "whoever has opened or copied the file can still decrypt it; `encl revoke` encrypts it again with new keys";

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let inputs = arguments.inputs.all("drop", context)?;
    let options = &arguments.rewrite;
    options.remove_leftovers(&inputs, &Roots::default())?;
    let people = context.people()?;
    let leaving = ResolvedRemovals::resolve(&arguments.from, options.lock, &people)?;
    let who = list_of(&leaving.holders);
    if !arguments.yes && !options.dry_run {
        let question = format!("Drop the slots of {who}? ({CAVEAT})");
        context.confirm(&question, "cannot drop a slot")?;
    }
    let access = RewriteSession::new("drop", &inputs, options, &people, context)?;
    let mut tally = Tally::default();
    let mut dropped_any = false;
    parallel::each(
        &inputs,
        |_| None,
        |input, _| dropped(input, &leaving, &access),
        |input, done: Result<Done, Failure>| {
            dropped_any |= done.as_ref().is_ok_and(|done| done.slots > 0);
            let told = done.and_then(|done| tell(input, &done, &leaving, &access));
            tally.add(context.terminal, told);
        },
    );
    access.warn_of_unused_approvals();
    if dropped_any && !options.dry_run {
        context.terminal.notice(CAVEAT);
    }
    tally.end()
}

struct Done {
    target: Target,
    id: String,
    slots: usize,
}

fn dropped(
    input: &Input,
    leaving: &ResolvedRemovals,
    access: &RewriteSession<'_>,
) -> Result<Done, Failure> {
    let options = access.options;
    let subject = access.subject(input, access.lock())?;
    let mut rewriting = access.rewriting(&subject, &mut TypedPassphrase::default())?;
    let nobody = KeyDirectory::default();
    let leaves = |reader: &Reader| leaving.removals.include(reader, &nobody);
    let readers = rewriting.manifest().readers().into_iter();
    let slots: HashSet<KeyId> = readers.filter(leaves).map(|reader| reader.key).collect();
    let slots = rewriting
        .remove_slots(&slots, options.lock)
        .map_err(|error| subject.not_rewritten(&error))?;
    let id = rewriting.manifest().id.to_string();
    if !options.dry_run && (slots > 0 || subject.goes_elsewhere()) {
        subject.write(rewriting)?;
    }
    Ok(Done {
        target: subject.target,
        id,
        slots,
    })
}

fn tell(
    input: &Input,
    done: &Done,
    leaving: &ResolvedRemovals,
    access: &RewriteSession<'_>,
) -> Result<(), Failure> {
    let RewriteSession {
        context, options, ..
    } = access;
    let report = DropReport {
        input,
        done,
        leaving,
        dry_run: options.dry_run,
    };
    context.report(&report, done.target.objects())
}

/// What was done to one envelope.
struct DropReport<'a> {
    input: &'a Input,
    done: &'a Done,
    leaving: &'a ResolvedRemovals,
    dry_run: bool,
}

impl Report for DropReport<'_> {
    type Object<'a>
        = Object<'a>
    where
        Self: 'a;

    fn object(&self) -> Object<'_> {
        Object {
            schema: "encl.drop/1",
            file: self.input.typed(),
            output: self.done.target.typed(),
            id: &self.done.id,
            slots: self.done.slots,
            dry_run: self.dry_run,
        }
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        let Self { done, dry_run, .. } = *self;
        let (name, who) = (done.target.name(), list_of(&self.leaving.holders));
        let slots = match done.slots {
            0 => {
                terminal.status(&format!("{name}: no slot in it belongs to {who}"));
                return Ok(());
            }
            1 => "1 slot".to_owned(),
            slots => format!("{slots} slots"),
        };
        let would = if dry_run {
            "would be dropped"
        } else {
            "dropped"
        };
        let line = format!("{name}: {slots} {would}, of {who}");
        print_line(&line, &done.target, dry_run, terminal)
    }
}

/// `encl.drop/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    output: String,
    id: &'a str,
    /// How many were left out.
    slots: usize,
    dry_run: bool,
}
