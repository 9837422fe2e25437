//! `encl key remove`: an identity and its private keys go, for good.

use crate::cli::display::names::DisplayName;
use clap::Args;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::find::find;
use crate::cli::terminal::safe;

/// Remove an identity and its private keys. This cannot be undone
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

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let Arguments { who, yes } = arguments;
    let card = find(Some(who), context)?.card;
    let what = format!("cannot remove your identity {}", safe(who));
    let question = format!(
        "Remove {} for ever? What was encrypted for it can then never be decrypted with it",
        card.display_name()
    );
    if !*yes {
        context.confirm(&question, &what)?;
    }
    let removed = context.keystore.remove_identity(&card.id());
    removed.map_err(|error| keystore::failure(&what, &error))?;
    context.terminal.status(&format!(
        "removed {}; what was encrypted for it can no longer be decrypted with it",
        card.display_name()
    ));
    Ok(())
}
