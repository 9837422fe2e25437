//! `encl key default`: the identity that signs when nothing else is said.

use clap::Args;

use super::super::context::Context;
use super::super::help::closing;
use super::super::report::{Exit, Failure};
use super::super::store;
use super::{find_active, person, show};

/// Show or choose the identity that signs when nothing else is said
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl key default"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint
    who: Option<String>,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    match &arguments.who {
        Some(who) => choose(who, context),
        None => show::run(None, context),
    }
}

fn choose(who: &str, context: &Context) -> Result<(), Failure> {
    let identity = find_active(Some(who), context)?;
    let chosen = store::keystore(context).set_default(&identity.card.id());
    chosen.map_err(|error| store::failure("cannot choose the default identity", &error))?;
    context
        .terminal
        .status(&format!("{} signs from now on", person(&identity.card)));
    Ok(())
}
