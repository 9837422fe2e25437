//! My private keys, each identity unlocked only when it is needed, and once.

use std::sync::{Mutex, OnceLock, PoisonError};

use encl::crypto::kdf::ContentKey;
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::RootId;
use encl::crypto::{KeyId, PrivateKey};
use encl::directory::Person;
use encl::envelope::{Keyring, KeyringError, ReaderKey};
use encl::identity::{Card, Identity};
use encl::keystore::{LockedIdentity, StoredSecret};
use zeroize::Zeroizing;

use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::keystore;
use crate::cli::errors::{Exit, Failure};
use crate::cli::secrets::kernel_keyring::CachedSecret;
use crate::cli::secrets::passphrase;
use crate::cli::secrets::passphrase::PassphraseFor;
use crate::cli::secrets::stored;

/// How often a mistyped passphrase may be typed again.
const TRIES: usize = 3;

/// One identity, locked until its private keys are asked for.
struct Mine {
    person: Person,
    identity: OnceLock<Identity>,
}

/// The private keys of whoever runs the program, for all threads.
pub(crate) struct Keys<'a> {
    context: &'a Context,
    mine: Vec<Mine>,
    /// Held while an identity is unlocked, so that nobody is asked twice.
    unlocking: Mutex<()>,
}

impl<'a> Keys<'a> {
    /// A keyring of these identities, the preferred one first.
    pub(crate) fn new<'p>(
        context: &'a Context,
        mine: impl IntoIterator<Item = &'p Person>,
    ) -> Self {
        let locked = |person: &Person| Mine {
            person: person.clone(),
            identity: OnceLock::new(),
        };
        Self {
            context,
            mine: mine.into_iter().map(locked).collect(),
            unlocking: Mutex::new(()),
        }
    }

    /// Unlocks one identity, asking for its passphrase if it has one.
    pub(crate) fn identity(&self, id: RootId) -> Result<&Identity, Failure> {
        let mine = self.mine.iter().find(|mine| mine.person.card.id() == id);
        let mine = mine.expect("only identities of this keyring are asked for");
        if let Some(identity) = mine.identity.get() {
            return Ok(identity);
        }
        let _unlocking = self
            .unlocking
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = mine.identity.get() {
            return Ok(identity);
        }
        let identity = unlock(self.context, &mine.person)?;
        Ok(mine.identity.get_or_init(|| identity))
    }

    fn private_key(&self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        let has = |mine: &&Mine| {
            mine.person
                .card
                .keys()
                .iter()
                .any(|k| k.public.key_id() == key)
        };
        let owner = self.mine.iter().find(has).map(|mine| mine.person.card.id());
        let identity = self
            .identity(owner.ok_or("this key is not mine")?)
            .map_err(KeyringError::from)?;
        Ok(identity
            .private_key(key)
            .ok_or("the identity file does not have the key that its card names")?)
    }
}

/// What was answered about one envelope: it may be read twice, and nobody is asked twice.
#[derive(Default)]
pub(crate) struct Answers {
    /// What a passphrase question is about: "report.pdf.encl".
    envelope: String,
    answer: Option<Zeroizing<String>>,
}

impl Answers {
    /// The keyring for an envelope of that name.
    pub(crate) fn keyring<'k, 'a>(
        &'k mut self,
        keys: &'k Keys<'a>,
        name: &str,
    ) -> EnvelopeKeys<'k, 'a> {
        if self.envelope != name {
            name.clone_into(&mut self.envelope);
            self.answer = None;
        }
        EnvelopeKeys {
            keys,
            answers: self,
        }
    }
}

/// The keys, and the answers about one envelope.
pub(crate) struct EnvelopeKeys<'k, 'a> {
    keys: &'k Keys<'a>,
    answers: &'k mut Answers,
}

impl Keyring for EnvelopeKeys<'_, '_> {
    fn keys(&self) -> Vec<ReaderKey> {
        let cards = self.keys.mine.iter().map(|mine| &mine.person.card);
        let keys = cards.flat_map(encl::identity::Card::keys);
        keys.map(|key| ReaderKey {
            id: key.public.key_id(),
            kem: key.public.kem(),
        })
        .collect()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        self.keys.private_key(key)
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        let Answers { envelope, answer } = &mut *self.answers;
        let text = match answer.take() {
            Some(text) => text,
            None => self
                .keys
                .context
                .passphrases
                .existing_text(PassphraseFor::Envelope, envelope)?,
        };
        Ok(passphrase::made(answer.insert(text), envelope)?)
    }
}

/// The private keys of one of my identities: with the key that `encl unlock` keeps, else after a question for its passphrase
/// if it has one.
pub(crate) fn unlock(context: &Context, person: &Person) -> Result<Identity, Failure> {
    if let StoredSecret::Locked(locked) = stored::secret(context, person.card.id())?
        && let Some(kept) = CachedSecret::find(&locked, context.now)
        && let Ok(identity) = locked.unlock_with(kept.key())
    {
        return Ok(identity);
    }
    unlock_to_change(context, &person.card).map(|(identity, _)| identity)
}

/// The same after a question in any case, with what locked them, for whoever locks them again.
pub(crate) fn unlock_to_change(
    context: &Context,
    card: &Card,
) -> Result<(Identity, Option<(Passphrase, Cost)>), Failure> {
    let locked = match stored::secret(context, card.id())? {
        StoredSecret::Plain(identity) => return Ok((identity, None)),
        StoredSecret::Locked(locked) => locked,
    };
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
