//! `encl gate list`, `show`, `remove`.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::{Exit, Failure, keystore};
use crate::cli::operations::gate::any_gate;
use crate::cli::operations::gate::report::{described, report};
use crate::cli::terminal::{Stream, safe};

pub(super) fn list(context: &Context) -> Result<(), Failure> {
    let gates = context.keystore.gates();
    let gates = gates.map_err(|error| keystore::failure("cannot read the gates", &error))?;
    if gates.found.is_empty() && gates.faults.is_empty() {
        context
            .terminal
            .status("you have no gates: `encl gate add URL` adds one");
    }
    for gate in &gates.found {
        report(gate, None, None, context)?;
    }
    for fault in &gates.faults {
        context.terminal.warning(&safe(&fault.to_string()));
    }
    match gates.faults.len() {
        0 => Ok(()),
        count => Err(Failure::new(Exit::Failed, "cannot show all gates")
            .reason(format!("{count} of them cannot be read"))),
    }
}

pub(super) fn show(name: &str, context: &Context) -> Result<(), Failure> {
    let gate = any_gate(name, context)?;
    let words = Words::Answer(described(&gate, context)?);
    report(&gate, None, Some(words), context)
}

pub(super) fn remove(name: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let gate = any_gate(name, context)?;
    let name = safe(&gate.name);
    let what = format!("cannot remove the gate {name}");
    if !yes {
        let question =
            format!("Remove the gate {name}? What it guards cannot be opened without it");
        context.confirm(&question, &what)?;
    }
    let removed = context.keystore.remove_gate(&gate.card.id());
    removed.map_err(|error| keystore::failure(&what, &error))?;
    let object = RemovedGate {
        schema: "encl.gate-remove/1",
        id: gate.card.id().to_string(),
        name: &gate.name,
    };
    let words = Words::Status(format!("removed the gate {name}"));
    context.report(&Outcome { object, words }, Stream::Stdout)
}

#[derive(Serialize)]
struct RemovedGate<'a> {
    schema: &'static str,
    id: String,
    name: &'a str,
}
