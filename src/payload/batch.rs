//! The buffer of one thread: consecutive chunks, each followed by room for its tag, so that they are sealed and opened in
//! place.

use std::io::{self, IoSliceMut, Read};

use zeroize::Zeroize;

use super::chunk::{CHUNK_BYTES, CHUNKS_MAX, ChunkKey, SEALED_CHUNK_BYTES};
use crate::crypto::aead::TAG_BYTES;

/// Hashes the plaintext of a full chunk, right before or after the chunk is encrypted or decrypted, while it is in the
/// processor's cache.
pub type HashChunk = fn(&[u8]) -> ChunkHash;

/// The result of [`HashChunk`].
pub type ChunkHash = [u8; 32];

/// Chunks of a full batch: 512 KiB. Longer writes use huge pages of the page cache, which some machines fill slowly.
pub(super) const BATCH_CHUNKS: usize = 32;
/// Chunks of the first buffer: few enough that the allocator does not map memory for it.
const FIRST_CHUNKS: usize = 2;
const FULL_BYTES: usize = BATCH_CHUNKS * SEALED_CHUNK_BYTES;

pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Bytes of `bytes` that hold chunks; all but the last chunk of a batch are full.
    filled: usize,
    /// The most bytes that were filled so far; they are wiped on drop.
    high_water: usize,
    /// Bytes of `bytes` that were opened, tags included.
    opened: usize,
    /// Why the chunk after the opened ones was not opened.
    pub(super) error: Option<ChunkError>,
    /// The number of the first chunk.
    pub(super) first_chunk: u64,
    /// The hash of each full chunk, if hashes are computed.
    pub(super) hashes: Vec<ChunkHash>,
    /// The opened full chunks, sealed again with another key, if there is one.
    resealed: Vec<u8>,
}

impl Batch {
    /// An empty batch, without memory.
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            filled: 0,
            high_water: 0,
            opened: 0,
            error: None,
            first_chunk: 0,
            hashes: Vec::new(),
            resealed: Vec::new(),
        }
    }

    /// Enlarges the buffer: to a small size at first, then to the full size, so that short contents do not clear a large
    /// buffer. Returns whether the buffer is larger than before.
    fn grow(&mut self) -> bool {
        let bytes = match self.bytes.len() {
            0 => FIRST_CHUNKS * SEALED_CHUNK_BYTES,
            FULL_BYTES => return false,
            _ => FULL_BYTES,
        };
        let mut larger = vec![0; bytes];
        larger[..self.bytes.len()].copy_from_slice(&self.bytes);
        self.bytes.zeroize();
        self.bytes = larger;
        true
    }

    /// Fills the batch with plaintext: first `begun`, then `input`, which may return few bytes per read. Returns the number of
    /// bytes of plaintext.
    pub(super) fn read_plaintext(
        &mut self,
        begun: &[u8],
        input: &mut dyn Read,
    ) -> io::Result<usize> {
        if self.bytes.is_empty() {
            self.grow();
        }
        self.bytes[..begun.len()].copy_from_slice(begun);
        self.high_water = self.high_water.max(begun.len());
        let mut plaintext = begun.len();
        loop {
            let read = self.read_chunks(plaintext, input)?;
            plaintext += read;
            let is_full = plaintext / CHUNK_BYTES * SEALED_CHUNK_BYTES == self.bytes.len();
            if !is_full || !self.grow() {
                break;
            }
        }
        self.fill(plaintext / CHUNK_BYTES * SEALED_CHUNK_BYTES + plaintext % CHUNK_BYTES);
        Ok(plaintext)
    }

    /// Reads plaintext into the chunks, after the `plaintext` bytes that they hold, until they are full or the input ends.
    fn read_chunks(&mut self, plaintext: usize, input: &mut dyn Read) -> io::Result<usize> {
        let bytes = self.bytes.len();
        let places = self.bytes.chunks_exact_mut(SEALED_CHUNK_BYTES);
        let mut places: Vec<_> = places
            .map(|place| IoSliceMut::new(&mut place[..CHUNK_BYTES]))
            .collect();
        let mut left = &mut places[..];
        IoSliceMut::advance_slices(&mut left, plaintext);
        let mut read = 0;
        while !left.is_empty() {
            match input.read_vectored(left) {
                Ok(0) => break,
                Ok(count) => {
                    read += count;
                    IoSliceMut::advance_slices(&mut left, count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.high_water = bytes;
                    return Err(error);
                }
            }
        }
        Ok(read)
    }

    /// Fills the batch with sealed chunks. Returns whether the batch is full.
    pub(super) fn read_sealed(&mut self, input: &mut dyn Read) -> io::Result<bool> {
        let mut filled = 0;
        loop {
            filled += read_full(input, &mut self.bytes[filled..])?;
            if filled < self.bytes.len() || !self.grow() {
                break;
            }
        }
        self.fill(filled);
        Ok(filled == FULL_BYTES)
    }

    fn fill(&mut self, bytes: usize) {
        self.filled = bytes.min(self.bytes.len());
        self.high_water = self.high_water.max(self.filled);
    }

    /// Hashes and seals every full chunk.
    pub(super) fn seal(&mut self, key: &ChunkKey, hash: Option<HashChunk>) {
        self.hashes.clear();
        let places = self.bytes[..self.filled].chunks_exact_mut(SEALED_CHUNK_BYTES);
        for (index, place) in (self.first_chunk..).zip(places) {
            let (chunk, tag) = place.split_at_mut(CHUNK_BYTES);
            self.hashes.extend(hash.map(|hash| hash(chunk)));
            tag.copy_from_slice(&key.seal(index, chunk));
        }
    }

    /// The chunks that [`Batch::seal`] has sealed.
    pub(super) fn sealed(&self) -> &[u8] {
        &self.bytes[..self.filled / SEALED_CHUNK_BYTES * SEALED_CHUNK_BYTES]
    }

    /// The plaintext after the last full chunk.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.filled / SEALED_CHUNK_BYTES * SEALED_CHUNK_BYTES..self.filled]
    }

    /// Opens the chunks up to the first that is not genuine. Full chunks are also hashed, and sealed with another key under the
    /// same numbers, each while it is in the processor's cache.
    pub(super) fn open(
        &mut self,
        key: &ChunkKey,
        hash: Option<HashChunk>,
        reseal_key: Option<&ChunkKey>,
    ) {
        self.hashes.clear();
        if reseal_key.is_some() {
            self.resealed.resize(BATCH_CHUNKS * SEALED_CHUNK_BYTES, 0);
        }
        self.opened = 0;
        self.error = None;
        let places = self.bytes[..self.filled].chunks_mut(SEALED_CHUNK_BYTES);
        for (index, place) in (self.first_chunk..).zip(places) {
            let (at, bytes) = (self.opened, place.len());
            self.error = if index >= CHUNKS_MAX {
                Some(ChunkError::TooLong)
            } else if bytes < TAG_BYTES {
                Some(ChunkError::Truncated { index, bytes })
            } else if key.open(index, place).is_err() {
                Some(ChunkError::Changed { index })
            } else {
                None
            };
            if self.error.is_some() {
                return;
            }
            if bytes == SEALED_CHUNK_BYTES {
                let chunk = &place[..CHUNK_BYTES];
                self.hashes.extend(hash.map(|hash| hash(chunk)));
                if let Some(other) = reseal_key {
                    other.seal_into(index, chunk, &mut self.resealed[at..at + bytes]);
                }
            }
            self.opened = at + bytes;
        }
        let is_cut = self.filled < FULL_BYTES && self.filled.is_multiple_of(SEALED_CHUNK_BYTES);
        // The last chunk of a message is never full.
        let index = self.first_chunk + (self.filled / SEALED_CHUNK_BYTES) as u64;
        self.error = is_cut.then_some(ChunkError::Truncated { index, bytes: 0 });
    }

    /// The chunks that [`Batch::open`] has opened.
    pub(super) fn opened(&self) -> OpenedChunks<'_> {
        let is_resealed = !self.resealed.is_empty();
        let full = if is_resealed {
            self.opened / SEALED_CHUNK_BYTES * SEALED_CHUNK_BYTES
        } else {
            0
        };
        OpenedChunks {
            bytes: &self.bytes[..self.opened],
            hashes: &self.hashes,
            first_chunk: self.first_chunk,
            resealed: &self.resealed[..full],
        }
    }
}

/// Reads until `buffer` is full or the input ends; returns the number of bytes read.
pub(super) fn read_full(input: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.bytes[..self.high_water].zeroize();
    }
}

/// Why the chunk with this number does not open.
pub(super) enum ChunkError {
    /// The input has only this many bytes of it.
    Truncated { index: u64, bytes: usize },
    /// Its tag does not match.
    Changed { index: u64 },
    /// A message must not have so many chunks.
    TooLong,
}

/// Consecutive chunks, opened.
pub struct OpenedChunks<'a> {
    bytes: &'a [u8],
    hashes: &'a [ChunkHash],
    first_chunk: u64,
    resealed: &'a [u8],
}

/// The plaintext of a chunk.
#[derive(Debug, Clone, Copy)]
pub struct OpenedChunk<'a> {
    /// 16,384 bytes; fewer in the last chunk of a message.
    pub plaintext: &'a [u8],
    /// Its hash, if hashes are computed and the chunk is full.
    pub hash: Option<&'a ChunkHash>,
    /// The chunk sealed for another message, if there is a key for that and the chunk is full.
    pub resealed: Option<ResealedChunk<'a>>,
}

/// A full chunk, sealed with the key of another message under the number that it has in this one.
#[derive(Debug, Clone, Copy)]
pub struct ResealedChunk<'a> {
    /// The chunk's number, from 0.
    pub index: u64,
    /// 16,400 bytes.
    pub bytes: &'a [u8],
}

impl<'a> OpenedChunks<'a> {
    /// The chunks in their order.
    pub fn iter(&self) -> impl Iterator<Item = OpenedChunk<'a>> {
        let hashes = self.hashes.iter().map(Some).chain(std::iter::repeat(None));
        let resealed = (self.first_chunk..).zip(self.resealed.chunks_exact(SEALED_CHUNK_BYTES));
        let resealed = resealed.map(|(index, bytes)| Some(ResealedChunk { index, bytes }));
        let resealed = resealed.chain(std::iter::repeat(None));
        let places = self.bytes.chunks(SEALED_CHUNK_BYTES);
        places
            .zip(hashes)
            .zip(resealed)
            .map(|((place, hash), resealed)| OpenedChunk {
                plaintext: &place[..place.len() - TAG_BYTES],
                hash,
                resealed,
            })
    }
}
