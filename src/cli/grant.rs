//! `encl grant`: let somebody in by one more slot. Policy, payload and the author's signature stay as they are.

use clap::Args;
use clap_complete::ArgValueCompleter;
use encl::envelope::{Addressee, Envelope, Granted, Rewriting};
use serde::Serialize;

use super::args::InputFiles;
use super::completions::who as who_completer;
use super::context::Context;
use super::files::Input;
use super::help::closing;
use super::keys::{Answers, Keys};
use super::many;
use super::opening;
use super::people::{People, Person, Signer, words};
use super::readers::{self, Readers};
use super::report::{Exit, Failure, Outcome, Tally};
use super::rewriting::{RewriteOptions, Spool, Subject, need_identity};
use super::sealing::RecipientObject;
use super::store;
use super::target::Target;

/// Let somebody in: one slot more; policy, payload and the author's signature stay
///
/// The record of who let whom in, and when, stands in the slot, and whoever opens the envelope by it is told. It keeps the grant
/// from being passed off as the author's choice; it does not hold against a recipient who leaves no record (shown as
/// "unrecorded"). Nobody can be let into a private envelope: `encl rewrap --to` seals it anew.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl grant letter.pdf.encl --to bob@example.org
  $ encl grant letter.pdf.encl --to @finance --dry-run
  $ encl grant - --to carol@example.org < letter.pdf.encl > for-carol.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    /// Somebody to let in: @GROUP, a card file, a pasted card, an address or a name
    #[arg(long, value_name = "WHO", required = true, add = ArgValueCompleter::new(who_completer))]
    to: Vec<String>,

    #[command(flatten)]
    rewrite: RewriteOptions,

    /// Refuse contacts that were never verified
    #[arg(long)]
    require_verified: bool,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> Outcome {
    let inputs = Input::of(&arguments.inputs, "grant", context)?;
    arguments.rewrite.begin(&inputs)?;
    let people = store::people(context)?;
    need_identity(&people, "cannot let anybody in")?;
    let newcomers = Readers::resolve(&arguments.to, None, &people, context)?;
    if arguments.require_verified {
        newcomers.require_verified()?;
    }
    if !arguments.rewrite.dry_run {
        newcomers.remember(context)?;
    }
    let keys = Keys::new(context, &people.mine);
    let granting = Granting {
        arguments,
        context,
        people: &people,
        keys: &keys,
        newcomers: &newcomers.addressees,
        spool: Spool::default(),
    };
    let mut tally = Tally::default();
    many::each(
        &inputs,
        |_| None,
        |input, _| granting.grant(input),
        |input, granted: Result<Done<'_>, Failure>| {
            let told = granted.and_then(|done| granting.tell(input, &done));
            tally.add(context.terminal, told);
        },
    );
    tally.end()
}

struct Granting<'a> {
    arguments: &'a Arguments,
    context: &'a Context,
    people: &'a People,
    keys: &'a Keys<'a>,
    newcomers: &'a [Addressee],
    spool: Spool,
}

/// What became of one envelope.
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
        let options = &self.arguments.rewrite;
        let subject = Subject::open("grant", input, options, &self.spool)?;
        let envelope = Envelope::read(&subject.source.file)
            .map_err(|error| opening::failure(input, "grant", error))?;
        let mut answers = Answers::default();
        let mut keyring = answers.keyring(self.keys, &input.name());
        let mut rewriting = envelope
            .rewrite(&[], &mut keyring, self.context.now)
            .map_err(|error| subject.not_rewritten(error))?;
        let by = self.granter(&rewriting)?;
        let can_record = rewriting.can_record(by.card.id());
        let key = (self.keys.identity(by.card.id())?.root(), self.context.now);
        let (mut added, mut had_access) = (Vec::new(), Vec::new());
        for newcomer in self.newcomers {
            let granted = rewriting
                .grant(newcomer, options.lock, key, &mut self.context.rng())
                .map_err(|error| subject.not_rewritten(error))?;
            match granted {
                Granted::Added => added.push(newcomer),
                Granted::HasSlot => had_access.push(newcomer),
            }
        }
        let id = rewriting.manifest().id.to_string();
        if !options.dry_run && (subject.goes_elsewhere() || !added.is_empty()) {
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

    /// Whoever signs the record: one of mine by whom it leads back to the author, if there is one.
    fn granter<R: std::io::Read>(&self, rewriting: &Rewriting<R>) -> Result<&'a Person, Failure> {
        let recorded = |person: &Person| rewriting.can_record(person.card.id());
        let options = &self.arguments.rewrite;
        let actor = options.actor(self.people, self.context, recorded)?;
        Ok(actor.expect("there is an identity"))
    }

    fn tell(&self, input: &Input, done: &Done<'_>) -> Result<(), Failure> {
        let dry_run = self.arguments.rewrite.dry_run;
        if !done.can_record && !done.added.is_empty() {
            self.context.terminal.warning(&format!(
                "{}: nobody whom the author chose let you in by a record, so newcomers will be told that they are unrecorded too",
                done.target.name()
            ));
        }
        if self.context.json {
            let object = Object {
                schema: "encl.grant/1",
                file: input.typed(),
                output: done.target.typed(),
                id: &done.id,
                granted: done
                    .added
                    .iter()
                    .map(|one| RecipientObject::of(one))
                    .collect(),
                had_access: done
                    .had_access
                    .iter()
                    .map(|one| RecipientObject::of(one))
                    .collect(),
                by: done.by.signer(),
                dry_run,
            };
            return self
                .context
                .terminal
                .print_object(&object, done.target.objects());
        }
        let name = done.target.name();
        if !done.had_access.is_empty() {
            self.context.terminal.status(&format!(
                "{name}: had access before: {}",
                named(&done.had_access)
            ));
        }
        if !done.added.is_empty() {
            let would = if dry_run { "would let in" } else { "let in" };
            self.context.terminal.status(&format!(
                "{name}: you {would} {}; that stands in the envelope",
                named(&done.added)
            ));
        }
        Ok(())
    }
}

fn named(people: &[&Addressee]) -> String {
    let words = people
        .iter()
        .map(|one| words(&one.recipient.name, one.recipient.address.as_deref()));
    readers::names(&words.collect::<Vec<_>>())
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
