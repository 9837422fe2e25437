//! Contacts as the keystore has them now.

pub(crate) mod contact_report;
pub(crate) mod group_report;
pub(crate) mod text_out;

use encl::crypto::signing::RootId;
use encl::directory::Person;
use encl::identity::Card;
use encl::keystore::{self as library, Contact, Keystore, VerifiedAs};

use crate::cli::context::Context;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore;

pub(crate) fn contact(id: &RootId, context: &Context) -> Result<Option<Contact>, Failure> {
    let contact = context.keystore.contact(id);
    contact.map_err(|error| keystore::failure("cannot read the contact", &error))
}

pub(crate) fn find(who: &str, context: &Context) -> Result<Person, Failure> {
    let people = context.people()?;
    Ok(people.find_contact(who)?)
}

/// How far a contact is trusted now, and for which name and addresses it was verified.
pub(crate) fn trust_in(
    keystore: &Keystore,
    card: &Card,
) -> Result<(library::Trust, Option<VerifiedAs>), Failure> {
    let contact = keystore.contact(&card.id());
    let contact = contact.map_err(|error| keystore::unreadable(&error))?;
    Ok(
        contact.map_or((library::Trust::Unverified, None), |contact| {
            (contact.trust, contact.verified_as)
        }),
    )
}
