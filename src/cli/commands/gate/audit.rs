//! `encl audit`: who asked the gates of an envelope, when, and what came of it, as far as others than the gate signed it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::crypto::signing::RootId;
use encl::operations::MyKeys;
use encl::operations::gate::{GateLog, WithheldReceipt, receipts_in};
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::{CommandResult, Exit, Failure, gate as errors, keystore};
use crate::cli::operations::gate::gates;
use crate::cli::operations::gate::report::{
    EntryObject, StateObject, describe_entry, describe_state,
};
use crate::cli::operations::gate::target::Target;
use crate::cli::terminal::{Stream, safe, shown};

/// Show who asked the gates to open an envelope, and check what they logged
///
/// For its owners. Each line was signed by whoever asked, or by an owner; "the gate says" stands where only the gate vouches for it.
/// That the log is whole, and continues what was seen of it before, is checked: a gate that leaves something out is found by a
/// receipt that a reader has kept (`encl unwrap --receipts`); --from looks for such receipts.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl audit guarded.pdf.encl
  $ encl audit guarded.pdf.encl --json"))]
pub(crate) struct Arguments {
    /// The envelope, or the ticket of one that this machine encrypted (`-`: standard input)
    #[arg(value_name = "FILE|TICKET", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Also hold the receipts in DIR against what the gates show
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
    let read = gates.refreshed_logs(&target.record, owner, &mut context.rng());
    let failed = |error| keystore::failure(&cannot(Exit::Failed).what, &error);
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
    let mut failure = None;
    let mut read = Vec::new();
    for (gate, log) in logs {
        match log {
            Ok(log) => {
                let withheld = withheld(arguments.from.as_deref(), &target, &log, &cannot)?;
                if let Some(first) = withheld.first() {
                    let what = format!(
                        "it did not show entry {}, for which {} is a receipt",
                        first.number,
                        shown(&first.file)
                    );
                    let next = errors::forked(cannot(Exit::Damaged), &gate.name, &what);
                    failure = failure.or(Some(next));
                }
                read.push((log, withheld));
            }
            Err(error) => {
                let next = errors::not_read(cannot(Exit::Failed), &gate.name, &error);
                failure = failure.or(Some(next));
            }
        }
    }
    show(&target, &read, context)?;
    Ok(failure.map_or(Ok(()), Err)?)
}

fn withheld(
    from: Option<&Path>,
    target: &Target,
    log: &GateLog,
    cannot: &dyn Fn(Exit) -> Failure,
) -> Result<Vec<WithheldReceipt>, Failure> {
    let Some(folder) = from else {
        return Ok(Vec::new());
    };
    let found = receipts_in(folder, target.lock().ticket(), log);
    found.map_err(|error| Failure::io(cannot(Exit::Failed).what, &error))
}

fn show(
    target: &Target,
    logs: &[(GateLog, Vec<WithheldReceipt>)],
    context: &Context,
) -> Result<(), Failure> {
    let (mut lines, mut objects) = (Vec::new(), Vec::new());
    for (log, withheld) in logs {
        let state = describe_state(&log.state, context)?;
        lines.push(format!("{}: {state}", safe(&log.gate.name)));
        let mut entries = Vec::with_capacity(log.lines.len());
        for line in &log.lines {
            lines.push(describe_entry(line, context)?);
            entries.push(EntryObject::of(line, context)?);
        }
        if log.lines.is_empty() {
            lines.push("      nobody has asked".to_owned());
        }
        let withheld = withheld.iter().map(|one| WithheldObject {
            file: one.file.to_string_lossy().into_owned(),
            n: one.number,
        });
        objects.push(GateObject {
            name: &log.gate.name,
            id: log.gate.card.id().to_string(),
            state: StateObject::of(&log.state, context)?,
            entries,
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
    let words = Words::Answer(lines.join("\n"));
    context.report(&Outcome { object, words }, Stream::Stdout)
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
    entries: Vec<EntryObject>,
    withheld: Vec<WithheldObject>,
}

#[derive(Serialize)]
struct WithheldObject {
    file: String,
    n: u64,
}
