//! A self-test of private keys: they open what is sealed to their card, and their signature is valid.

use zeroize::Zeroizing;

use super::KeystoreError;
use crate::crypto::passphrase::Passphrase;
use crate::crypto::{CryptoRng, KeyId, PrivateKey};
use crate::envelope::{
    Addressee, Envelope, Keyring, KeyringError, LockRequest, ReaderKey, SealRequest, Workers, seal,
};
use crate::identity::{Card, CardKey, Identity};
use crate::policy::Recipient;
use crate::time::Time;

/// Seals a test content to each key of a card, signed by the identity, and opens it.
///
/// # Errors
/// [`KeystoreError::DoesNotOpen`] for the first key that fails.
pub fn self_test(
    identity: &Identity,
    card: &Card,
    rng: &mut dyn CryptoRng,
) -> Result<(), KeystoreError> {
    for key in card.keys() {
        if opens(identity, card, key, rng).is_none() {
            return Err(KeystoreError::DoesNotOpen(key.serial));
        }
    }
    Ok(())
}

fn opens(identity: &Identity, card: &Card, key: &CardKey, rng: &mut dyn CryptoRng) -> Option<()> {
    let mut sent = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *sent);
    let addressee = Addressee {
        recipient: Recipient {
            name: card.name().to_owned(),
            address: card.addresses().first().cloned(),
            id: card.id(),
            key: key.public.key_id(),
        },
        public: key.public.clone(),
    };
    let request = SealRequest {
        locks: vec![LockRequest {
            recipients: vec![addressee],
            ..LockRequest::default()
        }],
        signer: Some(identity.root()),
        ..SealRequest::default()
    };
    let mut envelope = Vec::new();
    seal(&request, &mut &sent[..], &mut envelope, rng).ok()?;
    let mut received = Zeroizing::new(Vec::with_capacity(sent.len()));
    // These envelopes have no dates.
    let now = Time::from_unix(0)?;
    let opened = Envelope::read(&envelope[..]).ok()?;
    let opened = opened.unlock(&mut OnlyThese(identity), now).ok()?;
    let (about, _) = opened.copy_to(&mut *received, Workers::ONE).ok()?;
    let is_same = received[..] == sent[..] && about.signer() == Some(card.id());
    is_same.then_some(())
}

struct OnlyThese<'a>(&'a Identity);

impl Keyring for OnlyThese<'_> {
    fn keys(&self) -> Vec<ReaderKey> {
        let keys = self.0.keys().iter().map(|key| &key.private);
        keys.map(|key| ReaderKey {
            id: key.public_key().key_id(),
            kem: key.kem(),
        })
        .collect()
    }

    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError> {
        let own = self.0.private_key(key);
        own.ok_or_else(|| "not a key of this identity".into())
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Err("there is no passphrase".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Kem;
    use crate::identity::CardRequest;

    #[test]
    fn all_keys_of_the_card_have_to_open() {
        let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
        let now: Time = "2026-11-24T06:24:00Z".parse().unwrap();
        let mut identity = Identity::generate(Kem::X25519, now, Some(now), &mut rng);
        let before = Identity::from_line(&identity.to_line()).unwrap();
        identity.rotate(Kem::XWing, now, None, &mut rng).unwrap();
        let request = CardRequest {
            name: "Bob".to_owned(),
            addresses: vec!["bob@example.org".to_owned()],
            serial: 2,
            created: now,
        };
        let card = Card::new(&identity, request).unwrap();
        self_test(&identity, &card, &mut rng).unwrap();
        let error = self_test(&before, &card, &mut rng).unwrap_err();
        assert!(matches!(error, KeystoreError::DoesNotOpen(2)), "{error}");
    }
}
