//! `encl verify`: check every byte and the signature, write nothing.

use clap::Args;

use super::args::InputFiles;
use super::context::Context;
use super::help::closing;
use super::report::{Exit, Failure, Outcome};
use super::unwrap::Demands;

/// Check every byte and the signature of envelopes that name me; no plaintext is written
#[derive(Debug, Args)]
#[command(after_help = closing(&[
    Exit::Failed, Exit::Usage, Exit::NotForYou, Exit::Damaged, Exit::Refused, Exit::Locked, Exit::Newer,
], "\
  $ encl verify letter.pdf.encl
  $ encl verify --signed-by bob@example.org letter.pdf.encl
  $ encl verify --json - < letter.pdf.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) inputs: InputFiles,

    #[command(flatten)]
    pub(crate) demands: Demands,
}

pub(crate) fn run(_arguments: &Arguments, _context: &mut Context) -> Outcome {
    Err(Failure::new(Exit::Failed, "cannot verify: not built yet").into())
}
