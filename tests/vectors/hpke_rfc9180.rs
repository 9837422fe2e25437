//! HPKE in mode base: RFC 9180's vectors for X25519, and those of draft-ietf-hpke-pq for X-Wing.
//!
//! The vectors of our suite encrypt with an `aad`, which `encl` never has. So two comparisons are made: sealing and opening
//! with the vector's key and base nonce and an empty `aad`, and the vector's first ciphertext with our AEAD. Vectors of other
//! suites also use our KEM: their shared secret is compared, through `reference`.

use encl::crypto::aead::AeadKey;
use encl::crypto::{Kem, PrivateKey, PublicKey, hpke};
use serde::Deserialize;

use super::{Scripted, reference, secret};

const PLAINTEXT: &[u8] = b"a lock's secret";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    #[serde(rename = "kdf_id")]
    kdf: u16,
    #[serde(rename = "aead_id")]
    aead: u16,
    #[serde(with = "hex::serde")]
    info: Vec<u8>,
    #[serde(with = "hex::serde")]
    sk_rm: Vec<u8>,
    #[serde(with = "hex::serde")]
    pk_rm: Vec<u8>,
    /// The sender's random bytes: the ephemeral key, or for X-Wing the bytes of ML-KEM and X25519.
    #[serde(alias = "ikmE", with = "hex::serde")]
    sk_em: Vec<u8>,
    #[serde(with = "hex::serde")]
    enc: Vec<u8>,
    #[serde(rename = "shared_secret", with = "hex::serde")]
    shared_secret: Vec<u8>,
    #[serde(default, with = "hex::serde")]
    key: Vec<u8>,
    #[serde(default, rename = "base_nonce", with = "hex::serde")]
    base_nonce: Vec<u8>,
    encryption: Option<Encryption>,
}

#[derive(Deserialize)]
struct Encryption {
    #[serde(with = "hex::serde")]
    aad: Vec<u8>,
    #[serde(with = "hex::serde")]
    ct: Vec<u8>,
    #[serde(with = "hex::serde")]
    pt: Vec<u8>,
}

/// Opens and seals as the vector's reader and writer do, and compares key and ciphertext.
fn compare(kem: Kem, vector: &Vector, key: &[u8; 32], nonce: &[u8; 12]) {
    let reader = PrivateKey::new(kem, secret(&vector.sk_rm));
    assert_eq!(reader.public_key().as_bytes(), vector.pk_rm);
    let ct = reference::seal(key, nonce, PLAINTEXT);
    let opened = hpke::open(&reader, &vector.enc, &vector.info, &ct).unwrap();
    assert_eq!(opened[..], *PLAINTEXT);

    let recipient = PublicKey::new(kem, &vector.pk_rm).unwrap();
    let mut rng = Scripted::new(&vector.sk_em);
    let sealed = hpke::seal(&recipient, &vector.info, PLAINTEXT, &mut rng).unwrap();
    assert!(rng.is_spent());
    assert_eq!(sealed.enc, vector.enc);
    assert_eq!(sealed.ct, ct);
}

fn compare_shared_secret(kem: Kem, vector: &Vector) {
    let (key, nonce) = reference::key_schedule(kem, &vector.shared_secret, &vector.info);
    compare(kem, vector, &key, &nonce);
}

#[test]
fn rfc_9180_x25519() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("data/hpke_x25519.json")).unwrap();
    let (mut our_suite, mut our_kem) = (0, 0);
    for vector in &vectors {
        compare_shared_secret(Kem::X25519, vector);
        if (vector.kdf, vector.aead) == (1, 2) {
            compare_key_schedule(vector);
            our_suite += 1;
        } else {
            our_kem += 1;
        }
    }
    assert_eq!((our_suite, our_kem), (1, 7));
}

fn compare_key_schedule(vector: &Vector) {
    let key: &[u8; 32] = vector.key[..].try_into().unwrap();
    let nonce: &[u8; 12] = vector.base_nonce[..].try_into().unwrap();
    compare(Kem::X25519, vector, key, nonce);

    let first = vector.encryption.as_ref().unwrap();
    let mut ct = first.pt.clone();
    let tag = AeadKey::new(key).seal(nonce, &first.aad, &mut ct);
    ct.extend_from_slice(&tag);
    assert_eq!(ct, first.ct);
}

#[test]
fn x_wing_in_hpke() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("data/hpke_xwing.json")).unwrap();
    for vector in &vectors {
        compare_shared_secret(Kem::XWing, vector);
    }
    // No vector with HKDF-SHA-256 and AES-256-GCM is published: hpke_peer.rs tests that suite.
    assert_eq!(vectors.len(), 2);
}
