//! `encl gate status`: what the gates of an envelope know of it.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::crypto::signing::RootId;
use encl::gate::client::AuditLine;
use encl::gate::protocol::EntryOp;
use encl::keystore::GateContact;
use encl::operations::MyKeys;
use encl::operations::gate::{GateLog, LogError, ReadLog};
use encl::time::Time;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::display::time;
use crate::cli::errors::{Exit, Failure, gate as errors, keystore};
use crate::cli::operations::gate::gates;
use crate::cli::operations::gate::report::{StateObject, describe_state};
use crate::cli::operations::gate::target::Target;
use crate::cli::terminal::{Stream, safe};

/// Show what the gates of an envelope know, and tell them again what they missed
///
/// For its owners. Revocations that a gate did not acknowledge, or that it forgot, are sent to it again.
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
    let read = gates.refreshed_logs(&target.record, owner, &mut context.rng());
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
    show(&target, &logs, context)?;
    let mut failure = None;
    for (gate, log) in &logs {
        if let Err(error) = log {
            let next = errors::not_read(cannot(Exit::Failed), &gate.name, error);
            failure = failure.or(Some(next));
        }
    }
    failure.map_or(Ok(()), Err)
}

fn show(target: &Target, logs: &[ReadLog], context: &Context) -> Result<(), Failure> {
    let (mut lines, mut objects) = (Vec::new(), Vec::new());
    for (gate, log) in logs {
        let (words, object) = one(gate, log.as_ref(), context)?;
        lines.push(format!("{}: {words}", safe(&gate.name)));
        objects.push(object);
    }
    let object = StatusObject {
        schema: "encl.gate-status/1",
        file: &target.typed,
        id: target.lock().envelope().to_string(),
        ticket: RootId(target.lock().ticket().0).to_string(),
        gates: objects,
    };
    let words = Words::Answer(lines.join("\n"));
    context.report(&Outcome { object, words }, Stream::Stdout)
}

fn one<'a>(
    gate: &'a GateContact,
    log: Result<&'a GateLog, &'a LogError>,
    context: &Context,
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
    let openings: Vec<Time> = log.lines.iter().filter_map(opening).collect();
    let last = openings.last().copied();
    let opened = match (openings.len(), last) {
        (0, _) | (_, None) => "not opened".to_owned(),
        (1, Some(at)) => format!("opened once, at {}", time::local(at)),
        (count, Some(at)) => format!("opened {count} times, last at {}", time::local(at)),
    };
    let words = format!("{}; {opened}", describe_state(&log.state, context)?);
    let object = GateObject {
        name,
        id,
        answered: true,
        reason: None,
        state: Some(StateObject::of(&log.state, context)?),
        openings: Some(openings.len()),
        last,
    };
    Ok((words, object))
}

fn opening(line: &AuditLine) -> Option<Time> {
    let entry = line.entry.as_ref()?;
    (entry.op == EntryOp::Open).then_some(entry.at)
}

/// `encl.gate-status/1`, in the documented order.
#[derive(Serialize)]
struct StatusObject<'a> {
    schema: &'static str,
    file: &'a str,
    id: String,
    ticket: String,
    gates: Vec<GateObject<'a>>,
}

#[derive(Serialize)]
struct GateObject<'a> {
    name: &'a str,
    id: String,
    answered: bool,
    reason: Option<String>,
    state: Option<StateObject>,
    openings: Option<usize>,
    last: Option<Time>,
}
