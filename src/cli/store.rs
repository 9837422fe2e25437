//! The keystore as the commands see it: its errors as failures.

use encl::crypto::signing::RootId;
use encl::identity::{Card, fingerprint};
use encl::keystore::{AcceptOutcome, AddedBy, Group, Keystore, KeystoreError, StoredSecret};

use super::context::Context;
use super::escape::typed;
use super::people::{Names, People, Trust};
use super::report::{Exit, Failure, system_words};
use super::terminal::{safe, shown};
use super::trust::changed_hint;
use super::when;

/// The keystore that this run was pointed to.
pub(crate) fn keystore(context: &Context) -> Keystore {
    let keystore = Keystore::at(&context.keystore);
    match &context.state {
        Some(folder) => keystore.with_state(folder),
        None => keystore,
    }
}

/// Warns when this machine's clock runs backwards. For commands that judge dates, once per run.
pub(crate) fn warn_of_clock(context: &Context) {
    let keystore = keystore(context);
    if let Some(latest) = keystore.record_time(context.now) {
        context.terminal.warning(&format!(
            "this machine's clock says {}, but this keystore was used at {}: dates cannot be judged (if that time was \
             the wrong one, remove {})",
            when::local(context.now),
            when::local(latest),
            shown(&keystore.clock_path())
        ));
    }
}

/// Everybody in the keystore. One that does not exist yet is empty.
pub(crate) fn people(context: &Context) -> Result<People, Failure> {
    People::read(keystore(context)).map_err(|error| unreadable(&error))
}

/// The keystore could not be read at all.
pub(crate) fn unreadable(error: &KeystoreError) -> Failure {
    failure("cannot read the keystore", error)
}

/// The members of a group.
pub(crate) fn group(context: &Context, name: &str) -> Result<Vec<RootId>, Failure> {
    whole_group(context, name).map(|group| group.members.into_iter().collect())
}

/// A group with its address.
pub(crate) fn whole_group(context: &Context, name: &str) -> Result<Group, Failure> {
    let what = format!("cannot tell who `@{}` is", safe(name));
    let group = keystore(context)
        .group(name)
        .map_err(|error| failure(&what, &error))?;
    group.ok_or_else(|| {
        let failure = Failure::new(Exit::Recipient, what).because("there is no such group");
        failure.hint("`encl group list` shows the groups")
    })
}

/// Stores cards that were named for the first time, or later cards of contacts.
pub(crate) fn remember(context: &Context, cards: &[Card]) -> Result<(), Failure> {
    let accepted = keystore(context).accept_all(cards, AddedBy::FirstUse, context.now);
    let what = "cannot store the cards of new recipients";
    accepted.map(drop).map_err(|error| failure(what, &error))
}

/// Takes a card into the contacts.
pub(crate) fn accept(
    context: &Context,
    card: &Card,
    how: AddedBy,
) -> Result<AcceptOutcome, Failure> {
    let accepted = keystore(context).accept(card, how, context.now);
    accepted.map_err(|error| {
        let what = format!("cannot take the card of {}", safe(card.name()));
        match error {
            KeystoreError::KeyChanged { known, .. } => doubted(context, &what, &error, known, card),
            KeystoreError::OtherCard { .. } => doubted(context, &what, &error, card.id(), card),
            _ => failure(&what, &error),
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
    let refused = failure(what, error)
        .because(format!("known {}", fingerprint(&known)))
        .because(format!("given {}", fingerprint(&card.id())));
    let Ok(Some(contact)) = keystore(context).contact(&known) else {
        return refused;
    };
    let names = Names::of_card(&contact.card);
    let trust = Trust::from(contact.trust);
    if trust != Trust::Changed {
        return refused;
    }
    let who = typed(names.addresses.first().map_or("", String::as_str), "WHO");
    refused
        .because(format!(
            "{} is marked as changed: nothing is sealed for them until you decide",
            names.words()
        ))
        .hint(changed_hint(&who))
}

/// An identity's private keys as they stand in the keystore.
pub(crate) fn secret(context: &Context, id: RootId) -> Result<StoredSecret, Failure> {
    let due = secret_if_any(context, id)?;
    due.ok_or_else(|| {
        Failure::new(Exit::Failed, "cannot read your identity")
            .because("its private keys are gone")
            .hint("`encl restore` and `encl key paper --restore` bring them back")
    })
}

/// The same, of an identity that may have lost them.
pub(crate) fn secret_if_any(
    context: &Context,
    id: RootId,
) -> Result<Option<StoredSecret>, Failure> {
    match keystore(context).secret(&id) {
        Ok(secret) => Ok(Some(secret)),
        Err(KeystoreError::Unknown(_)) => Ok(None),
        Err(error) => Err(failure("cannot read your identity", &error)),
    }
}

/// What went wrong with the keystore, as a failure of `what` ("cannot …").
pub(crate) fn failure(what: &str, error: &KeystoreError) -> Failure {
    let failure = Failure::new(exit(error), what).because(safe(&error.to_string()));
    match error {
        KeystoreError::System { source, .. } => failure.because(system_words(source)),
        KeystoreError::File(error) => match std::error::Error::source(error).and_then(|s| s.downcast_ref()) {
            Some(source) => failure.because(system_words(source)),
            None => failure,
        },
        KeystoreError::OpenToOthers { path, .. } => failure.hint(format!("`chmod go= {}` makes it private", shown(path))),
        KeystoreError::AddressTaken { .. } => {
            failure.hint("`encl key card` prints its card; `encl key remove` removes it for good")
        }
        KeystoreError::KeyChanged { .. } => failure.hint(
            "somebody may be pretending: ask by another way than this card came; if the key was really replaced, \
             `encl contact remove` the old card and add this one",
        ),
        KeystoreError::Changed => failure.hint("run the command again"),
        KeystoreError::Blocked => failure.hint("`encl contact unblock` comes first"),
        KeystoreError::NoState => failure.hint("set $XDG_STATE_HOME or $HOME"),
        _ => failure,
    }
}

fn exit(error: &KeystoreError) -> Exit {
    match error {
        KeystoreError::WrongPassphrase | KeystoreError::Passphrase(_) => Exit::Locked,
        KeystoreError::AddressTaken { .. } | KeystoreError::GroupExists(_) => Exit::Exists,
        KeystoreError::KeyChanged { .. }
        | KeystoreError::OlderCard { .. }
        | KeystoreError::OtherCard { .. }
        | KeystoreError::OwnCard
        | KeystoreError::Blocked
        | KeystoreError::NotBlocked
        | KeystoreError::Revoked
        | KeystoreError::Unknown(_) => Exit::Recipient,
        KeystoreError::GroupName(_) | KeystoreError::GroupAddress(_) => Exit::Usage,
        KeystoreError::Damaged { .. } => Exit::Damaged,
        _ => Exit::Failed,
    }
}
