//! `encl key default`: the identity that signs when nothing else is said.

use clap::Args;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::find::{find, find_active};
use crate::cli::operations::identity::report;

/// Show or choose the default identity, which signs when no other is named
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl key default"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint
    who: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    match &arguments.who {
        Some(who) => choose(who, context),
        None => report::show(&find(None, context)?, context),
    }
}

fn choose(who: &str, context: &Context) -> Result<(), Failure> {
    let identity = find_active(Some(who), context)?;
    let chosen = context.keystore.set_default(&identity.card.id());
    chosen.map_err(|error| keystore::failure("cannot choose the default identity", &error))?;
    context.terminal.status(&format!(
        "{} signs from now on",
        identity.card.display_name()
    ));
    report::changed(identity.card.id(), context)
}
