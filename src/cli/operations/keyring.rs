//! My identities unlocked: by the key that `encl unlock` left in the kernel's keyring, else by a passphrase.

use encl::crypto::kdf::ContentKey;
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::directory::Person;
use encl::envelope::{GateFailure, GateLock, GateParts, GateQuestion, HeldQuestion, KeyringError};
use encl::identity::{Card, Identity};
use encl::keystore::{LockedIdentity, StoredSecret};
use encl::operations::{MyKeys, Unlock};
use zeroize::Zeroizing;

use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::gate::opening;
use crate::cli::secrets::kernel_keyring::CachedSecret;
use crate::cli::secrets::passphrase::{self, PassphraseFor};
use crate::cli::secrets::stored;

/// How often a mistyped passphrase may be typed again.
const TRIES: usize = 3;

impl Unlock for Context {
    fn unlock_identity(&self, person: &Person) -> Result<Identity, KeyringError> {
        Ok(unlock(self, person)?)
    }

    fn passphrase_of_envelope(&self, envelope: &str) -> Result<Zeroizing<String>, KeyringError> {
        let passphrases = &self.passphrases;
        Ok(passphrases.existing_text(PassphraseFor::Envelope, envelope)?)
    }

    fn allow_cost(&self, cost: Cost, envelope: &str) -> Result<(), KeyringError> {
        Ok(self.cost_gate.allow(cost, envelope)?)
    }

    fn passphrase_from(&self, text: &str, envelope: &str) -> Result<Passphrase, KeyringError> {
        Ok(passphrase::made(text, envelope)?)
    }

    fn may_ask(&self, lock: &GateLock) -> bool {
        opening::may_ask(self, lock)
    }

    fn ask_gates(
        &self,
        question: &GateQuestion<'_>,
        envelope: &str,
        keys: &MyKeys<'_>,
    ) -> Result<GateParts, GateFailure> {
        opening::ask(self, question, envelope, keys)
    }

    fn has_gates(&self) -> bool {
        opening::has_gates(self)
    }

    fn ask_ahead(&self, questions: &[HeldQuestion], keys: &MyKeys<'_>) {
        opening::ask_ahead(self, questions, keys);
    }
}

/// The private keys of one of my identities: with the key that `encl unlock` keeps, else after a question for its passphrase
/// if it has one.
pub(crate) fn unlock(context: &Context, person: &Person) -> Result<Identity, Failure> {
    let secret = stored::secret(&context.keystore, person.card.id())?;
    if matches!(secret, StoredSecret::Locked(_)) {
        context.passphrases.first_is_identitys();
    }
    if let StoredSecret::Locked(locked) = &secret
        && let Some(cached) = CachedSecret::find(locked, context.now)
        && let Ok(identity) = locked.unlock_with(cached.key())
    {
        return Ok(identity);
    }
    unlock_by_passphrase(secret, context, &person.card).map(|(identity, _)| identity)
}

/// Asks for the passphrase in any case, and hands back what locked the keys, so that they can be locked again.
pub(crate) fn unlock_to_change(
    context: &Context,
    card: &Card,
) -> Result<(Identity, Option<(Passphrase, Cost)>), Failure> {
    let secret = stored::secret(&context.keystore, card.id())?;
    unlock_by_passphrase(secret, context, card)
}

fn unlock_by_passphrase(
    secret: StoredSecret,
    context: &Context,
    card: &Card,
) -> Result<(Identity, Option<(Passphrase, Cost)>), Failure> {
    let locked = match secret {
        StoredSecret::Plain(identity) => return Ok((identity, None)),
        StoredSecret::Locked(locked) => locked,
    };
    context.passphrases.first_is_identitys();
    let (key, passphrase) = key_of(&locked, card, context)?;
    let opened = locked.unlock_with(&key);
    let identity = opened
        .map_err(|error| keystore::failure(&format!("cannot unlock {}", named(card)), &error))?;
    Ok((identity, Some((passphrase, locked.cost()))))
}

/// The key of an identity's file, after a question for its passphrase, and that.
pub(crate) fn key_of(
    locked: &LockedIdentity,
    card: &Card,
    context: &Context,
) -> Result<(ContentKey, Passphrase), Failure> {
    let what = named(card);
    let mut tries = 1;
    loop {
        let passphrase = context
            .passphrases
            .existing(PassphraseFor::Identity, &what)?;
        let key = locked.key(&passphrase);
        match key.map_err(|error| keystore::failure(&format!("cannot unlock {what}"), &error)) {
            Ok(key) => return Ok((key, passphrase)),
            Err(failure)
                if failure.exit == Exit::Locked
                    && context.passphrases.are_asked()
                    && tries < TRIES =>
            {
                context.terminal.warning("that passphrase is wrong");
                tries += 1;
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn named(card: &Card) -> String {
    let words = card.display_name();
    format!("your identity {words}")
}
