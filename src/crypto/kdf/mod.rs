//! All key derivations of the format, and their labels (FORMAT.md, "Secrets and slots").
//!
//! All labels begin with `encl/1 ` and end in a zero byte where text of variable length follows, so that no two derivations
//! ever have the same input.

pub mod gate;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

use super::{Secret, sha256};

/// SHA-256 of a lock's secret. The policy holds it as a commitment to the secret.
#[must_use]
pub fn lock_commitment(secret: &Secret<32>) -> [u8; 32] {
    sha256(&[b"encl/1 lock\0", secret.expose()])
}

/// SHA-256 of a passphrase's salt, its key and the lock's secret, which stands in the policy and tells a replaced slot.
///
/// The secret is in it so that the policy alone tests no guess at the passphrase.
#[must_use]
pub fn passphrase_commitment(salt: &[u8; 16], key: &Secret<32>, secret: &Secret<32>) -> [u8; 32] {
    sha256(&[
        b"encl/1 passphrase commit\0",
        salt,
        key.expose(),
        secret.expose(),
    ])
}

/// SHA-256 of a share (number and value). The policy holds it, so that a forged share is recognised.
#[must_use]
pub fn share_hash(share: &[u8]) -> [u8; 32] {
    sha256(&[b"encl/1 share\0", share])
}

/// The id of a KEM public key: SHA-256 over the KEM's number (RFC 9180 §7.1) and the key.
#[must_use]
pub(super) fn key_id(kem: u16, public: &[u8]) -> [u8; 32] {
    sha256(&[b"encl/1 key\0", &kem.to_be_bytes(), public])
}

/// The `info` under which a lock's secret is sealed to a key: bound to this policy and this lock.
#[must_use]
pub fn slot_info(policy: &[u8; 32], lock: u16) -> Vec<u8> {
    [b"encl/1 slot\0".as_slice(), policy, &lock.to_be_bytes()].concat()
}

/// The HPKE `info` of an approval: a lock's secret or share, sealed to a colleague.
#[must_use]
pub fn approval_info(policy: &[u8; 32], lock: u16) -> Vec<u8> {
    [b"encl/1 approval\0".as_slice(), policy, &lock.to_be_bytes()].concat()
}

/// The C2SP context under which a lock's secret is sealed to a passphrase.
#[must_use]
pub fn passphrase_context(policy: &[u8; 32], lock: u16) -> Vec<u8> {
    [
        b"encl/1 passphrase\0".as_slice(),
        policy,
        &lock.to_be_bytes(),
    ]
    .concat()
}

/// HMAC-SHA-256 over a trust record, with a key that never leaves this machine.
#[must_use]
pub fn trust_mac(key: &Secret<32>, record: &[u8]) -> [u8; 32] {
    let mac = machine_hmac(key, b"encl/1 trust\0", record);
    mac.finalize().into_bytes().into()
}

/// Verifies the MAC of a trust record in constant time.
#[must_use]
pub fn trust_mac_matches(key: &Secret<32>, record: &[u8], mac: &[u8; 32]) -> bool {
    let expected = machine_hmac(key, b"encl/1 trust\0", record);
    expected.verify(mac.into()).is_ok()
}

/// HMAC-SHA-256 over the hash of a backup's parts, with the key of the machine that makes it.
#[must_use]
pub fn backup_mac(key: &Secret<32>, parts: &[u8; 32]) -> [u8; 32] {
    let mac = machine_hmac(key, b"encl/1 backup\0", parts);
    mac.finalize().into_bytes().into()
}

/// Verifies the MAC of a backup in constant time.
#[must_use]
pub fn backup_mac_matches(key: &Secret<32>, parts: &[u8; 32], mac: &[u8; 32]) -> bool {
    let expected = machine_hmac(key, b"encl/1 backup\0", parts);
    expected.verify(mac.into()).is_ok()
}

fn machine_hmac(key: &Secret<32>, label: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose());
    mac.expect("HMAC takes keys of any length")
        .chain_update(label)
        .chain_update(text)
}

/// SHA-256 of a keystore's path. It names the file in which this machine keeps its state about the keystore.
#[must_use]
pub fn keystore_place(path: &[u8]) -> [u8; 32] {
    sha256(&[b"encl/1 keystore\0", path])
}

/// SHA-256 of an address, in the form in which addresses are compared. It names what this machine remembers of the address.
#[must_use]
pub fn remembered_address(comparable: &str) -> [u8; 32] {
    sha256(&[b"encl state address\0", comparable.as_bytes()])
}

/// SHA-256 of a name, in the form in which names are compared. It names what this machine remembers of the name.
#[must_use]
pub fn remembered_name(folded: &str) -> [u8; 32] {
    sha256(&[b"encl state name\0", folded.as_bytes()])
}

/// SHA-256 of a group's keeper and of its name. It names what this machine remembers of the group's cards.
#[must_use]
pub fn remembered_group(keeper: &[u8; 32], name: &str) -> [u8; 32] {
    sha256(&[b"encl state group\0", keeper, name.as_bytes()])
}

/// The Argon2id salt of the safety number: a constant, since both sides have to compute the same number.
pub const COMPARISON_SALT: &[u8; 16] = b"encl/1 compare\0\0";

/// The content key of one envelope, derived from the secrets of all its locks in their order.
pub struct ContentKey(Secret<32>);

impl ContentKey {
    /// HKDF-Extract-SHA-256 (RFC 5869 §2.2) with the policy's hash as salt.
    #[must_use]
    pub fn new<'a>(policy: &[u8; 32], secrets: impl IntoIterator<Item = &'a Secret<32>>) -> Self {
        let mut extract = hkdf::HkdfExtract::<Sha256>::new(Some(policy));
        for secret in secrets {
            extract.input_ikm(secret.expose());
        }
        Self(Secret::new(extract.finalize().0.into()))
    }

    /// A key from its stored bytes.
    #[must_use]
    pub fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The bytes of the key, for test vectors and for storing it.
    #[must_use]
    pub fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// HMAC-SHA-256 over the access hash: line 4 of the envelope.
    #[must_use]
    pub fn mac(&self, access: &[u8; 32]) -> [u8; 32] {
        self.keyed(access).finalize().into_bytes().into()
    }

    /// Verifies line 4 of an envelope in constant time.
    #[must_use]
    pub fn mac_matches(&self, access: &[u8; 32], mac: &[u8; 32]) -> bool {
        self.keyed(access).verify(mac.into()).is_ok()
    }

    fn keyed(&self, access: &[u8; 32]) -> Hmac<Sha256> {
        let key = self.expand(b"encl/1 mac");
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose());
        mac.expect("HMAC takes keys of any length")
            .chain_update(access)
    }

    /// The input key of the payload's C2SP message.
    #[must_use]
    pub fn payload_key(&self) -> Secret<32> {
        self.expand(b"encl/1 payload")
    }

    fn expand(&self, info: &[u8]) -> Secret<32> {
        let hkdf = Hkdf::<Sha256>::from_prk(self.0.expose()).expect("32 bytes are a SHA-256 PRK");
        Secret::filled(|out| hkdf.expand(info, out).expect("32 bytes are one HKDF block"))
    }
}

/// The secrets of one C2SP message: 32 bytes of key, 12 of nonce, 32 of commitment.
pub(crate) struct ChunkSecrets(Secret<76>);

impl ChunkSecrets {
    /// HKDF-Expand-SHA-512 over identifier, salt and context (C2SP chunked-encryption, "Key derivation").
    pub(crate) fn new(input_key: &Secret<32>, salt: &[u8; 24], context: &[u8]) -> Self {
        // The construction uses the 32-byte key as an HKDF PRK. Crate hkdf asks for 64 bytes with SHA-512; HMAC pads its key
        // with zeros to the block length, so appended zeros change nothing.
        let prk = Secret::<64>::filled(|prk| prk[..32].copy_from_slice(input_key.expose()));
        let hkdf = Hkdf::<Sha512>::from_prk(prk.expose()).expect("64 bytes are a SHA-512 PRK");
        Self(Secret::filled(|out| {
            hkdf.expand_multi_info(
                &[
                    b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0",
                    salt,
                    context,
                ],
                out,
            )
            .expect("76 bytes are two HKDF blocks");
        }))
    }

    pub(crate) fn key(&self) -> &[u8; 32] {
        self.part::<0, 32>()
    }

    pub(crate) fn nonce(&self) -> &[u8; 12] {
        self.part::<32, 12>()
    }

    pub(crate) fn commitment(&self) -> &[u8; 32] {
        self.part::<44, 32>()
    }

    fn part<const AT: usize, const N: usize>(&self) -> &[u8; N] {
        self.0.expose()[AT..AT + N]
            .try_into()
            .expect("the parts lie within 76 bytes")
    }
}
