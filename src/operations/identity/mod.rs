//! My identities: made, changed, imported from another keystore, and restored from paper.

mod create;
mod error;
mod import;
mod paper;
mod update;

use std::error::Error;

use crate::crypto::CryptoRng;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::identity::{Card, Identity};
use crate::keystore::{Keystore, Protection};
use crate::time::Time;

pub use create::NewIdentity;
pub use error::UpdateError;
pub use import::dry_run_import;
pub use paper::PaperOutcome;
pub use update::IdentityUpdate;

/// My identities in a keystore, with everything that changing them needs.
pub struct Identities<'a> {
    /// Where they are stored.
    pub keystore: &'a Keystore,
    /// Unlocks private keys.
    pub unlock: &'a mut (dyn Unlock + Send),
    /// The time.
    pub now: Time,
    /// Randomness.
    pub rng: &'a mut (dyn CryptoRng + Send),
}

/// Asks for the passphrases of my identities.
pub trait Unlock {
    /// Unlocks the private keys of an identity in the keystore.
    ///
    /// # Errors
    /// Whatever keeps them locked; it comes back in [`UpdateError::Locked`].
    fn unlock(&mut self, card: &Card) -> Result<UnlockedIdentity, UnlockError>;

    /// Whether the memory that the passphrase of an exported identity takes may be spent. Asked before it.
    ///
    /// # Errors
    /// When it may not; it comes back in [`UpdateError::NoPassphrase`].
    fn allow_cost(&mut self, cost: Cost) -> Result<(), UnlockError> {
        let _ = cost;
        Ok(())
    }

    /// The passphrase of an identity that was exported.
    ///
    /// # Errors
    /// When there is none; it comes back in [`UpdateError::NoPassphrase`].
    fn exported_passphrase(&mut self) -> Result<Passphrase, UnlockError>;

    /// What protects the private keys of an identity that is stored for the first time; `None`: nothing.
    ///
    /// # Errors
    /// When there is no passphrase; it comes back in [`UpdateError::NoPassphrase`].
    fn new_lock(&mut self, card: &Card) -> Result<Option<IdentityLock>, UnlockError>;
}

/// Why a passphrase was not given, or private keys stay locked.
pub type UnlockError = Box<dyn Error + Send + Sync>;

/// The private keys of an identity in the keystore.
pub struct UnlockedIdentity {
    /// The keys.
    pub identity: Identity,
    /// What protects them in the keystore.
    pub lock: Option<IdentityLock>,
}

/// The passphrase that protects private keys.
pub struct IdentityLock {
    /// The passphrase.
    pub passphrase: Passphrase,
    /// The cost of a guess.
    pub cost: Cost,
}

/// How private keys with this lock are stored.
fn protection(lock: Option<&IdentityLock>) -> Protection<'_> {
    match lock {
        Some(lock) => Protection::Passphrase(&lock.passphrase, lock.cost),
        None => Protection::Plain,
    }
}

#[cfg(test)]
pub(super) mod tests;
