//! `encl key show`: one of my identities.

use clap::Args;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::find::find;
use crate::cli::operations::identity::report;

/// Show one of my identities
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl key show"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    who: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    report::show(&find(arguments.who.as_deref(), context)?, context)
}
