//! The two key encapsulation mechanisms: X25519 (RFC 7748, RFC 9180 §4.1) and X-Wing, its hybrid with ML-KEM-768
//! (draft-connolly-cfrg-xwing-kem, FIPS 203).

mod checks;
mod xwing;

use std::sync::{Arc, OnceLock};

use rand::CryptoRng;
use serde::Serialize;

use super::{Secret, hpke, kdf};

/// A supported key encapsulation mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kem {
    /// DHKEM(X25519, HKDF-SHA-256), RFC 9180 §7.1.
    X25519,
    /// MLKEM768-X25519: secure as long as one of its halves is. The ML-KEM half resists quantum computers.
    XWing,
}

impl Kem {
    /// The number in the HPKE registry of KEMs.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::X25519 => 0x0020,
            Self::XWing => 0x647a,
        }
    }

    /// The name on cards and in identity files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X25519 => "x25519",
            Self::XWing => "x-wing",
        }
    }

    /// The mechanism with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::X25519, Self::XWing]
            .into_iter()
            .find(|kem| kem.name() == name)
    }

    /// Bytes of a public key.
    #[must_use]
    pub const fn public_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1216,
        }
    }

    /// Bytes of an encapsulated key.
    #[must_use]
    pub const fn enc_bytes(self) -> usize {
        match self {
            Self::X25519 => 32,
            Self::XWing => 1120,
        }
    }
}

/// Why a key or an encapsulation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KemError {
    /// The bytes are not a public key: wrong length, or not reduced (FIPS 203 §7.2).
    #[error("the public key is not a valid {} key", .0.name())]
    NotAKey(Kem),
    /// The X25519 half has small order: the shared secret would be public (RFC 7748 §6.1).
    #[error("the key exchange gives the all-zero secret")]
    LowOrder,
    /// The encapsulated key has the length of another mechanism.
    #[error("the encapsulated key has {found} bytes, not {expected}")]
    EncLength {
        /// Bytes found.
        found: usize,
        /// Bytes that the reader's mechanism requires.
        expected: usize,
    },
    /// The ciphertext was not sealed to this key, or was changed.
    #[error("the ciphertext does not open with this key")]
    NotSealedToThisKey,
}

/// The id of a public key, by which a slot is found: see [`PublicKey::key_id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct KeyId(#[serde(serialize_with = "crate::json::b64")] pub [u8; 32]);

/// A public key that was checked when it was made: its ML-KEM half is reduced, and its X25519 half is not of small order.
///
/// Clones share the bytes. The expanded form is computed for each encapsulation and not stored: it costs 16 of 208 µs, and most
/// keys are sealed to at most once.
#[derive(Clone)]
pub struct PublicKey {
    kem: Kem,
    bytes: Arc<[u8]>,
    id: KeyId,
}

/// The random bytes of one encapsulation. They are drawn in the order of the recipients, so that the encapsulations can run in
/// any order.
pub struct Ephemeral(Secret<64>);

impl PublicKey {
    /// Checks `bytes` as a public key of `kem`.
    ///
    /// # Errors
    /// [`KemError::NotAKey`] for a wrong length or an ML-KEM half that fails FIPS 203's check,
    /// [`KemError::LowOrder`] for an X25519 half that gives the all-zero secret.
    pub fn new(kem: Kem, bytes: &[u8]) -> Result<Self, KemError> {
        if bytes.len() != kem.public_bytes() {
            return Err(KemError::NotAKey(kem));
        }
        let (ml_kem, x25519) = bytes.split_last_chunk().expect("compared above");
        if kem == Kem::XWing && !checks::is_reduced(ml_kem) {
            return Err(KemError::NotAKey(kem));
        }
        if checks::has_small_order(*x25519) {
            return Err(KemError::LowOrder);
        }
        Ok(Self {
            kem,
            bytes: bytes.into(),
            id: KeyId(kdf::key_id(kem.id(), bytes)),
        })
    }

    /// The mechanism of the key.
    #[must_use]
    pub fn kem(&self) -> Kem {
        self.kem
    }

    /// The key as cards encode it: 32 bytes, or 1,184 of ML-KEM-768 and 32 of X25519.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of a label, the mechanism's number and the key: the name of the key in policies and slots.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.id
    }

    /// Draws the random bytes of one encapsulation: 32 for X25519, 64 for X-Wing.
    #[must_use]
    pub fn ephemeral(&self, rng: &mut dyn CryptoRng) -> Ephemeral {
        let bytes = match self.kem {
            Kem::X25519 => 32,
            Kem::XWing => 64,
        };
        Ephemeral(Secret::filled(|all| rng.fill_bytes(&mut all[..bytes])))
    }

    /// Makes a shared secret for the holder of this key.
    ///
    /// # Errors
    /// [`KemError::LowOrder`]: cannot occur for a key that [`PublicKey::new`] accepted, but is checked.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "random bytes are used once: two recipients must not get the same secret"
    )]
    pub(super) fn encapsulate(
        &self,
        ephemeral: Ephemeral,
    ) -> Result<(Vec<u8>, Secret<32>), KemError> {
        match self.kem {
            Kem::X25519 => self.encapsulate_x25519(&ephemeral),
            Kem::XWing => {
                let public = self.bytes[..].try_into();
                xwing::encapsulate(public.expect("checked when the key was made"), &ephemeral.0)
            }
        }
    }

    fn encapsulate_x25519(&self, ephemeral: &Ephemeral) -> Result<(Vec<u8>, Secret<32>), KemError> {
        let own = Secret::from_slice(&ephemeral.0.expose()[..32]).expect("32 bytes");
        let own = x25519_secret(&own);
        let enc = x25519_dalek::PublicKey::from(&own);
        let recipient: [u8; 32] = self.bytes[..]
            .try_into()
            .expect("checked when the key was made");
        let dh = agree(&own, recipient)?;
        Ok((
            enc.as_bytes().to_vec(),
            hpke::dhkem_secret(&dh, enc.as_bytes(), &recipient),
        ))
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for PublicKey {}

/// A private key: 32 bytes, for X-Wing the seed from which both halves are expanded.
///
/// Values derived from the bytes are computed when they are first needed and cached, since one key may open many envelopes.
pub struct PrivateKey {
    kem: Kem,
    secret: Secret<32>,
    public: OnceLock<PublicKey>,
    xwing: OnceLock<Box<xwing::Expanded>>,
}

impl PrivateKey {
    /// Draws a new key.
    #[must_use]
    pub fn generate(kem: Kem, rng: &mut dyn CryptoRng) -> Self {
        Self::new(kem, Secret::random(rng))
    }

    /// Takes over the 32 bytes of a key.
    #[must_use]
    pub fn new(kem: Kem, secret: Secret<32>) -> Self {
        Self {
            kem,
            secret,
            public: OnceLock::new(),
            xwing: OnceLock::new(),
        }
    }

    /// The mechanism of the key.
    #[must_use]
    pub fn kem(&self) -> Kem {
        self.kem
    }

    /// The 32 bytes, for storing them.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let public = self.public.get_or_init(|| {
            let bytes = match self.kem {
                Kem::X25519 => x25519_public(&self.secret).to_vec(),
                Kem::XWing => self.xwing().public(),
            };
            PublicKey::new(self.kem, &bytes)
                .expect("a private key has a valid public half of large order")
        });
        public.clone()
    }

    /// Recovers the shared secret of an encapsulation to this key.
    ///
    /// # Errors
    /// [`KemError::EncLength`] for another mechanism's length, [`KemError::LowOrder`] for an all-zero X25519 result.
    pub(super) fn decapsulate(&self, enc: &[u8]) -> Result<Secret<32>, KemError> {
        if enc.len() != self.kem.enc_bytes() {
            return Err(KemError::EncLength {
                found: enc.len(),
                expected: self.kem.enc_bytes(),
            });
        }
        match self.kem {
            Kem::X25519 => {
                let enc: [u8; 32] = enc.try_into().expect("compared above");
                let dh = agree(&x25519_secret(&self.secret), enc)?;
                Ok(hpke::dhkem_secret(&dh, &enc, &x25519_public(&self.secret)))
            }
            Kem::XWing => {
                let enc = enc.try_into().expect("compared above");
                self.xwing().decapsulate(enc)
            }
        }
    }

    fn xwing(&self) -> &xwing::Expanded {
        self.xwing
            .get_or_init(|| Box::new(xwing::Expanded::new(&self.secret)))
    }
}

fn x25519_secret(secret: &Secret<32>) -> x25519_dalek::StaticSecret {
    (*secret.expose()).into()
}

fn x25519_public(secret: &Secret<32>) -> [u8; 32] {
    *x25519_dalek::PublicKey::from(&x25519_secret(secret)).as_bytes()
}

/// RFC 7748 §6.1: the all-zero result is refused.
fn agree(own: &x25519_dalek::StaticSecret, theirs: [u8; 32]) -> Result<Secret<32>, KemError> {
    let shared = own.diffie_hellman(&theirs.into());
    if shared.was_contributory() {
        Ok(Secret::new(shared.to_bytes()))
    } else {
        Err(KemError::LowOrder)
    }
}
