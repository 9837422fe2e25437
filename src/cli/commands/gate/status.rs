//! `encl gate status`: what the gates of an envelope know of it.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::crypto::signing::RootId;
use encl::directory::People;
use encl::keystore::GateContact;
use encl::operations::MyKeys;
use encl::operations::gate::{Acknowledged, GateLog, LogError, ReadLog, Reading};
use encl::time::Time;
use serde::Serialize;

use super::state::helpers;
use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::errors::{Exit, Failure, gate as errors, keystore};
use crate::cli::operations::gate::gates;
use crate::cli::operations::gate::report::{
    StateObject, certainty_word, describe_certainty, describe_state,
};
use crate::cli::operations::gate::target::Target;
use crate::cli::terminal::{Stream, safe};

/// Show what the gates of an envelope know, and tell them again what they missed
///
/// For its owners. Revocations that a gate did not acknowledge, that it forgot, or that were said from another machine to others of
/// the gates, are sent to it. The last line says how many gates know the restriction that the fewest know, and whether that is enough.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "  $ encl gate status guarded.pdf.encl"))]
pub(crate) struct Arguments {
    /// The envelope, or the ticket of one that this machine encrypted (`-`: standard input)
    #[arg(value_name = "FILE|TICKET", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let target = Target::find(&arguments.file, "ask the gates about", context)?;
    let people = context.people()?;
    let keys = MyKeys::new(context, &people.active);
    let owner = target.owner("ask the gates about", &people, &keys)?;
    let gates = gates(context)?;
    let cannot = |exit| target.cannot("ask the gates about", exit);
    let failed = |error| keystore::failure(&cannot(Exit::Failed).what, &error);
    let mut reading = Reading {
        sink: &mut (),
        from: None,
    };
    let read = gates.refreshed_logs(&target.record, owner, &mut reading, &mut context.rng());
    let (logs, again) = read.map_err(failed)?;
    if again > 0 {
        context
            .terminal
            .notice("what a gate had missed was told to it again");
    }
    if logs.is_empty() {
        return Err(cannot(Exit::Recipient)
            .reason("none of its gates is among your contacts")
            .hint("`encl gate add URL` adds one; `encl inspect` shows which it asks"));
    }
    let known = gates.least_known(&target.record, &logs).map_err(failed)?;
    show(&target, &logs, known, &people, context)?;
    let mut failure = None;
    for (gate, log) in &logs {
        if let Err(error) = log {
            let next = errors::not_read(cannot(Exit::Failed), &gate.name, error);
            failure = failure.or(Some(next));
        }
    }
    failure.map_or(Ok(()), Err)
}

fn show(
    target: &Target,
    logs: &[ReadLog],
    known: Option<Acknowledged>,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let (mut lines, mut objects) = (Vec::new(), Vec::new());
    for (gate, log) in logs {
        let (words, object) = one(gate, log.as_ref(), people)?;
        lines.push(format!("{}: {words}", safe(&gate.name)));
        objects.push(object);
    }
    if let Some(known) = &known {
        lines.push(describe_certainty(known, &helpers(target)));
    }
    let object = StatusObject {
        schema: "encl.gate-status/1",
        file: &target.typed,
        id: target.lock().envelope().to_string(),
        ticket: RootId(target.lock().ticket().0).to_string(),
        known: known.map(|known| known.known),
        sure: known.map(|known| certainty_word(known.certainty())),
        gates: objects,
    };
    let words = Words::Answer(lines.join("\n"));
    context.report(&Outcome { object, words }, Stream::Stdout)
}

fn one<'a>(
    gate: &'a GateContact,
    log: Result<&'a GateLog, &'a LogError>,
    people: &People,
) -> Result<(String, GateObject<'a>), Failure> {
    let (name, id) = (&*gate.name, gate.card.id().to_string());
    let log = match log {
        Ok(log) => log,
        Err(error) => {
            let reason = error.to_string();
            let object = GateObject {
                name,
                id,
                answered: false,
                reason: Some(reason.clone()),
                state: None,
                openings: None,
                last: None,
            };
            return Ok((safe(&reason), object));
        }
    };
    let (openings, last) = (log.openings, log.last_opening);
    let opened = match (openings, last) {
        (0, _) | (_, None) => "not opened".to_owned(),
        (1, Some(at)) => format!("opened once, at {}", time::local(at)),
        (count, Some(at)) => format!("opened {count} times, last at {}", time::local(at)),
    };
    let words = format!("{}; {opened}", describe_state(&log.state, people));
    let object = GateObject {
        name,
        id,
        answered: true,
        reason: None,
        state: Some(StateObject::of(&log.state, people)?),
        openings: Some(openings),
        last,
    };
    Ok((words, object))
}

/// `encl.gate-status/1`, in the documented order.
#[derive(Serialize)]
struct StatusObject<'a> {
    schema: &'static str,
    file: &'a str,
    id: String,
    ticket: String,
    known: Option<usize>,
    sure: Option<&'static str>,
    gates: Vec<GateObject<'a>>,
}

#[derive(Serialize)]
struct GateObject<'a> {
    name: &'a str,
    id: String,
    answered: bool,
    reason: Option<String>,
    state: Option<StateObject>,
    openings: Option<u64>,
    last: Option<Time>,
}
