//! `encl verify`: check every byte and the signature, write nothing.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::args::InputFiles;
use crate::cli::args::gate::AskOptions;
use crate::cli::args::help::closing;
use crate::cli::args::open::RequirementArgs;
use crate::cli::args::open::With;
use crate::cli::context::Context;
use crate::cli::context::asking::AskPolicy;
use crate::cli::errors::{CommandResult, Exit, Failure, Tally};
use crate::cli::files::input::Input;
use crate::cli::files::parallel;
use crate::cli::operations::gate::receipts;
use crate::cli::operations::open::Opening;
use crate::cli::operations::open::approvals::LoadedApprovals;

/// Check envelopes: decrypt every byte and verify the signature, but write nothing
///
/// You must be a recipient. To look at an envelope without a key, use `encl inspect`.
#[derive(Debug, Args)]
#[command(after_help = closing(&[
    Exit::Failed, Exit::Usage, Exit::NotForYou, Exit::Damaged, Exit::Refused, Exit::Locked, Exit::Recipient,
    Exit::Newer,
], "\
  $ encl verify letter.pdf.encl
  $ encl verify --signed-by bob@example.org letter.pdf.encl
  $ encl verify plan.txt.encl --with bob.approval
  $ encl verify --json - < letter.pdf.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    inputs: InputFiles,

    #[command(flatten)]
    requirements: RequirementArgs,

    #[command(flatten)]
    with: With,

    #[command(flatten)]
    gates: AskOptions,

    /// Keep what proves that a gate logged this opening, in files below DIR
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    receipts: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, context: &mut Context) -> CommandResult {
    arguments.gates.apply(AskPolicy::Always, context);
    let inputs = arguments.inputs.all("verify", context)?;
    let people = context.people()?;
    let approvals = LoadedApprovals::load(&arguments.with, &inputs, context)?;
    let opening = Opening::new(
        "verify",
        &arguments.requirements,
        approvals,
        &people,
        context,
    )?;
    if inputs.len() > 1 && arguments.with.with.is_empty() {
        opening.ask_ahead(inputs.iter(), |input| input.open("verify"));
    }
    let mut tally = Tally::default();
    let verify = |input: &Input, parallelism| {
        let mut source = input.open("verify")?;
        opening.for_thread().check(input, &mut source, parallelism)
    };
    parallel::each(
        &inputs,
        |_| None,
        verify,
        |input, verified: Result<_, Failure>| {
            let told =
                verified.and_then(|(about, bytes)| opening.report(input, None, &about, bytes));
            tally.add(context.terminal, told);
        },
    );
    opening.warn_of_unused_approvals();
    receipts::keep(arguments.receipts.as_deref(), context)?;
    tally.end()
}
