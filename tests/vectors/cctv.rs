//! CCTV's age vectors with a bad share (`x25519_*`, `hybrid_*`; age's hybrid is X-Wing): refused before any ciphertext is read.
//!
//! Of the 35 vectors with `x25519` or `hybrid` in their names, 8 are about the share itself. The other 27 are about age's armor
//! and stanzas, its base64, its 16-byte file key and ChaCha20-Poly1305, which `encl` does not use.

use encl::crypto::{Kem, KemError, PrivateKey, hpke};
use serde::Deserialize;

use super::secret;

#[derive(Deserialize)]
struct Vector {
    name: String,
    #[serde(with = "hex::serde")]
    secret: Vec<u8>,
    #[serde(with = "hex::serde")]
    enc: Vec<u8>,
    #[serde(with = "hex::serde")]
    ct: Vec<u8>,
}

#[test]
fn bad_shares_are_refused() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("data/cctv_shares.json")).unwrap();
    let (mut low_order, mut length) = (0, 0);
    for vector in &vectors {
        let kem = if vector.name.starts_with("hybrid_") {
            Kem::XWing
        } else {
            Kem::X25519
        };
        let reader = PrivateKey::new(kem, secret(&vector.secret));
        match hpke::open(&reader, &vector.enc, b"", &vector.ct).err() {
            Some(KemError::LowOrder) if vector.enc.len() == kem.enc_bytes() => low_order += 1,
            Some(KemError::EncLength { found, expected }) => {
                assert_eq!((found, expected), (vector.enc.len(), kem.enc_bytes()));
                length += 1;
            }
            other => panic!("{}: {other:?}", vector.name),
        }
    }
    assert_eq!((low_order, length), (4, 4));
}
