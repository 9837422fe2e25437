//! One of my identities, as it was named or by default.

use encl::crypto::signing::RootId;
use encl::directory::{Names, Who, WhoUse, match_one};
use encl::identity::{Card, parse_fingerprint};
use encl::keystore::{Standing, StoredIdentity};

use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::directory::retired;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};

/// All my identities.
pub(crate) fn identities(context: &Context) -> Result<Vec<StoredIdentity>, Failure> {
    context.tell_of_identities()?;
    let identities = context.keystore.identities();
    identities.map_err(|error| keystore::failure("cannot read your identities", &error))
}

/// One of my identities that is used: it signs, and others seal to it.
pub(crate) fn find_active(who: Option<&str>, context: &Context) -> Result<StoredIdentity, Failure> {
    let identity = find(who, context)?;
    if identity.standing == Standing::Active {
        return Ok(identity);
    }
    let what = format!("cannot use your identity {}", identity.card.display_name());
    Err(retired(what))
}

/// One of my identities by address, name or fingerprint, of two with the same the one that is used; without one the default.
pub(crate) fn find(who: Option<&str>, context: &Context) -> Result<StoredIdentity, Failure> {
    let identities = identities(context)?;
    let known = context.keystore.check_own();
    known.map_err(|error| keystore::unreadable(&error))?;
    find_in(identities, who, context)
}

/// What `key remove` removes.
pub(crate) enum Removal {
    /// An identity in the keystore.
    Here(Card),
    /// One of mine that is gone already.
    Gone(RootId),
}

/// One of my identities, or by its fingerprint one that I have not adopted, or one that is gone.
pub(crate) fn find_to_remove(who: &str, context: &Context) -> Result<Removal, Failure> {
    let mine = identities(context)?;
    let keystore = &context.keystore;
    let failed = |error| keystore::unreadable(&error);
    if let Some(id) = parse_fingerprint(who) {
        if keystore.is_missed(&id).map_err(failed)? {
            return Ok(Removal::Gone(id));
        }
        let here = mine.iter().map(|one| &one.card);
        let set_aside = keystore.set_aside().map_err(failed)?;
        if let Some(card) = here.chain(&set_aside).find(|card| card.id() == id) {
            return Ok(Removal::Here(card.clone()));
        }
    }
    Ok(Removal::Here(find(Some(who), context)?.card))
}

fn find_in(
    mut identities: Vec<StoredIdentity>,
    who: Option<&str>,
    context: &Context,
) -> Result<StoredIdentity, Failure> {
    let place = match context.identity_name(who) {
        Some(name) => place_of(&name, &identities, context)?,
        None if identities.is_empty() => {
            let failure =
                Failure::new(Exit::Recipient, "cannot find your identity").reason("you have none");
            return Err(failure.hint(keystore::NO_IDENTITY));
        }
        None => 0,
    };
    Ok(identities.swap_remove(place))
}

fn place_of(
    name: &str,
    identities: &[StoredIdentity],
    context: &Context,
) -> Result<usize, Failure> {
    let former = identities
        .iter()
        .filter(|identity| identity.standing != Standing::Active)
        .map(|identity| Names::of_card(&identity.card))
        .collect::<Vec<_>>();
    let people = context.people()?;
    let id = match people.my_identity(name) {
        Ok(person) => person.card.id(),
        Err(error) => {
            let former = match_one(&Who::parse(name, WhoUse::Own)?, &former);
            former.map_err(|_| error)?
        }
    };
    let place = identities
        .iter()
        .position(|identity| identity.card.id() == id);
    Ok(place.expect("both lists were read from one keystore"))
}
