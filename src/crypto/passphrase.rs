//! Passphrases, and the key that Argon2id (RFC 9106) derives from one.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::Secret;

const PASSES: u32 = 3;
const LANES: u32 = 4;

/// The longest passphrase, in bytes of UTF-8 after normalisation.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;

/// Held while a key is derived.
static DERIVING: Mutex<()> = Mutex::new(());

/// Why a passphrase cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// The passphrase is empty.
    #[error("the passphrase is empty")]
    Empty,
    /// The passphrase is longer than [`PASSPHRASE_BYTES_MAX`].
    #[error("the passphrase is longer than {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
    /// The memory that the cost requires cannot be allocated.
    #[error("not enough memory for a passphrase of cost {0} (2^{0} KiB)")]
    Memory(u32),
}

/// A passphrase in Unicode normalisation form C (UAX #15), so that é from any keyboard gives the same bytes.
///
/// Clones share no memory; each is wiped when it is dropped.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Normalises `text`.
    ///
    /// # Errors
    /// [`PassphraseError::Empty`] or [`PassphraseError::TooLong`].
    pub fn new(text: &str) -> Result<Self, PassphraseError> {
        // NFC makes text at most three times as long (UAX #15 §9), so this String is never reallocated, which would leave a
        // copy in memory.
        let mut normal = Zeroizing::new(String::with_capacity(text.len().saturating_mul(3)));
        normal.extend(text.nfc());
        match normal.len() {
            0 => Err(PassphraseError::Empty),
            1..=PASSPHRASE_BYTES_MAX => Ok(Self(normal)),
            _ => Err(PassphraseError::TooLong),
        }
    }

    /// Derives a key: Argon2id version 0x13, 3 passes, 4 lanes, `cost.memory_kib()` KiB, no secret, no data. One derivation at a time
    /// in the process: others wait, so that together they never take more memory than the largest of them.
    ///
    /// # Errors
    /// [`PassphraseError::Memory`] when the memory cannot be allocated.
    pub fn derive(&self, salt: &[u8; 16], cost: Cost) -> Result<Secret<32>, PassphraseError> {
        let params = Params::new(cost.memory_kib(), PASSES, LANES, Some(32))
            .expect("costs 16 to 20 are valid");
        let _deriving = DERIVING.lock().unwrap_or_else(PoisonError::into_inner);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut derived = Ok(());
        let key =
            Secret::filled(|key| derived = argon2.hash_password_into(self.0.as_bytes(), salt, key));
        derived
            .map(|()| key)
            .map_err(|_| PassphraseError::Memory(cost.log2_kib()))
    }
}

/// How much a guess at a passphrase costs: 2^cost KiB of memory, from 64 MiB to 1 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(u8);

impl Default for Cost {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Cost {
    /// 64 MiB: a fraction of a second on a laptop (RFC 9106 §4, second recommended option).
    pub const DEFAULT: Self = Self(16);

    /// Takes the base-2 logarithm of the memory in KiB, 16 to 20.
    #[must_use]
    pub fn new(log2_kib: u64) -> Option<Self> {
        u8::try_from(log2_kib)
            .ok()
            .filter(|cost| (16..=20).contains(cost))
            .map(Self)
    }

    /// The number in the policy.
    #[must_use]
    pub fn log2_kib(self) -> u32 {
        self.0.into()
    }

    /// Memory in KiB.
    #[must_use]
    pub fn memory_kib(self) -> u32 {
        1 << self.0
    }
}
