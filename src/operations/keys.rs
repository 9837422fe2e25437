//! My private keys, each identity unlocked only when it is needed, and once.

use std::io::Read;
use std::sync::{Mutex, OnceLock, PoisonError};

use zeroize::Zeroizing;

use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::signing::{RootId, SigningKey};
use crate::crypto::{KeyId, PrivateKey, PublicKey};
use crate::directory::Person;
use crate::envelope::{
    Envelope, GateFailure, GateLock, GateParts, GateQuestion, HeldQuestion, Keyring, KeyringError,
    OpenError, ReaderKey,
};
use crate::identity::{Card, CardKey, Identity};

/// Where passphrases come from: a program asks for them, a test knows them.
pub trait Unlock: Sync {
    /// The private keys of one of my identities.
    ///
    /// # Errors
    /// What keeps them locked. It comes back as [`KeyringError`] wherever keys are needed.
    fn unlock_identity(&self, person: &Person) -> Result<Identity, KeyringError>;

    /// The passphrase of an envelope, as it was typed. `envelope` names it for a person.
    ///
    /// # Errors
    /// Why there is none.
    fn passphrase_of_envelope(&self, envelope: &str) -> Result<Zeroizing<String>, KeyringError>;

    /// Whether the memory that the passphrase of an envelope takes may be spent. Asked before it.
    ///
    /// # Errors
    /// Why it may not.
    fn allow_cost(&self, cost: Cost, envelope: &str) -> Result<(), KeyringError> {
        let _ = (cost, envelope);
        Ok(())
    }

    /// The text as a passphrase that can be used.
    ///
    /// # Errors
    /// Why it cannot be one.
    fn passphrase_from(&self, text: &str, envelope: &str) -> Result<Passphrase, KeyringError> {
        let _ = envelope;
        Ok(Passphrase::new(text)?)
    }

    /// Whether one of the gates of a lock may be asked. Never prompts, and asks nobody.
    fn may_ask(&self, lock: &GateLock) -> bool {
        let _ = lock;
        false
    }

    /// Asks the gates of a lock; `keys` sign the request.
    ///
    /// # Errors
    /// [`GateFailure`].
    fn ask_gates(
        &self,
        question: &GateQuestion<'_>,
        envelope: &str,
        keys: &MyKeys<'_>,
    ) -> Result<GateParts, GateFailure> {
        let _ = (question, envelope, keys);
        Ok(GateParts::new())
    }

    /// Whether any gate is known. Asks nobody.
    fn has_gates(&self) -> bool {
        false
    }

    /// Asks about many envelopes with one request, and keeps the answers for [`Unlock::ask_gates`].
    fn ask_ahead(&self, questions: &[HeldQuestion], keys: &MyKeys<'_>) {
        let _ = (questions, keys);
    }
}

/// One identity, locked until its private keys are asked for.
struct LazyIdentity {
    person: Person,
    identity: OnceLock<Identity>,
}

/// The private keys of the person who runs the program, shared by all threads.
pub struct MyKeys<'a> {
    unlock: &'a dyn Unlock,
    identities: Vec<LazyIdentity>,
    /// Held while an identity is unlocked, so that a passphrase is asked for once.
    unlocking: Mutex<()>,
}

impl<'a> MyKeys<'a> {
    /// The keys of these identities, the preferred one first.
    pub fn new<'p>(unlock: &'a dyn Unlock, mine: impl IntoIterator<Item = &'p Person>) -> Self {
        let locked = |person: &Person| LazyIdentity {
            person: person.clone(),
            identity: OnceLock::new(),
        };
        Self {
            unlock,
            identities: mine.into_iter().map(locked).collect(),
            unlocking: Mutex::new(()),
        }
    }

    /// One of the identities, unlocked.
    ///
    /// # Errors
    /// What keeps it locked.
    ///
    /// # Panics
    /// If it is not one of [`MyKeys::new`].
    pub fn identity(&self, id: RootId) -> Result<&Identity, KeyringError> {
        let mut identities = self.identities.iter();
        let mine = identities.find(|mine| mine.person.card.id() == id);
        let mine = mine.expect("only identities of this keyring are asked for");
        if let Some(identity) = mine.identity.get() {
            return Ok(identity);
        }
        let unlocking = self.unlocking.lock();
        let _unlocking = unlocking.unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = mine.identity.get() {
            return Ok(identity);
        }
        let identity = self.unlock.unlock_identity(&mine.person)?;
        Ok(mine.identity.get_or_init(|| identity))
    }

    /// Unlocks all identities now, so that nothing is asked for later.
    ///
    /// # Errors
    /// What keeps the first of them locked.
    pub fn unlock_all(&self) -> Result<(), KeyringError> {
        self.ids().try_for_each(|id| self.identity(id).map(drop))
    }

    /// The identities, the preferred one first.
    pub fn ids(&self) -> impl Iterator<Item = RootId> {
        self.identities.iter().map(|mine| mine.person.card.id())
    }

    /// The newest public key of one of the identities.
    #[must_use]
    pub fn newest_key(&self, id: RootId) -> Option<&PublicKey> {
        let mut identities = self.identities.iter();
        let mine = identities.find(|mine| mine.person.card.id() == id)?;
        let newest = mine.person.card.keys().iter().max_by_key(|key| key.serial);
        newest.map(|key| &key.public)
    }

    /// Whether any gate is known.
    #[must_use]
    pub fn has_gates(&self) -> bool {
        self.unlock.has_gates()
    }

    /// Asks gates about many envelopes at once; these are asked for no more when they are opened.
    pub fn ask_ahead(&self, questions: &[HeldQuestion]) {
        self.unlock.ask_ahead(questions, self);
    }

    /// What the gates of an envelope are to be asked, for [`MyKeys::ask_ahead`]; `None` where that is nothing, or nobody may be asked.
    /// No passphrase is asked for.
    ///
    /// # Errors
    /// What keeps its other locks closed.
    pub fn gate_question<R: Read>(&self, reader: R) -> Result<Option<HeldQuestion>, OpenError> {
        let mut typed = TypedPassphrase::default();
        let mut keyring = WithoutPassphrase(self.keyring("", &mut typed));
        Envelope::read(reader)?.into_question(&mut keyring)
    }

    /// The key by which one of the identities signs.
    ///
    /// # Errors
    /// What keeps it locked.
    pub fn signing_key(&self, id: RootId) -> Result<&SigningKey, KeyringError> {
        self.identity(id).map(Identity::root)
    }

    /// The keyring for one envelope. `envelope` names it in a question for its passphrase.
    pub fn keyring<'k>(
        &'k self,
        envelope: &str,
        typed: &'k mut TypedPassphrase,
    ) -> EnvelopeKeyring<'k, 'a> {
        if typed.envelope != envelope {
            envelope.clone_into(&mut typed.envelope);
            typed.text = None;
        }
        EnvelopeKeyring { keys: self, typed }
    }

    pub(super) fn private_key(&self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        let has_key = |mine: &&LazyIdentity| {
            let mut keys = mine.person.card.keys().iter();
            keys.any(|one| one.public.key_id() == key)
        };
        let owner = self.identities.iter().find(has_key);
        let owner = owner.map(|mine| mine.person.card.id());
        let identity = self.identity(owner.ok_or("this key is not mine")?)?;
        Ok(identity
            .private_key(key)
            .ok_or("the identity file does not have the key that its card names")?)
    }
}

/// Caches the passphrase of one envelope, so that a second read does not ask again.
#[derive(Default)]
pub struct TypedPassphrase {
    envelope: String,
    text: Option<Zeroizing<String>>,
}

/// My keys, and the passphrase of one envelope.
pub struct EnvelopeKeyring<'k, 'a> {
    keys: &'k MyKeys<'a>,
    typed: &'k mut TypedPassphrase,
}

impl Keyring for EnvelopeKeyring<'_, '_> {
    fn keys(&self) -> Vec<ReaderKey> {
        let cards = self.keys.identities.iter().map(|mine| &mine.person.card);
        let keys = cards.flat_map(Card::keys);
        let reader_key = |key: &CardKey| ReaderKey {
            id: key.public.key_id(),
            kem: key.public.kem(),
        };
        keys.map(reader_key).collect()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        self.keys.private_key(key)
    }

    fn allow_cost(&mut self, cost: Cost) -> Result<(), KeyringError> {
        self.keys.unlock.allow_cost(cost, &self.typed.envelope)
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        let TypedPassphrase { envelope, text } = &mut *self.typed;
        let unlock = self.keys.unlock;
        let typed = match text.take() {
            Some(typed) => typed,
            None => unlock.passphrase_of_envelope(envelope)?,
        };
        unlock.passphrase_from(text.insert(typed), envelope)
    }

    fn may_ask(&self, lock: &GateLock) -> bool {
        self.keys.unlock.may_ask(lock)
    }

    fn ask(&mut self, question: &GateQuestion<'_>) -> Result<GateParts, GateFailure> {
        let envelope = &self.typed.envelope;
        self.keys.unlock.ask_gates(question, envelope, self.keys)
    }
}

/// An envelope that opens by a passphrase only, where nothing is asked for: while a mailbox is worked on, or gates are asked ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it opens by a passphrase only")]
pub struct PassphraseOnly;

/// My keys, without any passphrase.
pub(super) struct WithoutPassphrase<'k, 'a>(pub(super) EnvelopeKeyring<'k, 'a>);

impl Keyring for WithoutPassphrase<'_, '_> {
    fn keys(&self) -> Vec<ReaderKey> {
        self.0.keys()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        self.0.private_key(key)
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Err(PassphraseOnly.into())
    }

    fn may_ask(&self, lock: &GateLock) -> bool {
        self.0.may_ask(lock)
    }

    fn ask(&mut self, question: &GateQuestion<'_>) -> Result<GateParts, GateFailure> {
        self.0.ask(question)
    }
}
