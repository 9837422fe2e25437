//! The keystore as the commands see it: its errors as failures, its cards as people.

use encl::crypto::passphrase::Passphrase;
use encl::crypto::signing::RootId;
use encl::identity::{Card, Identity};

use super::context::Context;
use super::people::{People, Person};
use super::report::{Exit, Failure};

/// Everybody in the keystore. One that does not exist yet is empty.
pub(crate) fn people(_context: &Context) -> Result<People, Failure> {
    Ok(People {
        mine: Vec::<Person>::new(),
        contacts: Vec::new(),
    })
}

/// The members of a group.
pub(crate) fn group(_context: &Context, _name: &str) -> Result<Vec<RootId>, Failure> {
    todo()
}

/// Stores a card that was named for the first time, or a later card of a contact.
pub(crate) fn remember(_context: &Context, _card: &Card) -> Result<(), Failure> {
    todo()
}

/// Whether a passphrase is needed for this identity.
pub(crate) fn is_locked(_context: &Context, _id: RootId) -> Result<bool, Failure> {
    todo()
}

/// Reads an identity's private keys.
pub(crate) fn unlock(
    _context: &Context,
    _id: RootId,
    _passphrase: Option<&Passphrase>,
) -> Result<Identity, Failure> {
    todo()
}

fn todo<T>() -> Result<T, Failure> {
    Err(Failure::new(
        Exit::Failed,
        "cannot use the keystore: not built yet",
    ))
}
