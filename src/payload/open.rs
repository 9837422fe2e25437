//! Opens a C2SP message: reads it, and gives its authenticated plaintext in order.

use std::io::{self, Read};

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::batch::{BATCH_CHUNKS, Batch, ChunkError, HashChunk, OpenedChunks, read_full};
use super::chunk::{
    CHUNK_BYTES, CHUNKS_MAX, COMMITMENT_BYTES, ChunkKey, HEADER_BYTES, SALT_BYTES,
    SEALED_CHUNK_BYTES,
};
use super::seal::SealingKey;
use super::workers::Workers;
use crate::crypto::Secret;
use crate::crypto::aead::TAG_BYTES;
use crate::pipeline::{Next, Pipeline};

/// Why the rest of a message cannot be read. Offsets count from the message's first byte.
#[derive(Debug, thiserror::Error)]
pub enum OpenPayloadError {
    /// The input ended too early.
    #[error("the payload ends after {bytes} bytes, in the middle")]
    Truncated {
        /// Bytes of the input.
        bytes: u64,
    },
    /// The commitment does not match the key.
    #[error("the head of the payload was changed or belongs to another envelope")]
    Commitment,
    /// The tag of a chunk does not match: the chunk was changed, moved or cut, or data was appended.
    #[error("chunk {index} of the payload, at byte {at}, is damaged")]
    Chunk {
        /// The chunk's number, from 0.
        index: u64,
        /// The offset of the chunk.
        at: u64,
    },
    /// More chunks than the construction allows.
    #[error("the payload has more than 2^32 chunks")]
    TooLong,
    /// The input could not be read.
    #[error("the payload cannot be read")]
    Io(#[from] io::Error),
}

/// Reads one C2SP message from `input`, to its end.
pub struct Opener<R: Read> {
    input: R,
    key: ChunkKey,
    next_chunk: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Reads the 56 bytes before the chunks and checks that they commit to the key.
    ///
    /// # Errors
    /// [`OpenPayloadError::Truncated`], [`OpenPayloadError::Commitment`] or [`OpenPayloadError::Io`].
    pub fn new(
        mut input: R,
        input_key: &Secret<32>,
        context: &[u8],
    ) -> Result<Self, OpenPayloadError> {
        let mut head = [0; HEADER_BYTES];
        let found = read_full(&mut input, &mut head)?;
        if found < HEADER_BYTES {
            return Err(OpenPayloadError::Truncated {
                bytes: found as u64,
            });
        }
        let salt = head.first_chunk::<SALT_BYTES>().expect("24 of 56 bytes");
        let commitment = head
            .last_chunk::<COMMITMENT_BYTES>()
            .expect("32 of 56 bytes");
        let (key, expected) = ChunkKey::new(input_key, salt, context);
        if !bool::from(expected.ct_eq(commitment)) {
            return Err(OpenPayloadError::Commitment);
        }
        Ok(Self {
            input,
            key,
            next_chunk: 0,
            buffer: vec![0; SEALED_CHUNK_BYTES],
            ended: false,
        })
    }

    /// Opens the next chunk: up to 16,384 bytes, fewer only in the last; `None` after the last.
    ///
    /// The input must end with the last chunk: bytes after it are read as part of that chunk or of the next one.
    ///
    /// # Errors
    /// Any [`OpenPayloadError`]. The rest cannot be read after an error.
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, OpenPayloadError> {
        if self.ended {
            return Ok(None);
        }
        let index = self.next_chunk;
        let at = place_of(index);
        if index >= CHUNKS_MAX {
            return Err(OpenPayloadError::TooLong);
        }
        let found = read_full(&mut self.input, &mut self.buffer)?;
        if found < TAG_BYTES {
            return Err(OpenPayloadError::Truncated {
                bytes: at + found as u64,
            });
        }
        let chunk = self.key.open(index, &mut self.buffer[..found]);
        let chunk = chunk.map_err(|_| OpenPayloadError::Chunk { index, at })?;
        self.next_chunk += 1;
        self.ended = chunk.len() < CHUNK_BYTES;
        Ok(Some(chunk))
    }

    /// Opens the remaining chunks. `emit` gets them in order, with their hashes if there is a `hash`, and sealed for another
    /// message if there is a `reseal_key`. All genuine chunks before an error are emitted first.
    ///
    /// # Errors
    /// Any [`OpenPayloadError`], and those of `emit`. The rest cannot be read after an error.
    pub fn for_each<E: From<OpenPayloadError> + Send>(
        &mut self,
        workers: Workers,
        hash: Option<HashChunk>,
        reseal_key: Option<&SealingKey>,
        mut emit: impl FnMut(OpenedChunks<'_>) -> Result<(), E> + Send,
    ) -> Result<(), E>
    where
        R: Send,
    {
        if self.ended {
            return Ok(());
        }
        let (key, input) = (&self.key, &mut self.input);
        let mut next_chunk = self.next_chunk;
        let pipeline = Pipeline {
            read: |batch: &mut Batch| {
                let read = batch.read_sealed(input);
                let is_full = read.map_err(|error| E::from(OpenPayloadError::Io(error)))?;
                batch.first_chunk = next_chunk;
                next_chunk += BATCH_CHUNKS as u64;
                Ok(if is_full { Next::Piece } else { Next::Last })
            },
            process: |batch: &mut Batch| {
                batch.open(key, hash, reseal_key.map(|key| &*key.0));
                Ok(())
            },
            write: |batch: &mut Batch| {
                emit(batch.opened())?;
                match batch.error.take() {
                    None => Ok(()),
                    Some(error) => Err(E::from(OpenPayloadError::from(error))),
                }
            },
        };
        pipeline.run::<_, E>(|| workers.count(hash.is_some()), Batch::new)?;
        self.ended = true;
        Ok(())
    }
}

impl From<ChunkError> for OpenPayloadError {
    fn from(error: ChunkError) -> Self {
        match error {
            ChunkError::Truncated { index, bytes } => Self::Truncated {
                bytes: place_of(index) + bytes as u64,
            },
            ChunkError::Changed { index } => Self::Chunk {
                index,
                at: place_of(index),
            },
            ChunkError::TooLong => Self::TooLong,
        }
    }
}

/// The offset of a chunk in the message.
fn place_of(index: u64) -> u64 {
    HEADER_BYTES as u64 + index * SEALED_CHUNK_BYTES as u64
}

impl<R: Read> Drop for Opener<R> {
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

/// Opens a whole message of less than one chunk.
///
/// # Errors
/// Any [`OpenPayloadError`].
pub fn open_message(
    input_key: &Secret<32>,
    context: &[u8],
    message: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenPayloadError> {
    let mut opener = Opener::new(message, input_key, context)?;
    let mut plaintext = Zeroizing::new(Vec::new());
    while let Some(chunk) = opener.next_chunk()? {
        plaintext.extend_from_slice(chunk);
    }
    Ok(plaintext)
}
