//! Fixed keys: the same in the seeds and in every run.

use std::sync::OnceLock;

use encl::crypto::passphrase::Passphrase;
use encl::crypto::signing::SigningKey;
use encl::crypto::{Kem, KeyId, PrivateKey, PublicKey, Secret};
use encl::envelope::{Keyring, KeyringError, ReaderKey};
use encl::identity::Identity;
use encl::json;
use encl::time::Time;

/// The time at which everything is opened.
#[must_use]
pub fn now() -> Time {
    Time::from_unix(1_800_000_000).expect("a time in 2027")
}

/// Who signs envelopes and cards.
#[must_use]
pub fn author() -> SigningKey {
    SigningKey::new(Secret::new([7; 32]))
}

/// The identity of [`author`], with one key of each mechanism.
#[must_use]
pub fn identity() -> Identity {
    let secret = |kem| json::to_b64(private(kem).secret().expose());
    let line = format!(
        r#"{{"identity":"encl/1","id":"{}","seed":"{}","keys":[{{"kem":"x25519","secret":"{}","serial":1,"created":"2026-11-24T06:24:00Z","expires":"2027-11-24T06:24:00Z"}},{{"kem":"x-wing","secret":"{}","serial":2,"created":"2026-11-24T06:24:00Z"}}]}}"#,
        json::to_b64(&author().id().0),
        json::to_b64(author().seed().expose()),
        secret(Kem::X25519),
        secret(Kem::XWing),
    );
    Identity::from_line(line.as_bytes()).expect("the identity line is right")
}

fn private(kem: Kem) -> PrivateKey {
    let byte = match kem {
        Kem::X25519 => 8,
        Kem::XWing => 9,
    };
    PrivateKey::new(kem, Secret::new([byte; 32]))
}

/// A reader with one key of each mechanism and no passphrase: Argon2 at 64 MiB would leave some ten inputs a second.
pub struct Ring {
    keys: [PrivateKey; 2],
}

impl Ring {
    /// The public keys, X25519 first; computed once.
    #[must_use]
    pub fn public() -> &'static [PublicKey; 2] {
        static PUBLIC: OnceLock<[PublicKey; 2]> = OnceLock::new();
        PUBLIC.get_or_init(|| [Kem::X25519, Kem::XWing].map(|kem| private(kem).public_key()))
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            keys: [Kem::X25519, Kem::XWing].map(private),
        }
    }
}

impl Keyring for Ring {
    fn keys(&self) -> Vec<ReaderKey> {
        let key = |key: &PublicKey| ReaderKey {
            id: key.key_id(),
            kem: key.kem(),
        };
        Self::public().iter().map(key).collect()
    }

    fn private_key(&mut self, id: KeyId) -> Result<&PrivateKey, KeyringError> {
        let position = Self::public().iter().position(|key| key.key_id() == id);
        Ok(&self.keys[position.ok_or("no such key")?])
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Err("nobody knows the passphrase".into())
    }
}
