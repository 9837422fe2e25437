//! AES-256-GCM with a 96-bit nonce and a 128-bit tag (NIST SP 800-38D), in place.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{Aes256Gcm, KeyInit};

/// Bytes of the tag that follows every ciphertext.
pub const TAG_BYTES: usize = 16;

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 12;

/// How this processor computes AES; detected at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Several blocks per instruction (x86 VAES, with AVX-512 or 256 bits).
    Vaes,
    /// One block per instruction (x86 AES-NI).
    AesNi,
    /// `ARMv8`'s cryptography extension.
    Armv8,
    /// No AES instruction: constant-time code, about 20 times slower.
    Software,
}

impl Backend {
    /// Detects the backend of this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        if !aes::hardware_accelerated() {
            return Self::Software;
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("vaes") {
            return Self::Vaes;
        }
        if cfg!(target_arch = "aarch64") {
            Self::Armv8
        } else {
            Self::AesNi
        }
    }

    /// The backend's name, as processor manuals write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vaes => "VAES",
            Self::AesNi => "AES-NI",
            Self::Armv8 => "ARMv8",
            Self::Software => "software",
        }
    }
}

/// The authentication tag of a ciphertext does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the authentication tag is wrong")]
pub struct TagMismatch;

/// One AES-256-GCM key, expanded once and wiped on drop.
pub struct AeadKey(Aes256Gcm);

impl AeadKey {
    /// Expands `key`.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Encrypts `buffer` in place and returns the tag.
    ///
    /// The caller must pass a nonce that was never used with this key.
    #[must_use]
    pub fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        self.0
            .encrypt_inout_detached(nonce.into(), aad, buffer.into())
            .expect("GCM refuses only inputs over 64 GiB, and ours are at most 8 MiB")
            .into()
    }

    /// Encrypts `plaintext` into `ciphertext`, which must have the same length, and returns the tag.
    ///
    /// The caller must make sure that at most one ciphertext of each nonce under this key leaves the process.
    #[must_use]
    pub fn seal_into(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        plaintext: &[u8],
        ciphertext: &mut [u8],
    ) -> [u8; TAG_BYTES] {
        let buffer = InOutBuf::new(plaintext, ciphertext).expect("both have the same length");
        self.0
            .encrypt_inout_detached(nonce.into(), aad, buffer)
            .expect("GCM refuses only inputs over 64 GiB, and ours are at most 8 MiB")
            .into()
    }

    /// Decrypts `buffer` in place.
    ///
    /// # Errors
    /// [`TagMismatch`] when the tag does not match; `buffer` is then unchanged.
    pub fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), TagMismatch> {
        self.0
            .decrypt_inout_detached(nonce.into(), aad, buffer.into(), tag.into())
            .map_err(|_| TagMismatch)
    }
}
