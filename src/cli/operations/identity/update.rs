//! An identity of mine that is about to change: unlocked, and locked again as it was.

use encl::crypto::passphrase::{Cost, Passphrase};
use encl::identity::{Card, CardRequest, Identity};
use encl::keystore::{IdentityChange, Protection, SecretState};
use encl::time::Time;

use crate::cli::args::time;
use crate::cli::args::time::DayEdge;
use crate::cli::context::Context;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::secrets::keyring;
use crate::cli::terminal::safe;

/// My identity with what locks it.
pub(crate) struct IdentityUpdate {
    pub(crate) card: Card,
    pub(crate) identity: Identity,
    /// What opened it, unless it stands in the clear.
    pub(crate) lock: Option<(Passphrase, Cost)>,
    before: SecretState,
}

impl IdentityUpdate {
    /// Unlocks it.
    pub(crate) fn begin(card: Card, what: &str, context: &Context) -> Result<Self, Failure> {
        // Before the keys are read: what another run changes from here on is found out.
        let before = context.keystore.secret_state(&card.id());
        let before = before.map_err(|error| keystore::failure(what, &error))?;
        let (identity, lock) = keyring::unlock_to_change(context, &card)?;
        Ok(Self {
            card,
            identity,
            lock,
            before,
        })
    }

    /// Writes it, locked as it was.
    pub(crate) fn end(
        &self,
        card: Option<&Card>,
        what: &str,
        context: &Context,
    ) -> Result<(), Failure> {
        self.end_locked_by(self.lock.as_ref(), card, what, context)
    }

    /// Writes it, locked by another passphrase or by none.
    pub(crate) fn end_locked_by(
        &self,
        lock: Option<&(Passphrase, Cost)>,
        card: Option<&Card>,
        what: &str,
        context: &Context,
    ) -> Result<(), Failure> {
        let change = IdentityChange {
            identity: &self.identity,
            protection: protection(lock),
            card,
        };
        context
            .keystore
            .change_identity(self.before, &change, &mut context.rng())
            .map_err(|error| keystore::failure(what, &error))
    }

    /// The next card, with all keys as they are now.
    pub(crate) fn next_card(&self, what: &str, context: &Context) -> Result<Card, Failure> {
        let serial = self.card.serial().checked_add(1);
        later_card(&self.identity, &self.card, serial, what, context)
    }
}

/// A card that says what an earlier one says, with all keys as they are now. Without a serial there is none.
pub(crate) fn later_card(
    identity: &Identity,
    earlier: &Card,
    serial: Option<u32>,
    what: &str,
    context: &Context,
) -> Result<Card, Failure> {
    let failed = |reason: String| Failure::new(Exit::Failed, what).reason(safe(&reason));
    let request = CardRequest {
        name: earlier.name().to_owned(),
        addresses: earlier.addresses().to_vec(),
        serial: serial
            .ok_or_else(|| failed("its card has the highest possible serial number".into()))?,
        created: context.now,
    };
    Card::replacing(identity, request, earlier.replaces())
        .map_err(|error| failed(error.to_string()))
}

/// How private keys are kept under this lock.
pub(crate) fn protection(lock: Option<&(Passphrase, Cost)>) -> Protection<'_> {
    match lock {
        Some((passphrase, cost)) => Protection::Passphrase(passphrase, *cost),
        None => Protection::Plain,
    }
}

/// A 2^n KiB cost from the command line.
pub(crate) fn cost(text: &str) -> Result<Cost, String> {
    let cost = text.parse().ok().and_then(Cost::new);
    cost.ok_or_else(|| "a cost is 16 (64 MiB), 17, 18, 19 or 20 (1 GiB)".to_owned())
}

/// When a key ends, as `--expires` says it.
pub(crate) fn expiry(
    text: Option<&str>,
    what: &str,
    context: &Context,
) -> Result<Option<Time>, Failure> {
    let usage = |reason: String| Failure::new(Exit::Usage, what).reason(reason);
    let Some(text) = text else { return Ok(None) };
    let expires = time::parse(text, context.now, DayEdge::End)
        .map_err(|error| usage(safe(&error.to_string())))?;
    if expires > context.now {
        Ok(Some(expires))
    } else {
        Err(usage("--expires is not in the future".into()))
    }
}
