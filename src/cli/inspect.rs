//! `encl inspect`: what an envelope says about itself.

use clap::Args;

use super::args::InputFiles;
use super::context::Context;
use super::help::closing;
use super::report::{Exit, Failure, Outcome};

/// Who may read it, until when, from whom, how it is sealed; needs no key
///
/// Nothing is opened, so nothing of this is verified: until then it is a claim. Dates are advisory.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Damaged, Exit::Newer], "\
  $ encl inspect letter.pdf.encl
  $ encl inspect --json letter.pdf.encl
  $ sed -n 2p letter.pdf.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) inputs: InputFiles,
}

pub(crate) fn run(_arguments: &Arguments, _context: &mut Context) -> Outcome {
    Err(Failure::new(Exit::Failed, "cannot inspect: not built yet").into())
}
