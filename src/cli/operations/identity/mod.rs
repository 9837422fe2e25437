//! My identities, with the questions that only a terminal can answer.

pub(crate) mod card_out;
pub(crate) mod find;
pub(crate) mod private_file;
pub(crate) mod report;

use encl::crypto::CryptoRng;
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::identity::Card;
use encl::operations::identity::{Identities, IdentityLock, Unlock, UnlockError, UnlockedIdentity};

use crate::cli::context::Context;
use crate::cli::operations::keyring;
use crate::cli::secrets::passphrase::PassphraseFor;
use crate::cli::terminal::safe;

/// Asks for the passphrases of my identities on the terminal, or where the command line says.
pub(crate) struct Ask<'a> {
    context: &'a Context,
    /// What new private keys are protected with; `None`: they stand in the clear.
    new_lock: Option<NewLock>,
}

/// The passphrase that a new identity gets.
pub(crate) struct NewLock {
    pub(crate) cost: Cost,
    /// What the question calls it: "the new identity".
    pub(crate) about: &'static str,
}

impl<'a> Ask<'a> {
    /// For identities that are here.
    pub(crate) fn new(context: &'a Context) -> Self {
        Self {
            context,
            new_lock: None,
        }
    }

    /// For an identity that is stored for the first time. Without a cost its keys stand in the clear.
    pub(crate) fn for_new(context: &'a Context, about: &'static str, cost: Option<Cost>) -> Self {
        Self {
            context,
            new_lock: cost.map(|cost| NewLock { cost, about }),
        }
    }

    /// My identities in the keystore.
    pub(crate) fn identities<'i>(
        &'i mut self,
        rng: &'i mut (dyn CryptoRng + Send),
    ) -> Identities<'i> {
        let context = self.context;
        Identities {
            keystore: &context.keystore,
            unlock: self,
            now: context.now,
            rng,
        }
    }
}

impl Unlock for Ask<'_> {
    fn unlock(&mut self, card: &Card) -> Result<UnlockedIdentity, UnlockError> {
        let (identity, lock) = keyring::unlock_to_change(self.context, card)?;
        let lock = lock.map(|(passphrase, cost)| IdentityLock { passphrase, cost });
        Ok(UnlockedIdentity { identity, lock })
    }

    fn allow_cost(&mut self, cost: Cost) -> Result<(), UnlockError> {
        Ok(self
            .context
            .cost_gate
            .allow(cost, "the identity in the file")?)
    }

    fn exported_passphrase(&mut self) -> Result<Passphrase, UnlockError> {
        let passphrases = &self.context.passphrases;
        Ok(passphrases.existing(PassphraseFor::Identity, "the identity in the file")?)
    }

    fn new_lock(&mut self, card: &Card) -> Result<Option<IdentityLock>, UnlockError> {
        let Some(NewLock { cost, about }) = self.new_lock else {
            return Ok(None);
        };
        let about = format!("{about} {}", safe(&card.addresses()[0]));
        let passphrases = &self.context.passphrases;
        let passphrase = passphrases.new_one(PassphraseFor::Identity, &about)?;
        Ok(Some(IdentityLock { passphrase, cost }))
    }
}
