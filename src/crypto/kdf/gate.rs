//! The derivations of a gate lock and of what is said to a gate (FORMAT.md, "Gate locks" and "Asking a gate").

use hkdf::Hkdf;
use sha2::Sha256;

use super::super::signing::{RootId, SigningKey};
use super::super::{Secret, sha256};

/// Bytes of a person's entry among the passes: 16 to find it by, and the pass.
pub const PASS_ENTRY_BYTES: usize = 80;

/// The ticket: which gate lock of which envelope, with all its terms as they stand in line 2.
#[must_use]
pub fn ticket(policy: &[u8; 32], lock: u16, terms: &[u8]) -> [u8; 32] {
    sha256(&[b"encl/1 gate ticket\0", policy, &lock.to_be_bytes(), terms])
}

/// The HPKE `info` of the slot of the gate at this position.
#[must_use]
pub fn slot_info(ticket: &[u8; 32], gate: u8) -> Vec<u8> {
    [b"encl/1 gate slot\0".as_slice(), ticket, &[gate]].concat()
}

/// The HPKE `info` of a request to the gate with this root key.
#[must_use]
pub fn request_info(gate: &[u8; 32]) -> Vec<u8> {
    [b"encl/1 gate ask\0".as_slice(), gate].concat()
}

/// The HPKE `info` of the answer to the request with this hash.
#[must_use]
pub fn answer_info(request: &[u8; 32]) -> Vec<u8> {
    [b"encl/1 gate reply\0".as_slice(), request].concat()
}

/// What the head of a request says of an item: who sees the head of a batch does not learn the other tickets in it.
#[must_use]
pub fn item_commitment(salt: &[u8; 16], ticket: &[u8; 32]) -> [u8; 32] {
    sha256(&[b"encl/1 gate item\0", salt, ticket])
}

/// The hash of a request's head, by which answer and entries name the request.
#[must_use]
pub fn request_hash(head: &[u8]) -> [u8; 32] {
    sha256(&[b"encl/1 gate head\0", head])
}

/// How an owner is named in a gate lock.
#[must_use]
pub fn owner(blind: &[u8; 32], id: &[u8; 32]) -> [u8; 32] {
    sha256(&[b"encl/1 gate owner\0", blind, id])
}

/// What hides the author of a private envelope among the owners: only the author's seed gives it.
#[must_use]
pub fn owner_blind(seed: &Secret<32>, commit: &[u8; 32]) -> [u8; 32] {
    let hkdf = Hkdf::<Sha256>::from_prk(seed.expose()).expect("32 bytes are a SHA-256 PRK");
    let mut blind = [0; 32];
    let info: [&[u8]; 2] = [b"encl/1 gate blind\0", commit];
    hkdf.expand_multi_info(&info, &mut blind)
        .expect("32 bytes are one HKDF block");
    blind
}

/// What whoever opened all locks but the gate lock has, and nobody else.
pub struct HolderSecret(Secret<32>);

impl HolderSecret {
    /// HKDF-Extract-SHA-256 (RFC 5869 §2.2) over the secrets of all other locks, in their order.
    #[must_use]
    pub fn new<'a>(others: impl IntoIterator<Item = &'a Secret<32>>) -> Self {
        let mut extract = hkdf::HkdfExtract::<Sha256>::new(Some(b"encl/1 gate others\0"));
        for secret in others {
            extract.input_ikm(secret.expose());
        }
        Self(Secret::new(extract.finalize().0.into()))
    }

    /// The key that proves to a gate that all other locks were opened.
    #[must_use]
    pub fn holder_key(&self) -> SigningKey {
        let seed = Secret::filled(|out| self.expand(&[b"encl/1 gate holder\0"], out));
        SigningKey::new(seed)
    }

    /// What masks the pass of a person: 16 bytes to find it by, 64 to take it off with.
    #[must_use]
    pub fn pass_mask(&self, id: RootId) -> Secret<PASS_ENTRY_BYTES> {
        Secret::filled(|out| self.expand(&[b"encl/1 gate mask\0", &id.0], out))
    }

    fn expand(&self, info: &[&[u8]], out: &mut [u8]) {
        let hkdf = Hkdf::<Sha256>::from_prk(self.0.expose()).expect("32 bytes are a SHA-256 PRK");
        hkdf.expand_multi_info(info, out)
            .expect("80 bytes are three HKDF blocks");
    }
}
