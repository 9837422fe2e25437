//! A second implementation of RFC 9180, written from its text. The library does not show shared secrets, so a vector's secret
//! is compared through messages that it seals and opens.

use encl::crypto::Kem;
use encl::crypto::aead::AeadKey;
use hkdf::Hkdf;
use sha2::Sha256;

/// RFC 9180 §4: `LabeledExtract(salt, label, ikm)`.
fn labeled_extract(suite: &[u8], salt: &[u8], label: &str, ikm: &[u8]) -> Hkdf<Sha256> {
    let ikm = [b"HPKE-v1", suite, label.as_bytes(), ikm].concat();
    Hkdf::new(Some(salt), &ikm)
}

fn extracted(suite: &[u8], salt: &[u8], label: &str, ikm: &[u8]) -> Vec<u8> {
    let ikm = [b"HPKE-v1", suite, label.as_bytes(), ikm].concat();
    Hkdf::<Sha256>::extract(Some(salt), &ikm).0.to_vec()
}

/// RFC 9180 §4: `LabeledExpand(prk, label, info, L)`.
fn labeled_expand<const L: usize>(
    suite: &[u8],
    prk: &Hkdf<Sha256>,
    label: &str,
    info: &[u8],
) -> [u8; L] {
    let length = u16::try_from(L).unwrap().to_be_bytes();
    let info = [&length[..], b"HPKE-v1", suite, label.as_bytes(), info].concat();
    let mut out = [0; L];
    prk.expand(&info, &mut out).unwrap();
    out
}

/// RFC 9180 §4.1: the shared secret of DHKEM(X25519, HKDF-SHA-256).
pub(crate) fn dhkem(dh: &[u8], enc: &[u8], recipient: &[u8]) -> [u8; 32] {
    let suite = [&b"KEM"[..], &[0x00, 0x20]].concat();
    let prk = labeled_extract(&suite, &[], "eae_prk", dh);
    labeled_expand(&suite, &prk, "shared_secret", &[enc, recipient].concat())
}

/// RFC 9180 §5.1, mode base, HKDF-SHA-256 and AES-256-GCM: key and base nonce.
pub(crate) fn key_schedule(kem: Kem, shared: &[u8], info: &[u8]) -> ([u8; 32], [u8; 12]) {
    let suite = [&b"HPKE"[..], &kem.id().to_be_bytes(), &[0, 1, 0, 2]].concat();
    let context = [
        vec![0],
        extracted(&suite, &[], "psk_id_hash", &[]),
        extracted(&suite, &[], "info_hash", info),
    ]
    .concat();
    let secret = labeled_extract(&suite, shared, "secret", &[]);
    (
        labeled_expand(&suite, &secret, "key", &context),
        labeled_expand(&suite, &secret, "base_nonce", &context),
    )
}

/// The first message under `key` and `nonce`, with empty `aad`.
pub(crate) fn seal(key: &[u8; 32], nonce: &[u8; 12], plaintext: &[u8]) -> Vec<u8> {
    let mut sealed = plaintext.to_vec();
    let tag = AeadKey::new(key).seal(nonce, &[], &mut sealed);
    sealed.extend_from_slice(&tag);
    sealed
}
