//! Who is meant by a name, a card, an address or a group.
//!
//! [`People`] reads a keystore; [`resolve`] finds those whom words mean, [`AddressBook`] those whom mail addresses mean. Nobody is
//! guessed and nobody is left out: what is not clear is a [`DirectoryError`] that says what is known.

mod addresses;
mod error;
mod lookalike;
mod names;
mod people;
mod recipients;
mod removals;
mod resolve;
mod trust;
mod who;

pub use addresses::{AddressBook, ListedGroup, ResolvedAddresses, recipients_at};
pub use error::{AddressOwner, DirectoryError, GroupChange, Member, UnclearAddress};
pub use lookalike::{Distinction, Lookalike, lookalikes};
pub use names::{Names, closest_match, match_one};
pub use people::{People, Person, Signer, VerifiedParts};
pub use recipients::{
    NotRemembered, RecipientNotice, Recipients, ResolvedQuorum, current_key, key_directory,
    known_person,
};
pub use removals::{RemovedHolder, ResolvedRemovals};
pub use resolve::{CardState, ResolvedRecipient, resolve, resolve_card_file, resolve_members};
pub use trust::Trust;
pub use who::{Who, WhoForm, WhoUse};

#[cfg(test)]
mod tests;
