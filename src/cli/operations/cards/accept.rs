//! A card is taken into the contacts.

use encl::crypto::signing::RootId;
use encl::directory::{Names, Trust};
use encl::identity::{Card, fingerprint};
use encl::keystore::{AcceptOutcome, AddedBy, KeystoreError};

use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::directory::changed_hint;
use crate::cli::errors::{Failure, keystore};
use crate::cli::terminal::{safe, typed};

/// Takes a card into the contacts.
pub(crate) fn accept(
    context: &Context,
    card: &Card,
    added_by: AddedBy,
) -> Result<AcceptOutcome, Failure> {
    let accepted = context.keystore.accept(card, added_by, context.now);
    accepted.map_err(|error| {
        let what = format!("cannot accept the card of {}", safe(card.name()));
        match error {
            KeystoreError::KeyChanged { known, .. } => doubted(context, &what, &error, known, card),
            KeystoreError::OtherCard { .. } => doubted(context, &what, &error, card.id(), card),
            _ => keystore::failure(&what, &error),
        }
    })
}

/// A card that puts a contact in doubt: what it says, what became of the contact, and what to do.
fn doubted(
    context: &Context,
    what: &str,
    error: &KeystoreError,
    known: RootId,
    card: &Card,
) -> Failure {
    let refused = keystore::failure(what, error)
        .reason(format!("known {}", fingerprint(&known)))
        .reason(format!("given {}", fingerprint(&card.id())));
    let Ok(Some(contact)) = context.keystore.contact(&known) else {
        return refused;
    };
    let names = Names::of_card(&contact.card);
    let trust = Trust::from(contact.trust);
    if trust != Trust::Changed {
        return refused;
    }
    let who = typed(names.addresses.first().map_or("", String::as_str), "WHO");
    refused
        .reason(format!(
            "{} is marked as changed: nothing is encrypted for them until you decide",
            names.display_name()
        ))
        .hint(changed_hint(&who))
}
