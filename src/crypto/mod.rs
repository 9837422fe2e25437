//! Cryptographic functions over bytes: keys, key encapsulation, sealing to a key, passphrases, signatures and every derivation
//! label. This module does not know what an envelope is.

pub mod aead;
pub mod hpke;
pub mod kdf;
mod kem;
pub mod passphrase;
mod secret;
pub mod sharing;
pub mod signing;

pub use kem::{Ephemeral, Kem, KemError, KeyId, PrivateKey, PublicKey};
pub use rand::CryptoRng;
pub use secret::Secret;

use sha2::{Digest, Sha256};

/// SHA-256 of the concatenation of `parts` (FIPS 180-4).
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
