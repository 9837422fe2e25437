//! `encl audit`: who asked the gates of an envelope, when, and what came of it, as far as others than the gate signed it.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::crypto::signing::RootId;
use encl::directory::People;
use encl::operations::MyKeys;
use encl::operations::gate::{GateLog, ReadLog, Reading};
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::{CommandResult, Exit, Failure, gate as errors, keystore};
use crate::cli::operations::gate::entries::Entries;
use crate::cli::operations::gate::gates;
use crate::cli::operations::gate::report::{StateObject, describe_state};
use crate::cli::operations::gate::target::Target;
use crate::cli::terminal::{Stream, safe, shown};

/// Show who asked the gates to open an envelope, and check what they logged
///
/// For its owners. Each line was signed by whoever asked, or by an owner; "the gate says" stands where only the gate vouches for it.
/// That the log is whole, and continues what was seen of it before, is checked: a gate that leaves something out is found by a
/// receipt that a reader has kept (`encl unwrap --receipts`); --from looks for such receipts. A gate whose operator has exported its log
/// into that folder (`encl-gate export`) is not asked: the export is checked by the checkpoints of the gate that this machine has
/// seen, and by those in the folder.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl audit guarded.pdf.encl
  $ encl audit guarded.pdf.encl --json"))]
pub(crate) struct Arguments {
    /// The envelope, or the ticket of one that this machine encrypted (`-`: standard input)
    #[arg(value_name = "FILE|TICKET", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Read logs that operators exported into DIR, and hold the receipts there against what the gates show
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    from: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> CommandResult {
    let target = Target::find(&arguments.file, "audit", context)?;
    let people = context.people()?;
    let keys = MyKeys::new(context, &people.active);
    let owner = target.owner("audit", &people, &keys)?;
    let gates = gates(context)?;
    let cannot = |exit| target.cannot("audit", exit);
    let failed = |error| keystore::failure(&cannot(Exit::Failed).what, &error);
    let mut entries = Entries::new(&people, context);
    let mut reading = Reading {
        sink: &mut entries,
        from: arguments.from.as_deref(),
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
            .hint("`encl gate add URL` adds one; `encl inspect` shows which it asks")
            .into());
    }
    let read: Vec<&GateLog> = logs
        .iter()
        .filter_map(|(_, log)| log.as_ref().ok())
        .collect();
    show(&target, &read, entries, &people, context)?;
    let failure = logs.iter().find_map(|log| failure(log, &cannot));
    Ok(failure.map_or(Ok(()), Err)?)
}

/// Why the log of a gate is not shown, or not whole.
fn failure((gate, log): &ReadLog, cannot: &dyn Fn(Exit) -> Failure) -> Option<Failure> {
    let log = match log {
        Ok(log) => log,
        Err(error) => return Some(errors::not_read(cannot(Exit::Failed), &gate.name, error)),
    };
    let first = log.withheld.first()?;
    let what = format!(
        "it did not show entry {}, for which {} is a receipt",
        first.number,
        shown(&first.file)
    );
    Some(errors::forked(cannot(Exit::Damaged), &gate.name, &what))
}

fn show(
    target: &Target,
    logs: &[&GateLog],
    mut entries: Entries<'_>,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let mut objects = Vec::new();
    for log in logs {
        if !context.json {
            let state = describe_state(&log.state, people);
            context.terminal.print(&heading(log, &state))?;
        }
        entries.print(&log.gate)?;
        let withheld = log.withheld.iter().map(|one| WithheldObject {
            file: one.file.to_string_lossy().into_owned(),
            n: one.number,
        });
        objects.push(GateObject {
            name: &log.gate.name,
            id: log.gate.card.id().to_string(),
            state: StateObject::of(&log.state, people)?,
            entries: log.entries,
            exported: log.exported,
            erased: log.erased,
            withheld: withheld.collect(),
        });
    }
    let object = AuditObject {
        schema: "encl.audit/1",
        file: &target.typed,
        id: target.lock().envelope().to_string(),
        ticket: RootId(target.lock().ticket().0).to_string(),
        gates: objects,
    };
    let words = Words::Nothing;
    context.report(&Outcome { object, words }, Stream::Stdout)
}

fn heading(log: &GateLog, state: &str) -> String {
    let exported = log.exported.map_or_else(String::new, |covered| {
        let erased = match log.erased {
            0 => String::new(),
            erased => format!(", {erased} of them erased"),
        };
        format!(" (as exported, {covered} entries of its log{erased})")
    });
    let nobody = match (log.entries, log.erased) {
        (0, 0) => "\n      nobody has asked",
        (0, _) => "\n      nobody has asked, as far as it was not erased",
        _ => "",
    };
    format!("{}: {state}{exported}{nobody}", safe(&log.gate.name))
}

/// `encl.audit/1`, in the documented order.
#[derive(Serialize)]
struct AuditObject<'a> {
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
    state: StateObject,
    entries: u64,
    exported: Option<u64>,
    erased: u64,
    withheld: Vec<WithheldObject>,
}

#[derive(Serialize)]
struct WithheldObject {
    file: String,
    n: u64,
}
