//! The library in one page: make two people, seal for one of them, open again. Run it with `cargo run --example library`.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use encl::crypto::passphrase::Passphrase;
use encl::crypto::{Kem, KeyId, PrivateKey};
use encl::envelope::{
    Addressee, ContentInfo, Envelope, Keyring, KeyringError, LockRequest, ReaderKey, SealRequest,
    Workers, seal,
};
use encl::identity::{Card, CardRequest, Identity};
use encl::policy::{Conditions, Padding, Recipient};
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

/// Bob's keys, as an opener asks for them. A program would unlock them only when they are needed.
struct Keys(Identity);

impl Keyring for Keys {
    fn keys(&self) -> Vec<ReaderKey> {
        let key = |key: &PrivateKey| ReaderKey {
            id: key.public_key().key_id(),
            kem: key.kem(),
        };
        self.0
            .keys()
            .iter()
            .map(|kem_key| key(&kem_key.private))
            .collect()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        self.0
            .private_key(key)
            .ok_or_else(|| "not one of Bob's keys".into())
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Err("there is nobody to ask".into())
    }
}

fn main() -> Result<()> {
    // The library never looks for clock or randomness: both are given to it.
    let mut rng = UnwrapErr(SysRng);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let now = Time::from_unix(now).context("the clock is past the year 9999")?;

    let alice = Identity::generate(Kem::XWing, now, None, &mut rng);
    let bob = Identity::generate(Kem::XWing, now, None, &mut rng);
    let request = CardRequest {
        name: "Bob".to_owned(),
        addresses: vec!["bob@example.org".to_owned()],
        serial: 1,
        created: now,
    };
    let card = Card::new(&bob, request)?;

    // What travels from Bob to Alice is one line of text; reading it checks signature and keys.
    let card = Card::from_text(card.to_text().as_bytes())?;
    let public = card
        .current_key(now)
        .context("all keys of the card have expired")?
        .public
        .clone();
    let recipient = Recipient {
        name: card.name().to_owned(),
        address: card.addresses().first().cloned(),
        id: card.id(),
        key: public.key_id(),
    };
    let request = SealRequest {
        locks: vec![LockRequest {
            recipients: vec![Addressee { recipient, public }],
            ..LockRequest::default()
        }],
        signer: Some(alice.root()),
        private: false,
        padding: Padding::None,
        created: Some(now),
        conditions: Conditions::default(),
        labels: BTreeMap::new(),
        info: ContentInfo::default(),
        aligned: false,
        workers: Workers::Processors,
    };
    let mut envelope = Vec::new();
    seal(
        &request,
        &mut b"for Bob alone".as_slice(),
        &mut envelope,
        &mut rng,
    )?;

    let mut content = Vec::new();
    let opened = Envelope::read(envelope.as_slice())?.unlock(&mut Keys(bob), now)?;
    let (about, bytes) = opened.copy_to(&mut content, Workers::Processors)?;
    anyhow::ensure!(content == b"for Bob alone" && about.signer() == Some(alice.id()));
    writeln!(std::io::stdout(), "{bytes} bytes, signed by {}", alice.id())?;
    Ok(())
}
