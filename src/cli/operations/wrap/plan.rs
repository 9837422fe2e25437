//! What wrap would seal, and where it would go: a dry run.

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::display::report::Report;
use crate::cli::errors::{Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::output::Output;
use crate::cli::files::placement::Placement;
use crate::cli::files::target::Target;
use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{Stream, Terminal};

/// Shows what would become of each input.
pub(crate) fn show_plan(
    inputs: &[Input],
    placement: &Placement,
    context: &Context,
    tally: &mut Tally,
) {
    for input in inputs {
        tally.add(context.terminal, show_one(input, placement, context));
    }
}

fn show_one(input: &Input, placement: &Placement, context: &Context) -> Result<(), Failure> {
    let target = &placement.target(input)?;
    let output = Output {
        verb: "wrap",
        input,
        target,
    };
    output.refuse_existing(placement.existing)?;
    context.report(&PlannedFile { input, target }, Stream::Stdout)
}

struct PlannedFile<'a> {
    input: &'a Input,
    target: &'a Target,
}

impl Report for PlannedFile<'_> {
    type Object<'a>
        = Object
    where
        Self: 'a;

    fn object(&self) -> Object {
        Object {
            schema: "encl.wrap-plan/1",
            file: self.input.typed(),
            output: self.target.typed(),
        }
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        let (input, target) = (self.input.name(), self.target.name());
        terminal.print(&format!("{input}: would be encrypted as {target}"))
    }
}

/// `encl.wrap-plan/1`.
#[derive(Serialize)]
struct Object {
    schema: &'static str,
    file: String,
    output: String,
}
