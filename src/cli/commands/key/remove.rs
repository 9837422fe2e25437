//! `encl key remove`: an identity and its private keys go, for good.

use crate::cli::display::names::DisplayName;
use clap::Args;
use encl::identity::fingerprint;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::context::Context;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::identity::find::{Removal, find_to_remove};
use crate::cli::terminal::{Stream, safe};

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
    let what = format!("cannot remove your identity {}", safe(who));
    let (id, name) = match find_to_remove(who, context)? {
        Removal::Here(card) => (card.id(), Some(card.display_name())),
        Removal::Gone(id) => (id, None),
    };
    let question = match &name {
        Some(name) => format!(
            "Remove {name} for ever? What was encrypted for it can then never be decrypted with it"
        ),
        None => format!(
            "Miss {} no longer? It is gone from the keystore",
            fingerprint(&id)
        ),
    };
    if !*yes {
        context.confirm(&question, &what)?;
    }
    let removed = context.keystore.remove_identity(&id);
    removed.map_err(|error| keystore::failure(&what, &error))?;
    let words = Words::Status(match name {
        Some(name) => {
            format!("removed {name}; what was encrypted for it can no longer be decrypted with it")
        }
        None => format!("{} is not yours any more", fingerprint(&id)),
    });
    let object = Object {
        schema: "encl.key-remove/1",
        id: id.to_string(),
    };
    context.report(&Outcome { object, words }, Stream::Stdout)
}

#[derive(Serialize)]
struct Object {
    schema: &'static str,
    id: String,
}
