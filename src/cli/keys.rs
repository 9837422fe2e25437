//! My private keys, each identity unlocked only when it is needed, and once.

use encl::crypto::passphrase::Passphrase;
use encl::crypto::signing::RootId;
use encl::crypto::{KeyId, PrivateKey};
use encl::envelope::{Keyring, KeyringError, ReaderKey};
use encl::identity::Identity;
use encl::keystore::StoredSecret;
use zeroize::Zeroizing;

use super::context::Context;
use super::passphrase::{self, Whose};
use super::people::Person;
use super::report::{Exit, Failure};
use super::store;

/// How often a mistyped passphrase may be typed again.
const TRIES: usize = 3;

/// One identity, locked until its private keys are asked for.
struct Mine {
    person: Person,
    identity: Option<Identity>,
}

/// The keyring of whoever runs the program.
pub(crate) struct Keys<'a> {
    context: &'a Context,
    mine: Vec<Mine>,
    /// What a passphrase question is about: "report.pdf.encl".
    envelope: String,
    /// What was answered for this envelope: it may be read twice, and nobody is asked twice.
    answer: Option<Zeroizing<String>>,
}

impl<'a> Keys<'a> {
    /// A keyring of these identities, the preferred one first.
    pub(crate) fn new(context: &'a Context, mine: &[Person]) -> Self {
        let locked = |person: &Person| Mine {
            person: person.clone(),
            identity: None,
        };
        Self {
            context,
            mine: mine.iter().map(locked).collect(),
            envelope: String::new(),
            answer: None,
        }
    }

    /// From now on envelope passphrases are those of this envelope.
    pub(crate) fn envelope(&mut self, name: &str) {
        if self.envelope != name {
            name.clone_into(&mut self.envelope);
            self.answer = None;
        }
    }

    /// Unlocks one identity, asking for its passphrase if it has one.
    pub(crate) fn identity(&mut self, id: RootId) -> Result<&Identity, Failure> {
        let context = self.context;
        let mine = self
            .mine
            .iter_mut()
            .find(|mine| mine.person.card.id() == id);
        let mine = mine.expect("only identities of this keyring are asked for");
        let identity = match mine.identity.take() {
            Some(identity) => identity,
            None => unlock(context, &mine.person)?,
        };
        Ok(mine.identity.insert(identity))
    }
}

impl Keyring for Keys<'_> {
    fn keys(&self) -> Vec<ReaderKey> {
        let cards = self.mine.iter().map(|mine| &mine.person.card);
        let keys = cards.flat_map(encl::identity::Card::keys);
        keys.map(|key| ReaderKey {
            id: key.public.key_id(),
            kem: key.public.kem(),
        })
        .collect()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
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
            .ok_or("the identity file has not the key that its card names")?)
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        let answer = match self.answer.take() {
            Some(answer) => answer,
            None => self
                .context
                .passphrases
                .existing_text(Whose::Envelope, &self.envelope)?,
        };
        let answer = self.answer.insert(answer);
        Ok(passphrase::made(answer, &self.envelope)?)
    }
}

/// The private keys of one of my identities, after a question for its passphrase if it has one.
pub(crate) fn unlock(context: &Context, person: &Person) -> Result<Identity, Failure> {
    let locked = match store::secret(context, person.card.id())? {
        StoredSecret::Plain(identity) => return Ok(identity),
        StoredSecret::Locked(locked) => locked,
    };
    let what = format!("your identity {}", person.words());
    let mut tries = 1;
    loop {
        let passphrase = context.passphrases.existing(Whose::Identity, &what)?;
        match store::unlock(&locked, &passphrase, &what) {
            Err(failure)
                if failure.exit == Exit::Locked
                    && context.passphrases.are_asked()
                    && tries < TRIES =>
            {
                context.terminal.warning("that passphrase is wrong");
                tries += 1;
            }
            other => return other,
        }
    }
}
