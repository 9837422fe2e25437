//! `encl key list`: my identities.

use clap::Args;
use encl::identity::{Card, fingerprint};
use encl::keystore::{Standing, StoredIdentity, StoredSecret};

use crate::cli::commands::key::identities;
use crate::cli::commands::key::show::print_object;
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::{Exit, Failure};
use crate::cli::secrets::kernel_keyring::CachedSecret;
use crate::cli::secrets::stored;

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
    for identity in &identities {
        if context.json {
            print_object(identity, context)?;
        } else {
            let mark = if identity.is_default { "* " } else { "  " };
            let standing = standing(identity.standing, &identities);
            let kept = kept(&identity.card, context)?;
            let id = fingerprint(&identity.card.id());
            context.terminal.print(&format!(
                "{mark}{}  {id}{standing}{kept}",
                identity.card.display_name()
            ))?;
        }
    }
    Ok(())
}

/// What is said behind an identity that is not used any more.
fn standing(standing: Standing, identities: &[StoredIdentity]) -> String {
    match standing {
        Standing::Replaced(id) => {
            let by = identities.iter().find(|other| other.card.id() == id);
            by.map_or_else(String::new, |by| {
                let by = fingerprint(&by.card.id());
                format!(", replaced by {by}")
            })
        }
        Standing::Active => String::new(),
        Standing::Revoked => ", revoked".to_owned(),
    }
}

/// What is said behind an identity whose key the kernel keeps.
fn kept(card: &Card, context: &Context) -> Result<String, Failure> {
    let kept = match stored::secret_if_any(context, card.id())? {
        Some(StoredSecret::Locked(locked)) => CachedSecret::find(&locked, context.now),
        Some(StoredSecret::Plain(_)) => None,
        None => return Ok(", its private keys are missing".to_owned()),
    };
    Ok(kept.map_or_else(String::new, |kept| format!("  {}", kept.words(context.now))))
}
