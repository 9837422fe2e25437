//! `encl key show`: one of my identities.

use clap::Args;
use encl::crypto::signing::RootId;
use encl::keystore::{Standing, StoredIdentity, StoredSecret};
use serde::Serialize;

use crate::cli::commands::key::{find, identities};
use crate::cli::commands::program::help::closing;
use crate::cli::context::Context;
use crate::cli::display::card::{CardFacts, described};
use crate::cli::errors::{Exit, Failure};
use crate::cli::secrets::stored;
use crate::cli::terminal::Stream;

/// Show one of my identities
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed, Exit::Recipient], "  $ encl key show"))]
pub(crate) struct Arguments {
    /// Address, name or fingerprint [default: the default identity]
    pub(crate) who: Option<String>,
}

pub(crate) fn run(who: Option<&str>, context: &Context) -> Result<(), Failure> {
    let identity = find(who, context)?;
    if context.json {
        return print_object(&identity, context);
    }
    let protection = match stored::secret_if_any(context, identity.card.id())? {
        Some(StoredSecret::Locked(_)) => "private keys: protected by a passphrase",
        Some(StoredSecret::Plain(_)) => "private keys: unencrypted",
        None => "private keys: missing; `encl doctor` says how to restore them",
    };
    let ended = match identity.standing {
        Standing::Active => "",
        Standing::Replaced(_) => "\nreplaced: it only decrypts what was encrypted for it",
        Standing::Revoked => "\nrevoked: it only decrypts what was encrypted for it",
    };
    context.terminal.print(&format!(
        "{}\n{protection}{ended}",
        described(&identity.card)
    ))
}

/// What has become of an identity, for programs.
pub(crate) fn told(id: RootId, context: &Context) -> Result<(), Failure> {
    if !context.json {
        return Ok(());
    }
    let mut mine = identities(context)?.into_iter();
    let identity = mine.find(|identity| identity.card.id() == id);
    identity.map_or(Ok(()), |identity| print_object(&identity, context))
}

pub(crate) fn print_object(identity: &StoredIdentity, context: &Context) -> Result<(), Failure> {
    let object = IdentityObject {
        schema: "encl.key/1",
        default: identity.is_default,
        replaced_by: match identity.standing {
            Standing::Replaced(id) => Some(id.to_string()),
            _ => None,
        },
        revoked: identity.standing == Standing::Revoked,
        passphrase: stored::secret_if_any(context, identity.card.id())?
            .map(|secret| matches!(secret, StoredSecret::Locked(_))),
        card: CardFacts::of(&identity.card),
    };
    context.terminal.print_object(&object, Stream::Stdout)
}

#[derive(Serialize)]
struct IdentityObject<'a> {
    schema: &'static str,
    #[serde(flatten)]
    card: CardFacts<'a>,
    default: bool,
    revoked: bool,
    replaced_by: Option<String>,
    /// Unknown where the private keys are gone.
    passphrase: Option<bool>,
}
