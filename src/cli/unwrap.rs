//! `encl unwrap`: open envelopes that name me.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::args::{InputFiles, OutputFile};
use super::completions::who;
use super::context::Context;
use super::help::closing;
use super::report::{Exit, Failure, Outcome};

/// What a reader demands of an envelope, beyond that it opens.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Demands {
    /// Refuse anything that WHO did not sign
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who))]
    pub(crate) signed_by: Option<String>,

    /// Refuse anything unsigned
    #[arg(long)]
    pub(crate) require_signed: bool,

    /// Refuse it when I was let in without a record
    #[arg(long)]
    pub(crate) strict: bool,

    /// Open with this identity of mine only [default: $ENCL_IDENTITY, else all]
    #[arg(long = "as", value_name = "WHO")]
    pub(crate) identity: Option<String>,
}

/// Open envelopes that name me
///
/// `encl unwrap report.pdf.encl` writes report.pdf beside it, readable by you alone, and only once everything was
/// checked. stderr says who sealed it, and whether that is verified.
#[derive(Debug, Args)]
#[command(after_help = closing(&Exit::ALL, "\
  $ encl unwrap letter.pdf.encl
  $ encl unwrap letter.pdf.encl -o - --signed-by bob@example.org > letter.pdf
  $ encl unwrap *.encl -C opened
  $ encl unwrap - --verify-first < letter.pdf.encl | wc -c"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) inputs: InputFiles,

    #[command(flatten)]
    pub(crate) output: OutputFile,

    #[command(flatten)]
    pub(crate) demands: Demands,

    /// Take the file name that is stored inside (cleaned)
    #[arg(long, conflicts_with = "output")]
    pub(crate) use_name: bool,

    /// From a pipe: check everything before the first byte leaves
    #[arg(long)]
    pub(crate) verify_first: bool,
}

pub(crate) fn run(_arguments: &Arguments, _context: &mut Context) -> Outcome {
    Err(Failure::new(Exit::Failed, "cannot unwrap: not built yet").into())
}
