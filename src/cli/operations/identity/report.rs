//! One of my identities, as the keystore has it now.

use encl::crypto::signing::RootId;
use encl::identity::fingerprint;
use encl::keystore::{Standing, StoredIdentity, StoredSecret};
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::display::cards::card::{CardFacts, described};
use crate::cli::display::names::DisplayName;
use crate::cli::display::report::{Outcome, Words};
use crate::cli::errors::Failure;
use crate::cli::operations::identity::find::identities;
use crate::cli::secrets::kernel_keyring::CachedSecret;
use crate::cli::secrets::stored;
use crate::cli::terminal::Stream;

/// `encl.key/1`, in the documented order.
#[derive(Serialize)]
struct IdentityObject<'a> {
    schema: &'static str,
    #[serde(flatten)]
    card: CardFacts<'a>,
    default: bool,
    adopted: bool,
    revoked: bool,
    replaced_by: Option<String>,
    /// Unknown where the private keys are gone.
    passphrase: Option<bool>,
}

/// Lists all my identities, one a line.
pub(crate) fn list(identities: &[StoredIdentity], context: &Context) -> Result<(), Failure> {
    for identity in identities {
        let secret = secret(identity, context)?;
        let mark = if identity.is_default { "* " } else { "  " };
        let adopted = match context.is_mine(identity.card.id())? {
            true => "",
            false => ", not adopted",
        };
        let words = format!(
            "{mark}{}  {}{adopted}{}{}",
            identity.card.display_name(),
            fingerprint(&identity.card.id()),
            standing(identity.standing, identities),
            cached(secret.as_ref(), context)
        );
        report(identity, secret.as_ref(), Words::Answer(words), context)?;
    }
    Ok(())
}

/// Shows one of my identities.
pub(crate) fn show(identity: &StoredIdentity, context: &Context) -> Result<(), Failure> {
    let secret = secret(identity, context)?;
    let protection = match secret {
        Some(StoredSecret::Locked(_)) => "private keys: protected by a passphrase",
        Some(StoredSecret::Plain(_)) => "private keys: unencrypted",
        None => "private keys: missing; `encl doctor` says how to restore them",
    };
    let ended = match identity.standing {
        Standing::Active => "",
        Standing::Replaced(_) => "\nreplaced: it only decrypts what was encrypted for it",
        Standing::Revoked => "\nrevoked: it only decrypts what was encrypted for it",
    };
    let words = format!("{}\n{protection}{ended}", described(&identity.card));
    report(identity, secret.as_ref(), Words::Answer(words), context)
}

/// Prints the object of an identity that was changed; the text for a person was shown before.
pub(crate) fn changed(id: RootId, context: &Context) -> Result<(), Failure> {
    let mine = identities(context)?;
    match mine.iter().find(|identity| identity.card.id() == id) {
        Some(identity) => {
            let secret = secret(identity, context)?;
            report(identity, secret.as_ref(), Words::Nothing, context)
        }
        None => Ok(()),
    }
}

fn report(
    identity: &StoredIdentity,
    secret: Option<&StoredSecret>,
    words: Words,
    context: &Context,
) -> Result<(), Failure> {
    let object = IdentityObject {
        schema: "encl.key/1",
        default: identity.is_default,
        adopted: context.is_mine(identity.card.id())?,
        replaced_by: match identity.standing {
            Standing::Replaced(id) => Some(id.to_string()),
            _ => None,
        },
        revoked: identity.standing == Standing::Revoked,
        passphrase: secret.map(|secret| matches!(secret, StoredSecret::Locked(_))),
        card: CardFacts::of(&identity.card),
    };
    context.report(&Outcome { object, words }, Stream::Stdout)
}

fn secret(identity: &StoredIdentity, context: &Context) -> Result<Option<StoredSecret>, Failure> {
    stored::secret_if_any(&context.keystore, identity.card.id())
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
fn cached(secret: Option<&StoredSecret>, context: &Context) -> String {
    let cached = match secret {
        Some(StoredSecret::Locked(locked)) => CachedSecret::find(locked, context.now),
        Some(StoredSecret::Plain(_)) => None,
        None => return ", its private keys are missing".to_owned(),
    };
    cached.map_or_else(String::new, |cached| {
        format!("  {}", cached.words(context.now))
    })
}
