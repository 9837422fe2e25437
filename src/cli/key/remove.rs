//! `encl key remove`: an identity and its private keys go, for good.

use clap::Args;

use super::super::context::Context;
use super::super::help::closing;
use super::super::report::{Exit, Failure};
use super::super::store;
use super::super::terminal::safe;
use super::{find, person};

/// Remove an identity and its private keys, for good
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Usage, Exit::Recipient], "\
  $ encl key remove alice@example.org --yes"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint
    who: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let Arguments { who, yes } = arguments;
    let card = find(Some(who), context)?.card;
    let what = format!("cannot remove your identity {}", safe(who));
    let question = format!(
        "Remove {} for good? What was sealed for it can then never be opened with it",
        person(&card)
    );
    if !*yes {
        context.confirm(&question, &what)?;
    }
    let removed = store::keystore(context).remove_identity(&card.id());
    removed.map_err(|error| store::failure(&what, &error))?;
    context.terminal.status(&format!(
        "removed {}; what was sealed for it cannot be opened with it any more",
        person(&card)
    ));
    Ok(())
}
