//! `encl key list`: my identities.

use clap::Args;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::find::identities;
use crate::cli::operations::identity::report;

/// List my identities
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed], "  $ encl key list"))]
pub(crate) struct Arguments {}

pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let identities = identities(context)?;
    if identities.is_empty() {
        context
            .terminal
            .status("you have no identity: `encl key new ADDRESS` creates one");
    }
    report::list(&identities, context)
}
