//! Sealing: plaintext in as it comes, a C2SP message out.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::chunk::{CHUNK_BYTES, CHUNKS_MAX, ChunkKey, SEALED_CHUNK_BYTES};
use crate::crypto::{CryptoRng, Secret};

/// Sealed chunks that go out in one write: 512 KiB.
const BATCH_CHUNKS: usize = 32;

/// Writes one C2SP message to `out`. Plaintext goes in by [`Write`]; [`Sealer::finish`] ends the message.
///
/// Dropped without `finish`, it leaves a message without an end, which no reader accepts.
pub struct Sealer<W: Write> {
    out: W,
    key: ChunkKey,
    next_chunk: u64,
    /// Sealed chunks, then the plaintext of the chunk that is being filled.
    buffer: Zeroizing<Vec<u8>>,
    /// Where in `buffer` the unsealed chunk begins.
    chunk_at: usize,
}

impl<W: Write> Sealer<W> {
    /// Draws a salt and writes the 56 bytes in front of the chunks.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(
        mut out: W,
        input_key: &Secret<32>,
        context: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> io::Result<Self> {
        // Fresh for every message without exception: the same key and salt would repeat nonces.
        let mut salt = [0; 24];
        rng.fill_bytes(&mut salt);
        let (key, commitment) = ChunkKey::new(input_key, &salt, context);
        out.write_all(&salt)?;
        out.write_all(&commitment)?;
        let buffer = Zeroizing::new(Vec::with_capacity(SEALED_CHUNK_BYTES));
        Ok(Self {
            out,
            key,
            next_chunk: 0,
            buffer,
            chunk_at: 0,
        })
    }

    /// Seals what is left as the last chunk, which may be empty, and returns `out`, not flushed.
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
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "more than 64 TiB in one envelope",
            ));
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

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, plaintext: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES - (self.buffer.len() - self.chunk_at);
        let taken = room.min(plaintext.len());
        if self.next_chunk == 1 && self.chunk_at == self.buffer.len() {
            // Only long messages pay for a batch. What moves here is sealed, so no plaintext stays behind.
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

    /// Does nothing: a chunk goes out when it is full, never early.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Seals a short message in one go.
#[must_use]
pub fn seal_message(
    input_key: &Secret<32>,
    context: &[u8],
    message: &[u8],
    rng: &mut dyn CryptoRng,
) -> Vec<u8> {
    let mut sealer =
        Sealer::new(Vec::new(), input_key, context, rng).expect("a Vec takes every write");
    sealer.write_all(message).expect("a Vec takes every write");
    sealer.finish().expect("a Vec takes every write")
}
