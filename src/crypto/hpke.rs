//! Hybrid public key encryption, RFC 9180: mode base, single shot, HKDF-SHA-256 and AES-256-GCM, empty `aad`.
//!
//! This suite is the only one, so that no file can choose another.

use hkdf::Hkdf;
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::aead::{AeadKey, NONCE_BYTES, TAG_BYTES};
use super::{Ephemeral, Kem, KemError, PrivateKey, PublicKey, Secret};

const KDF_HKDF_SHA256: u16 = 0x0001; // RFC 9180 §7.2
const AEAD_AES_256_GCM: u16 = 0x0002; // RFC 9180 §7.3
const MODE_BASE: u8 = 0x00; // RFC 9180 §5
const VERSION: &[u8] = b"HPKE-v1"; // RFC 9180 §4

/// A sealed message: the encapsulated key and the ciphertext.
pub struct Sealed {
    /// The encapsulated key: 32 or 1,120 bytes.
    pub enc: Vec<u8>,
    /// The ciphertext: 16 bytes longer than the plaintext.
    pub ct: Vec<u8>,
}

/// Seals `plaintext` to `recipient` with a fresh encapsulation.
///
/// # Errors
/// [`KemError::LowOrder`]; it cannot occur, since [`PublicKey::new`] refuses such keys.
pub fn seal(
    recipient: &PublicKey,
    info: &[u8],
    plaintext: &[u8],
    rng: &mut dyn CryptoRng,
) -> Result<Sealed, KemError> {
    seal_drawn(recipient, info, plaintext, recipient.ephemeral(rng))
}

/// Seals `plaintext` to `recipient` (RFC 9180 §6.1, `SealBase` with empty `aad`); `ephemeral` must have been drawn for this
/// message alone.
///
/// # Errors
/// As [`seal`].
pub fn seal_drawn(
    recipient: &PublicKey,
    info: &[u8],
    plaintext: &[u8],
    ephemeral: Ephemeral,
) -> Result<Sealed, KemError> {
    let (enc, shared) = recipient.encapsulate(ephemeral)?;
    let (key, nonce) = key_schedule(recipient.kem(), &shared, info);
    let mut ct = plaintext.to_vec();
    let tag = key.seal(&nonce, &[], &mut ct);
    ct.extend_from_slice(&tag);
    Ok(Sealed { enc, ct })
}

/// Opens a message that was sealed to `reader` (RFC 9180 §6.1, `OpenBase` with empty `aad`).
///
/// # Errors
/// [`KemError::EncLength`], [`KemError::LowOrder`], or [`KemError::NotSealedToThisKey`].
pub fn open(
    reader: &PrivateKey,
    enc: &[u8],
    info: &[u8],
    ct: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KemError> {
    let shared = reader.decapsulate(enc)?;
    let (key, nonce) = key_schedule(reader.kem(), &shared, info);
    let end = ct
        .len()
        .checked_sub(TAG_BYTES)
        .ok_or(KemError::NotSealedToThisKey)?;
    let tag = ct[end..]
        .try_into()
        .expect("the tag's length was subtracted");
    let mut plaintext = Zeroizing::new(ct[..end].to_vec());
    key.open(&nonce, &[], &mut plaintext, tag)
        .map_err(|_| KemError::NotSealedToThisKey)?;
    Ok(plaintext)
}

/// RFC 9180 §4.1: `ExtractAndExpand(dh, enc ‖ pkRm)` of DHKEM(X25519, HKDF-SHA-256).
pub(super) fn dhkem_secret(dh: &Secret<32>, enc: &[u8; 32], recipient: &[u8; 32]) -> Secret<32> {
    let suite = [b"KEM".as_slice(), &Kem::X25519.id().to_be_bytes()].concat();
    let prk = labeled_extract(&suite, &[], b"eae_prk", dh.expose());
    Secret::filled(|out| labeled_expand(&suite, &prk, b"shared_secret", &[enc, recipient], out))
}

/// RFC 9180 §5.1 in mode base: `psk` and `psk_id` are empty, and the exporter secret is not needed.
fn key_schedule(kem: Kem, shared: &Secret<32>, info: &[u8]) -> (AeadKey, [u8; NONCE_BYTES]) {
    let suite = [
        b"HPKE".as_slice(),
        &kem.id().to_be_bytes(),
        &KDF_HKDF_SHA256.to_be_bytes(),
        &AEAD_AES_256_GCM.to_be_bytes(),
    ]
    .concat();
    let psk_id_hash = labeled_extract(&suite, &[], b"psk_id_hash", &[]);
    let info_hash = labeled_extract(&suite, &[], b"info_hash", info);
    let context: [&[u8]; 3] = [&[MODE_BASE], psk_id_hash.expose(), info_hash.expose()];
    let secret = labeled_extract(&suite, shared.expose(), b"secret", &[]);
    let key = Secret::<32>::filled(|out| labeled_expand(&suite, &secret, b"key", &context, out));
    let mut nonce = [0; NONCE_BYTES];
    // A single shot has sequence number 0, so the nonce is base_nonce itself (RFC 9180 §5.2).
    labeled_expand(&suite, &secret, b"base_nonce", &context, &mut nonce);
    (AeadKey::new(key.expose()), nonce)
}

/// RFC 9180 §4: `LabeledExtract(salt, label, ikm)`.
fn labeled_extract(suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]) -> Secret<32> {
    let mut extract = hkdf::HkdfExtract::<Sha256>::new(Some(salt));
    for part in [VERSION, suite, label, ikm] {
        extract.input_ikm(part);
    }
    Secret::new(extract.finalize().0.into())
}

/// RFC 9180 §4: `LabeledExpand(prk, label, info, L)`, L being the length of `out`.
fn labeled_expand(suite: &[u8], prk: &Secret<32>, label: &[u8], info: &[&[u8]], out: &mut [u8]) {
    let length = u16::try_from(out.len())
        .expect("keys and nonces are short")
        .to_be_bytes();
    let parts: Vec<&[u8]> = [&length, VERSION, suite, label]
        .into_iter()
        .chain(info.iter().copied())
        .collect();
    let hkdf = Hkdf::<Sha256>::from_prk(prk.expose()).expect("32 bytes are a SHA-256 PRK");
    hkdf.expand_multi_info(&parts, out)
        .expect("at most 32 bytes");
}
