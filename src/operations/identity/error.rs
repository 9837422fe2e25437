//! What can go wrong when an identity is made or changed.

use super::UnlockError;
use crate::identity::{CardError, IdentityError, NamingFault, PaperError};
use crate::keystore::KeystoreError;

/// Why an identity was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The private keys in the keystore stay locked.
    #[error("the private keys stay locked")]
    Locked(#[source] UnlockError),
    /// The private keys in the keystore could not be read.
    #[error("the private keys cannot be read")]
    Unreadable(#[source] KeystoreError),
    /// There is no passphrase for the keys that come in.
    #[error("there is no passphrase")]
    NoPassphrase(#[source] UnlockError),
    /// The keystore refused.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// What a new identity's card should say cannot be on a card.
    #[error(transparent)]
    Request(CardError),
    /// What a new identity's card should say could be taken for something else.
    #[error(transparent)]
    Naming(NamingFault),
    /// The card has the highest serial.
    #[error("its card has the highest possible serial number")]
    LastSerial,
    /// A later card cannot be signed.
    #[error(transparent)]
    Card(CardError),
    /// The identity has no room for another key.
    #[error(transparent)]
    Rotate(IdentityError),
    /// The two have different keys, or together too many.
    #[error(transparent)]
    Merge(IdentityError),
    /// Another run removed the identity.
    #[error("it was just removed")]
    Removed,
    /// There is no page for this identity.
    #[error(transparent)]
    Paper(PaperError),
}
