//! The people of the kit. Their keys, and all random bytes, are derived from names.

use std::convert::Infallible;
use std::sync::LazyLock;

use encl::crypto::signing::SigningKey;
use encl::crypto::{Kem, KeyId, PrivateKey, PublicKey, Secret, sha256};
use encl::json::to_b64;
use rand::rand_core::{TryCryptoRng, TryRng, utils};

/// The time at which keys and envelopes were created.
pub(crate) const CREATED: &str = "2026-11-24T06:24:00Z";

/// Pseudorandom bytes from a seed: block i is SHA-256 of the seed and i.
pub(crate) struct Rng {
    seed: [u8; 32],
    blocks: u64,
}

impl Rng {
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut seed = sha256(&[b"encl test kit"]);
        for part in parts {
            seed = sha256(&[&seed, part]);
        }
        Self { seed, blocks: 0 }
    }

    pub(crate) fn array<const N: usize>(mut self) -> [u8; N] {
        let mut out = [0; N];
        let Ok(()) = self.try_fill_bytes(&mut out);
        out
    }
}

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for part in out.chunks_mut(32) {
            let block = sha256(&[&self.seed, &self.blocks.to_be_bytes()]);
            self.blocks += 1;
            part.copy_from_slice(&block[..part.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Rng {}

/// A KEM key with its fields on a card.
pub(crate) struct Key {
    pub(crate) private: PrivateKey,
    pub(crate) serial: u32,
    pub(crate) expires: Option<&'static str>,
}

/// A person with a root key and KEM keys, the newest last.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) root: SigningKey,
    pub(crate) keys: Vec<Key>,
}

impl Person {
    pub(crate) fn new(name: &str, kems: &[Kem]) -> Self {
        let seed = |what: &str| Secret::new(Rng::of(&[name.as_bytes(), what.as_bytes()]).array());
        let key = |(serial, kem): (u32, &Kem)| Key {
            private: PrivateKey::new(*kem, seed(&format!("key {serial}"))),
            serial,
            expires: (kems.len() > 1 && serial == 1).then_some("2026-06-01T00:00:00Z"),
        };
        Self {
            name: name.to_owned(),
            root: SigningKey::new(seed("root")),
            keys: (1..).zip(kems).map(key).collect(),
        }
    }

    /// The name in lower case, as in file names.
    pub(crate) fn file(&self) -> String {
        self.name.to_lowercase()
    }

    pub(crate) fn address(&self) -> String {
        format!("{}@example.org", self.file())
    }

    pub(crate) fn id(&self) -> String {
        to_b64(&self.root.id().0)
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.keys.last().unwrap().private.public_key()
    }

    pub(crate) fn key_id(&self) -> KeyId {
        self.public().key_id()
    }

    pub(crate) fn key(&self) -> String {
        to_b64(&self.key_id().0)
    }

    /// A recipient in a policy.
    pub(crate) fn recipient(&self) -> String {
        let (name, address, id, key) = (&self.name, self.address(), self.id(), self.key());
        format!(r#"{{"name":"{name}","address":"{address}","id":"{id}","key":"{key}"}}"#)
    }

    /// The identity line.
    pub(crate) fn identity(&self) -> String {
        let keys = self.key_list("secret", |key| to_b64(key.private.secret().expose()));
        let (id, seed) = (self.id(), to_b64(self.root.seed().expose()));
        format!(r#"{{"identity":"encl/1","id":"{id}","seed":"{seed}","keys":[{keys}]}}"#)
    }

    /// The line of the card.
    pub(crate) fn card(&self) -> String {
        let keys = self.key_list("key", |key| to_b64(key.private.public_key().as_bytes()));
        let (id, name, address) = (self.id(), &self.name, self.address());
        format!(
            r#"{{"card":"encl/1","id":"{id}","name":"{name}","addresses":["{address}"],"serial":1,"created":"{CREATED}","keys":[{keys}]}}"#
        )
    }

    fn key_list(&self, member: &str, half: impl Fn(&Key) -> String) -> String {
        let key = |key: &Key| {
            let (kem, half, serial) = (key.private.kem().name(), half(key), key.serial);
            let expires = key
                .expires
                .map_or(String::new(), |time| format!(r#","expires":"{time}""#));
            format!(
                r#"{{"kem":"{kem}","{member}":"{half}","serial":{serial},"created":"{CREATED}"{expires}}}"#
            )
        };
        self.keys.iter().map(key).collect::<Vec<_>>().join(",")
    }
}

pub(crate) static ANN: LazyLock<Person> = LazyLock::new(|| Person::new("Ann", &[Kem::X25519]));
pub(crate) static BOB: LazyLock<Person> = LazyLock::new(|| Person::new("Bob", &[Kem::X25519]));
pub(crate) static CAROL: LazyLock<Person> = LazyLock::new(|| Person::new("Carol", &[Kem::XWing]));
pub(crate) static DAVE: LazyLock<Person> = LazyLock::new(|| Person::new("Dave", &[Kem::X25519]));
pub(crate) static EVE: LazyLock<Person> = LazyLock::new(|| Person::new("Eve", &[Kem::X25519]));
/// An expired X25519 key and a new X-Wing key.
pub(crate) static FRANK: LazyLock<Person> =
    LazyLock::new(|| Person::new("Frank", &[Kem::X25519, Kem::XWing]));
/// Frank with only the key that he had when an old envelope was made.
pub(crate) static OLD_FRANK: LazyLock<Person> =
    LazyLock::new(|| Person::new("Frank", &[Kem::X25519]));

/// The people whose identities are in the kit.
pub(crate) fn everybody() -> [&'static Person; 6] {
    [&ANN, &BOB, &CAROL, &DAVE, &EVE, &FRANK]
}
