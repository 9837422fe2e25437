//! `encl grant`: let somebody in by one more slot. Policy, payload and the author's signature stay as they are.

use crate::cli::display::names::{DisplayName, list};
use crate::cli::display::report::Report;
use crate::cli::operations::recipients::store_cards;
use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::directory::{Person, Recipients, Signer};
use encl::envelope::{Addressee, Granted};
use serde::Serialize;

use crate::cli::args::InputFiles;
use crate::cli::args::help::closing;
use crate::cli::args::help::completion::who as who_completer;
use crate::cli::args::rewrite::RewriteOptions;
use crate::cli::context::Context;
use crate::cli::errors::rewrite::no_identity;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::parallel;
use crate::cli::files::roots::Roots;
use crate::cli::files::target::Target;
use crate::cli::operations::rewrite::printers::print_line;
use crate::cli::operations::rewrite::session::RewriteSession;
use crate::cli::operations::seal::RecipientObject;
use crate::cli::terminal::Terminal;
use crate::cli::terminal::stdout::StdoutError;
use encl::operations::keys::TypedPassphrase;

/// Give another person access. Content, policy and signature do not change
///
/// The new person gets a slot: the envelope's key, encrypted for that person. The slot holds a record of who gave access to
/// whom, and when; the new reader sees it on opening. So a grant cannot pass as the author's choice. A recipient can also pass
/// on access without a record; the reader then sees "unrecorded". A private envelope takes no grants: use `encl rewrap --to`,
/// which encrypts it again.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl grant letter.pdf.encl --to bob@example.org
  $ encl grant letter.pdf.encl --to @finance --dry-run
  $ encl grant - --to carol@example.org < letter.pdf.encl > for-carol.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// Who gets access: @GROUP, a card file, a pasted card, an address, a name or a fingerprint
    #[arg(long, value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    to: Vec<String>,

    #[command(flatten)]
    rewrite: RewriteOptions,

    /// Refuse contacts that are not verified
    #[arg(long)]
    require_verified: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    let inputs = arguments.inputs.all("grant", context)?;
    arguments
        .rewrite
        .remove_leftovers(&inputs, &Roots::default())?;
    let people = context.people()?;
    people.check_me()?;
    if people.active.is_empty() {
        return Err(no_identity("cannot give anybody access").into());
    }
    let newcomers = Recipients::resolve(&arguments.to, None, &people, context.now)?;
    if arguments.require_verified {
        newcomers.require_verified()?;
    }
    if !arguments.rewrite.dry_run {
        store_cards(&newcomers, &people, context)?;
    }
    let granting = Granting {
        access: RewriteSession::new("grant", &inputs, &arguments.rewrite, &people, context)?,
        newcomers: &newcomers.addressees,
    };
    let mut tally = Tally::default();
    parallel::each(
        &inputs,
        |_| None,
        |input, _| granting.grant(input),
        |input, granted: Result<Done<'_>, Failure>| {
            let told = granted.and_then(|done| granting.tell(input, &done));
            tally.add(context.terminal, told);
        },
    );
    granting.access.warn_of_unused_approvals();
    tally.end()
}

struct Granting<'a> {
    access: RewriteSession<'a>,
    newcomers: &'a [Addressee],
}

/// The result for one envelope.
struct Done<'a> {
    target: Target,
    id: String,
    added: Vec<&'a Addressee>,
    had_access: Vec<&'a Addressee>,
    by: &'a Person,
    can_record: bool,
}

impl<'a> Granting<'a> {
    fn grant(&self, input: &Input) -> Result<Done<'a>, Failure> {
        let access = &self.access;
        let subject = access.subject(input, access.lock())?;
        let mut rewriting = access.rewriting(&subject, &mut TypedPassphrase::default())?;
        // One of mine by whom the record leads back to the author, if there is one.
        let by = access.actor(|person| rewriting.can_record(person.card.id()));
        let by = by.expect("there is an identity");
        let can_record = rewriting.can_record(by.card.id());
        let (key, at) = (access.signing_key(by.card.id())?, access.context.now);
        let (mut added, mut had_access) = (Vec::new(), Vec::new());
        for newcomer in self.newcomers {
            let granted = rewriting
                .grant(
                    newcomer,
                    access.options.lock,
                    (key, at),
                    &mut access.context.rng(),
                )
                .map_err(|error| subject.not_rewritten(&error))?;
            match granted {
                Granted::Added => added.push(newcomer),
                Granted::HasSlot => had_access.push(newcomer),
            }
        }
        let id = rewriting.manifest().id.to_string();
        if !access.options.dry_run && (subject.goes_elsewhere() || !added.is_empty()) {
            subject.write(rewriting)?;
        }
        Ok(Done {
            target: subject.target,
            id,
            added,
            had_access,
            by,
            can_record,
        })
    }

    fn tell(&self, input: &Input, done: &Done<'_>) -> Result<(), Failure> {
        let RewriteSession {
            context, options, ..
        } = self.access;
        let dry_run = options.dry_run;
        if !done.can_record && !done.added.is_empty() {
            context.terminal.warning(&format!(
                "{}: no record leads from the author to you, so the people you add will be shown as unrecorded too",
                done.target.name()
            ));
        }
        let report = GrantReport {
            input,
            done,
            dry_run,
        };
        context.report(&report, done.target.objects())
    }
}

/// What was done to one envelope.
struct GrantReport<'a> {
    input: &'a Input,
    done: &'a Done<'a>,
    dry_run: bool,
}

impl Report for GrantReport<'_> {
    type Object<'a>
        = Object<'a>
    where
        Self: 'a;

    fn object(&self) -> Object<'_> {
        let Self { input, done, .. } = self;
        Object {
            schema: "encl.grant/1",
            file: input.typed(),
            output: done.target.typed(),
            id: &done.id,
            granted: recipients(&done.added),
            had_access: recipients(&done.had_access),
            by: done.by.signer(),
            dry_run: self.dry_run,
        }
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        let Self { done, dry_run, .. } = *self;
        let name = done.target.name();
        if !done.had_access.is_empty() {
            let people = named(&done.had_access);
            terminal.status(&format!("{name}: already had access: {people}"));
        }
        if !done.added.is_empty() {
            let would = if dry_run {
                "would give access to"
            } else {
                "gave access to"
            };
            let line = format!("{name}: you {would} {}", named(&done.added));
            print_line(&line, &done.target, dry_run, terminal)?;
        }
        Ok(())
    }
}

fn recipients<'a>(people: &[&'a Addressee]) -> Vec<RecipientObject<'a>> {
    people.iter().map(|one| RecipientObject::of(one)).collect()
}

fn named(people: &[&Addressee]) -> String {
    let words = people.iter().map(|one| one.recipient.display_name());
    list(&words.collect::<Vec<_>>())
}

/// `encl.grant/1`.
#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    file: String,
    output: String,
    id: &'a str,
    granted: Vec<RecipientObject<'a>>,
    had_access: Vec<RecipientObject<'a>>,
    by: Signer,
    dry_run: bool,
}
