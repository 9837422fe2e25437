//! One chunk of the payload, and the key of all chunks. Order and buffers are in `seal.rs` and `open.rs`.

use crate::crypto::Secret;
use crate::crypto::aead::{AeadKey, NONCE_BYTES, TAG_BYTES, TagMismatch};
use crate::crypto::kdf::ChunkSecrets;

/// Plaintext bytes of every chunk but the last, which is always shorter and may be empty.
pub const CHUNK_BYTES: usize = 16_384;

/// Bytes of a sealed chunk that is not the last.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

/// Bytes before the chunks: salt and commitment.
pub const HEADER_BYTES: usize = SALT_BYTES + COMMITMENT_BYTES;

pub(super) const SALT_BYTES: usize = 24;
pub(super) const COMMITMENT_BYTES: usize = 32;

/// Chunks of one message (C2SP chunked-encryption, "Limits").
pub(super) const CHUNKS_MAX: u64 = 1 << 32;

/// Seals and opens the chunks of one message.
pub(super) struct ChunkKey {
    key: AeadKey,
    nonce: [u8; NONCE_BYTES],
}

impl ChunkKey {
    /// Derives the key, and the commitment that follows the salt.
    pub(super) fn new(
        input_key: &Secret<32>,
        salt: &[u8; SALT_BYTES],
        context: &[u8],
    ) -> (Self, [u8; COMMITMENT_BYTES]) {
        let secrets = ChunkSecrets::new(input_key, salt, context);
        let key = Self {
            key: AeadKey::new(secrets.key()),
            nonce: *secrets.nonce(),
        };
        (key, *secrets.commitment())
    }

    /// Encrypts `chunk` in place and returns its tag.
    pub(super) fn seal(&self, index: u64, chunk: &mut [u8]) -> [u8; TAG_BYTES] {
        self.key.seal(&self.nonce_of(index), &[], chunk)
    }

    /// Encrypts `chunk` into `sealed`, which has room for its tag too.
    ///
    /// For threads that seal ahead. The result either replaces the output of [`ChunkKey::seal`] for this number, or never
    /// leaves the process: two ciphertexts under one nonce must never be published.
    pub(super) fn seal_into(&self, index: u64, chunk: &[u8], sealed: &mut [u8]) {
        let (ciphertext, tag) = sealed.split_at_mut(chunk.len());
        tag.copy_from_slice(
            &self
                .key
                .seal_into(&self.nonce_of(index), &[], chunk, ciphertext),
        );
    }

    /// Decrypts `sealed` (ciphertext and tag) in place, and returns the part that holds the plaintext.
    pub(super) fn open<'a>(
        &self,
        index: u64,
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], TagMismatch> {
        let (chunk, tag) = sealed
            .split_last_chunk_mut::<TAG_BYTES>()
            .ok_or(TagMismatch)?;
        self.key.open(&self.nonce_of(index), &[], chunk, tag)?;
        Ok(chunk)
    }

    /// C2SP: the base nonce XOR the chunk's number, big-endian in its last bytes.
    fn nonce_of(&self, index: u64) -> [u8; NONCE_BYTES] {
        let mut nonce = self.nonce;
        for (byte, counter) in nonce[4..].iter_mut().zip(index.to_be_bytes()) {
            *byte ^= counter;
        }
        nonce
    }
}
