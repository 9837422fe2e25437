//! The hash that a signature covers: blocks of D as long as chunks, so that the thread that encrypts a chunk can hash it too.

use sha2::{Digest, Sha256};

use super::id::EnvelopeId;
use crate::payload::{CHUNK_BYTES, ChunkHash};

/// root(D): SHA-256 over the SHA-256 of each block of 16,384 bytes, the last 1 to 16,384.
#[derive(Clone, Default)]
pub(super) struct RootHasher {
    root: Sha256,
    block: Sha256,
    block_bytes: usize,
    bytes: u64,
}

impl RootHasher {
    /// The hash of a whole block.
    pub(super) fn of_block(block: &[u8]) -> ChunkHash {
        Sha256::digest(block).into()
    }

    pub(super) fn update(&mut self, mut data: &[u8]) {
        self.bytes += data.len() as u64;
        while !data.is_empty() {
            let (now, later) = data.split_at(data.len().min(CHUNK_BYTES - self.block_bytes));
            self.block.update(now);
            self.block_bytes += now.len();
            if self.block_bytes == CHUNK_BYTES {
                self.end_block();
            }
            data = later;
        }
    }

    /// Enters a block of 16,384 bytes by its hash, which another thread has computed; the block before is complete.
    pub(super) fn enter(&mut self, hash: &ChunkHash) {
        debug_assert_eq!(self.block_bytes, 0, "blocks are entered whole");
        self.root.update(hash);
        self.bytes += CHUNK_BYTES as u64;
    }

    /// Whether the next byte begins a block.
    pub(super) fn is_at_block(&self) -> bool {
        self.block_bytes == 0
    }

    /// Counts bytes of an unsigned envelope.
    pub(super) fn skip(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
    }

    /// Bytes of D so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The parts of the message that is signed after its label: P, the length of D and root(D).
    pub(super) fn signed_message(mut self, id: &EnvelopeId) -> [Vec<u8>; 3] {
        if self.block_bytes > 0 {
            self.end_block();
        }
        [
            id.0.to_vec(),
            self.bytes.to_be_bytes().to_vec(),
            self.root.finalize().to_vec(),
        ]
    }

    fn end_block(&mut self) {
        self.root.update(self.block.finalize_reset());
        self.block_bytes = 0;
    }
}
