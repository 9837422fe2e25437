//! `encl wrap`: seal files for the people named.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::args::{InputFiles, OutputFile};
use super::completions::who;
use super::context::Context;
use super::help::closing;
use super::report::{Exit, Failure, Outcome};

/// Seal files, or standard input, for the people named
///
/// `encl wrap report.pdf --to bob@example.org` writes report.pdf.encl beside it. The input is never removed. With an
/// identity you sign what you wrap, and can read it yourself.
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Locked, Exit::Recipient, Exit::Exists], "\
  $ encl wrap report.pdf --to bob@example.org
  $ encl wrap report.pdf notes.txt --to @finance --expires 30d -C sealed
  $ encl wrap report.pdf --to bob.card --private --pad
  $ encl wrap report.pdf --passphrase --anonymous -o for-anybody.encl
  $ tar c photos | encl wrap - --name photos.tar --to bob@example.org > photos.tar.encl"))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) inputs: InputFiles,

    #[command(flatten)]
    pub(crate) output: OutputFile,

    /// Somebody who may read it: @GROUP, a card file, a pasted card, an address or a name. Any one of them opens it
    #[arg(long, value_name = "WHO", add = ArgValueCompleter::new(who))]
    pub(crate) to: Vec<String>,

    /// So may whoever knows a passphrase: asked twice, or seven generated words when left empty
    #[arg(long)]
    pub(crate) passphrase: bool,

    /// Do not add me to those who may read it
    #[arg(long)]
    pub(crate) no_self: bool,

    /// Which of my identities signs [default: $ENCL_IDENTITY, else the default one]
    #[arg(long = "as", value_name = "WHO", conflicts_with = "anonymous")]
    pub(crate) identity: Option<String>,

    /// Do not sign
    #[arg(long)]
    pub(crate) anonymous: bool,

    /// Advisory: well-behaved software opens it only before WHEN: RFC 3339, a date, or a span such as 30d
    #[arg(long, value_name = "WHEN")]
    pub(crate) expires: Option<String>,

    /// Advisory: well-behaved software opens it only from WHEN on
    #[arg(long, value_name = "WHEN")]
    pub(crate) not_before: Option<String>,

    /// A handling label, readable by everybody
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) label: Vec<String>,

    /// Seal recipients, signer and their names too
    #[arg(long)]
    pub(crate) private: bool,

    /// Hide the exact size (at most 12 % more)
    #[arg(long)]
    pub(crate) pad: bool,

    /// Text form, for where only text passes
    #[arg(long)]
    pub(crate) armor: bool,

    /// The file name to store for standard input
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Refuse contacts that were never verified
    #[arg(long)]
    pub(crate) require_verified: bool,
}

pub(crate) fn run(_arguments: &Arguments, _context: &mut Context) -> Outcome {
    Err(Failure::new(Exit::Failed, "cannot wrap: not built yet").into())
}
