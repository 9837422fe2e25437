//! Seals plaintext of any length as a C2SP message.

use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::batch::{BATCH_CHUNKS, Batch, ChunkHash, HashChunk};
use super::chunk::{CHUNK_BYTES, CHUNKS_MAX, ChunkKey, HEADER_BYTES, SEALED_CHUNK_BYTES};
use super::workers::Workers;
use crate::crypto::{CryptoRng, Secret};
use crate::pipeline::{Next, Pipeline};

/// Writes one C2SP message to `out`. Plaintext is given to [`Sealer::copy`], or to [`Write`] if it is short; [`Sealer::finish`]
/// ends the message.
///
/// A sealer that is dropped without `finish` leaves a message without an end, which no reader accepts.
pub struct Sealer<W: Write> {
    out: W,
    key: Arc<ChunkKey>,
    next_chunk: u64,
    /// Bytes that are written next, then the plaintext of the chunk that is being filled.
    buffer: Zeroizing<Vec<u8>>,
    /// Where in `buffer` the unsealed chunk begins.
    chunk_at: usize,
}

/// The key of a message that is being written, for threads that seal its chunks ahead of their turn.
pub struct SealingKey(pub(super) Arc<ChunkKey>);

/// Why a copy stopped.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The content could not be read.
    #[error("the content cannot be read")]
    Read(#[source] io::Error),
    /// The sealed content could not be written, or the content is longer than 64 TiB.
    #[error("the sealed content cannot be written")]
    Write(#[source] io::Error),
}

impl<W: Write> Sealer<W> {
    /// Draws a salt. `front` is written before the message, unchanged and together with the first bytes of the message.
    pub fn new(
        out: W,
        front: Vec<u8>,
        input_key: &Secret<32>,
        context: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Self {
        // Every message needs a new salt: the same key and salt would repeat nonces.
        let mut salt = [0; 24];
        rng.fill_bytes(&mut salt);
        let (key, commitment) = ChunkKey::new(input_key, &salt, context);
        let mut buffer = Zeroizing::new(front);
        buffer.reserve_exact(HEADER_BYTES + SEALED_CHUNK_BYTES);
        buffer.extend_from_slice(&salt);
        buffer.extend_from_slice(&commitment);
        Self {
            out,
            key: Arc::new(key),
            next_chunk: 0,
            chunk_at: buffer.len(),
            buffer,
        }
    }

    /// The key, for [`Opener::for_each`](super::Opener::for_each) of the message whose content is copied into this one.
    pub fn key(&self) -> SealingKey {
        SealingKey(Arc::clone(&self.key))
    }

    /// The number of the chunk that begins here; `None` inside a chunk.
    pub fn chunk_here(&self) -> Option<u64> {
        self.unsealed().is_empty().then_some(self.next_chunk)
    }

    /// Appends full chunks that were sealed with [`Sealer::key`] under the numbers from [`Sealer::chunk_here`] on.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn append_sealed(&mut self, chunks: &mut Vec<IoSlice<'_>>) -> io::Result<()> {
        if chunks.is_empty() {
            return Ok(());
        }
        assert!(self.unsealed().is_empty(), "a chunk is being filled");
        self.next_chunk += chunks.len() as u64;
        self.write_batch()?;
        write_all_vectored(&mut self.out, chunks)?;
        chunks.clear();
        Ok(())
    }

    /// The plaintext that was not sealed yet, because its chunk is not full.
    pub fn unsealed(&self) -> &[u8] {
        &self.buffer[self.chunk_at..]
    }

    /// Seals all of `content` and returns its length in bytes. If there is a `hash`, `enter` gets the hashes of the full chunks
    /// in order.
    ///
    /// # Errors
    /// [`CopyError`]. The sealer cannot be used after an error.
    pub fn copy(
        &mut self,
        content: &mut (dyn Read + Send),
        workers: Workers,
        hash: Option<HashChunk>,
        mut enter: impl FnMut(&ChunkHash) + Send,
    ) -> Result<u64, CopyError>
    where
        W: Send,
    {
        let begun = Zeroizing::new(self.unsealed().to_vec());
        let mut begun = begun.as_slice();
        let mut bytes = 0;
        let mut first_chunk = self.next_chunk;
        let key = &self.key;
        let (out, buffer) = (&mut self.out, &mut self.buffer);
        let (chunk_at, next_chunk) = (&mut self.chunk_at, &mut self.next_chunk);
        buffer.truncate(*chunk_at);
        let pipeline = Pipeline {
            read: |batch: &mut Batch| {
                let begun = std::mem::take(&mut begun);
                let read = batch.read_plaintext(begun, content);
                let plaintext = read.map_err(CopyError::Read)?;
                bytes += (plaintext - begun.len()) as u64;
                batch.first_chunk = first_chunk;
                first_chunk += (plaintext / CHUNK_BYTES) as u64;
                if first_chunk > CHUNKS_MAX {
                    return Err(CopyError::Write(too_long()));
                }
                Ok(match plaintext {
                    0 => Next::End,
                    BATCH_PLAINTEXT_BYTES => Next::Piece,
                    _ => Next::Last,
                })
            },
            process: |batch: &mut Batch| {
                batch.seal(key, hash);
                Ok(())
            },
            write: |batch: &mut Batch| {
                if !batch.sealed().is_empty() {
                    out.write_all(buffer).map_err(CopyError::Write)?;
                    buffer.clear();
                    out.write_all(batch.sealed()).map_err(CopyError::Write)?;
                }
                batch.hashes.iter().for_each(&mut enter);
                *chunk_at = buffer.len();
                *next_chunk += (batch.sealed().len() / SEALED_CHUNK_BYTES) as u64;
                buffer.extend_from_slice(batch.rest());
                Ok(())
            },
        };
        pipeline.run(|| workers.count(hash.is_some()), Batch::new)?;
        Ok(bytes)
    }

    /// Seals the rest of the plaintext as the last chunk, which may be empty. Returns `out`, not flushed.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal_chunk()?;
        self.out.write_all(&self.buffer)?;
        Ok(self.out)
    }

    /// A full chunk is never the last one, so it can be sealed as soon as it is full.
    fn seal_chunk(&mut self) -> io::Result<()> {
        if self.next_chunk >= CHUNKS_MAX {
            return Err(too_long());
        }
        let tag = self
            .key
            .seal(self.next_chunk, &mut self.buffer[self.chunk_at..]);
        self.buffer.extend_from_slice(&tag);
        self.chunk_at = self.buffer.len();
        self.next_chunk += 1;
        Ok(())
    }

    fn write_batch(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.chunk_at = 0;
        Ok(())
    }
}

/// Bytes of plaintext in a full batch.
const BATCH_PLAINTEXT_BYTES: usize = BATCH_CHUNKS * CHUNK_BYTES;

fn too_long() -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        "more than 64 TiB in one envelope",
    )
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES - (self.buffer.len() - self.chunk_at);
        let taken = room.min(plaintext.len());
        if self.next_chunk == 1 && self.chunk_at == self.buffer.len() {
            // Only long messages reserve a full batch. The bytes that move are sealed, so no copy of plaintext is left in
            // memory.
            self.buffer
                .reserve_exact((BATCH_CHUNKS - 1) * SEALED_CHUNK_BYTES);
        }
        self.buffer.extend_from_slice(&plaintext[..taken]);
        if taken == room {
            self.seal_chunk()?;
            if self.buffer.len() >= BATCH_CHUNKS * SEALED_CHUNK_BYTES {
                self.write_batch()?;
            }
        }
        Ok(taken)
    }

    /// Does nothing: a chunk is written when it is full, never earlier.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all of `slices`, in as few calls as `out` needs.
///
/// # Errors
/// Those of `out`.
pub fn write_all_vectored(
    out: &mut (impl Write + ?Sized),
    mut slices: &mut [IoSlice<'_>],
) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0); // skips empty slices at the front
    while !slices.is_empty() {
        match out.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut slices, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Seals a short message in one call.
#[must_use]
pub fn seal_message(
    input_key: &Secret<32>,
    context: &[u8],
    message: &[u8],
    rng: &mut dyn CryptoRng,
) -> Vec<u8> {
    let mut sealer = Sealer::new(Vec::new(), Vec::new(), input_key, context, rng);
    sealer.write_all(message).expect("a Vec takes every write");
    sealer.finish().expect("a Vec takes every write")
}
