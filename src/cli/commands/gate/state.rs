//! `encl gate revoke`, `allow`, `expire`: what an owner tells the gates of an envelope.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::crypto::signing::RootId;
use encl::directory::{Who, WhoForm, WhoUse, match_one};
use encl::gate::rules::{Statement, TicketState};
use encl::operations::MyKeys;
use encl::operations::gate::{Acknowledged, Certainty, Told};
use encl::policy::GateKind;
use encl::time::Time;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::args::time::{self, DayEdge};
use crate::cli::context::Context;
use crate::cli::display::names::list;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time::local;
use crate::cli::errors::{Exit, Failure, gate as errors, keystore};
use crate::cli::operations::gate::gates;
use crate::cli::operations::gate::report::{
    PersonObject, certainty_word, describe_certainty, person, statement_word,
};
use crate::cli::operations::gate::rewriting::refuse_denied;
use crate::cli::operations::gate::target::Target;
use crate::cli::terminal::{Stream, safe};

const EXITS: [Exit; 9] = Exit::ALL;

/// Tell the gates to answer nobody any more, or one person not any more. Cannot be taken back
///
/// Who was answered before may have kept the key. With several gates a revocation is sure when so many of them know it that the
/// others are too few to open: until then the exit code is 1, and `encl gate status` tells the others again.
#[derive(Debug, Args)]
#[command(after_help = closing(&EXITS, "\
  $ encl gate revoke guarded.pdf.encl --who bob@example.org --yes
  $ encl gate revoke guarded.pdf.encl --yes"))]
pub(crate) struct Revoke {
    /// The envelope, or the ticket of one that this machine encrypted (`-`: standard input)
    #[arg(value_name = "FILE|TICKET", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Only this person: address, name or fingerprint
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Tell the gates to answer somebody whom the author did not name
///
/// The gates answer only those who are named in the envelope, and those who are allowed. Whoever is allowed needs a slot too: `encl
/// grant` does both.
#[derive(Debug, Args)]
#[command(after_help = closing(&EXITS, "  $ encl gate allow guarded.pdf.encl --to carol@example.org"))]
pub(crate) struct Allow {
    /// The envelope, or the ticket of one that this machine encrypted (`-`: standard input)
    #[arg(value_name = "FILE|TICKET", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Who: address, name or fingerprint
    #[arg(long, value_name = "WHO")]
    to: String,
}

/// Tell the gates to answer nobody from a time on. It only ever gets earlier
#[derive(Debug, Args)]
#[command(after_help = closing(&EXITS, "  $ encl gate expire guarded.pdf.encl --on 2036-12-31 --yes"))]
pub(crate) struct Expire {
    /// The envelope, or the ticket of one that this machine encrypted (`-`: standard input)
    #[arg(value_name = "FILE|TICKET", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// When: 2026-12-31, 30d, or a time with an offset
    #[arg(long, value_name = "WHEN")]
    on: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn revoke(arguments: &Revoke, context: &Context) -> Result<(), Failure> {
    let target = Target::find(&arguments.file, "revoke", context)?;
    let (statements, question) = match &arguments.who {
        None => (
            vec![Statement::Revoke],
            format!("Revoke {} for everybody, for ever?", target.name),
        ),
        Some(who) => {
            refuse_without_list(&target, "revoke")?;
            let ids = ids_of(who, context)?;
            let name = person(ids[0], &context.people()?);
            let statements = ids.into_iter().map(Statement::Deny);
            let question = format!("Take {} from {name}, for ever?", target.name);
            (statements.collect(), question)
        }
    };
    let what = target.cannot("revoke", Exit::Usage).what;
    if !arguments.yes {
        context.confirm(&question, &what)?;
    }
    tell("revoke", &target, &statements, context)
}

pub(super) fn allow(arguments: &Allow, context: &Context) -> Result<(), Failure> {
    let target = Target::find(&arguments.file, "allow anybody to open", context)?;
    refuse_without_list(&target, "allow anybody to open")?;
    let ids = ids_of(&arguments.to, context)?;
    let cannot = target.cannot("allow anybody to open", Exit::Refused);
    let state = known_state(&target, context)?;
    refuse_denied(&state, &ids[..1], &cannot, context)?;
    let allowed = [Statement::Allow(ids[0])];
    tell("allow anybody to open", &target, &allowed, context)
}

pub(super) fn expire(arguments: &Expire, context: &Context) -> Result<(), Failure> {
    let target = Target::find(&arguments.file, "set an end to", context)?;
    let usage = |reason: String| target.cannot("set an end to", Exit::Usage).reason(reason);
    let end = time::parse(&arguments.on, context.now, DayEdge::End);
    let end = end.map_err(|error| usage(safe(&error.to_string())))?;
    if !arguments.yes {
        let question = format!("Let nobody open {} from {} on?", target.name, local(end));
        context.confirm(&question, &usage(String::new()).what)?;
    }
    tell("set an end to", &target, &[Statement::Expire(end)], context)
}

/// What is known of an envelope's restrictions, as far as gates can be asked.
fn known_state(target: &Target, context: &Context) -> Result<TicketState, Failure> {
    let verb = "allow anybody to open";
    let people = context.people()?;
    let keys = MyKeys::new(context, &people.active);
    let owner = target.owner(verb, &people, &keys)?;
    let known = gates(context)?.known_state(&target.record, owner, &mut context.rng());
    let known = known
        .map_err(|error| keystore::failure(&target.cannot(verb, Exit::Failed).what, &error))?;
    Ok(known.state)
}

/// Where everybody who opens the other locks is answered, a new key costs nothing.
fn refuse_without_list(target: &Target, verb: &str) -> Result<(), Failure> {
    match target.lock().terms().members {
        Some(_) => Ok(()),
        None => Err(target
            .cannot(verb, Exit::Usage)
            .reason("its gates answer everybody who opens the other locks, so nobody can be left out or added")),
    }
}

/// A person's key, and the keys that it replaced.
fn ids_of(who: &str, context: &Context) -> Result<Vec<RootId>, Failure> {
    let people = context.people()?;
    let who = Who::parse(who, WhoUse::Contact)?;
    let everybody = people
        .names()
        .map_err(|error| keystore::unreadable(&error))?;
    let id = match (match_one(&who, everybody), who.form()) {
        (Ok(id), _) => id,
        // Also whose card is gone.
        (Err(_), WhoForm::Fingerprint(id)) => return Ok(vec![*id]),
        (Err(error), _) => return Err(error.into()),
    };
    people
        .ids_of(id)
        .map_err(|error| keystore::unreadable(&error))
}

fn tell(
    verb: &str,
    target: &Target,
    statements: &[Statement],
    context: &Context,
) -> Result<(), Failure> {
    let people = context.people()?;
    let keys = MyKeys::new(context, &people.active);
    let owner = target.owner(verb, &people, &keys)?;
    let failed = |error| keystore::failure(&target.cannot(verb, Exit::Failed).what, &error);
    let gates = gates(context)?;
    let mut told = Vec::with_capacity(statements.len());
    for statement in statements {
        let one = gates.state(&target.record, *statement, owner, &mut context.rng());
        told.push(one.map_err(failed)?);
    }
    // What was said before, to those who did not hear it.
    let again = gates.carry_again(&target.record, Some(owner.key), &mut context.rng());
    again.map_err(failed)?;
    let worst = told.into_iter().min_by_key(|told| told.acknowledged.known);
    let worst = worst.expect("something was stated");
    report(target, statements[0], &worst, context)?;
    match is_enough(statements[0], &worst.acknowledged) {
        true => Ok(()),
        false => Err(not_yet(verb, target, &worst)),
    }
}

/// A restriction has to be known to so many that the others open nothing, an exception to so many that they open.
fn is_enough(statement: Statement, known: &Acknowledged) -> bool {
    match statement {
        Statement::Allow(_) => known.known + known.persons >= known.need && known.known > 0,
        _ => !matches!(known.certainty(), Certainty::NotYet { .. }),
    }
}

fn not_yet(verb: &str, target: &Target, told: &Told) -> Failure {
    let known = &told.acknowledged;
    let failure = target.cannot(verb, Exit::Failed);
    let failure = Failure {
        what: format!("{}: not yet sure", target.name),
        ..failure
    };
    let failure = failure.reason(format!(
        "{} of {} gates {} it",
        known.known,
        known.servers,
        if known.known == 1 { "knows" } else { "know" }
    ));
    let hint = format!(
        "`encl gate status {}` tells the others again",
        safe(&target.typed)
    );
    errors::unreachable(failure, &told.missing).hint(hint)
}

fn report(
    target: &Target,
    statement: Statement,
    told: &Told,
    context: &Context,
) -> Result<(), Failure> {
    let people = context.people()?;
    let known = &told.acknowledged;
    let (who, until) = match statement {
        Statement::Deny(who) | Statement::Allow(who) => (Some(who), None),
        Statement::Expire(until) => (None, Some(until)),
        Statement::Revoke => (None, None),
    };
    let done = match statement {
        Statement::Revoke => "revoked".to_owned(),
        Statement::Expire(end) => format!("nobody is answered from {} on", local(end)),
        Statement::Deny(who) => format!("{} is not answered any more", person(who, &people)),
        Statement::Allow(who) => format!("{} is answered", person(who, &people)),
    };
    let sure = match statement {
        Statement::Allow(_) => format!("{} of {} gates know", known.known, known.servers),
        _ => describe_certainty(known, &helpers(target)),
    };
    let missing = told.missing.iter();
    let object = StatedObject {
        schema: "encl.gate-state/1",
        file: &target.typed,
        id: target.lock().envelope().to_string(),
        ticket: RootId(target.lock().ticket().0).to_string(),
        statement: statement_word(statement),
        who: who.map(|who| PersonObject::of(who, &people)).transpose()?,
        until,
        known: known.known,
        gates: known.servers,
        persons: known.persons,
        sure: certainty_word(known.certainty()),
        missing: missing
            .map(|one| MissingObject {
                gate: &one.gate,
                reason: &one.why,
            })
            .collect(),
    };
    let words = Words::Status(format!("{}: {done}; {sure}", target.name));
    context.report(&Outcome { object, words }, Stream::Stdout)
}

/// The persons among the gates, by the names in the envelope.
pub(super) fn helpers(target: &Target) -> String {
    let gates = target.lock().terms().gates.iter();
    let persons = gates.filter(|gate| gate.kind == GateKind::Person);
    let names: Vec<String> = persons
        .map(|gate| match &gate.name {
            Some(name) => safe(name),
            None => gate.id.to_string(),
        })
        .collect();
    list(&names)
}

/// `encl.gate-state/1`, in the documented order.
#[derive(Serialize)]
struct StatedObject<'a> {
    schema: &'static str,
    file: &'a str,
    id: String,
    ticket: String,
    statement: &'static str,
    who: Option<PersonObject>,
    until: Option<Time>,
    known: usize,
    gates: usize,
    persons: usize,
    sure: &'static str,
    missing: Vec<MissingObject<'a>>,
}

#[derive(Serialize)]
struct MissingObject<'a> {
    gate: &'a str,
    reason: &'a str,
}
