//! Bytes in a temporary file that can be read more than once, encrypted under a key that is only in memory.

use std::fs::File;
use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::crypto::{CryptoRng, Secret};
use crate::mail::{FileFrom, Reopen};
use crate::payload::{OpenPayloadError, Opener, Sealer};

/// Each spool has a key of its own, so that nothing else needs to tell them apart.
const CONTEXT: &[u8] = b"encl spool";

/// Bytes in a temporary file without a name, encrypted: what is to be protected is never on a disk in clear.
pub struct Spool {
    file: File,
    key: Secret<32>,
    bytes: u64,
}

/// Writes a [`Spool`].
pub struct SpoolWriter {
    sealer: Sealer<File>,
    key: Secret<32>,
    bytes: u64,
}

impl SpoolWriter {
    /// Begins with nothing written.
    ///
    /// # Errors
    /// When there can be no temporary file.
    pub fn new(rng: &mut dyn CryptoRng) -> io::Result<Self> {
        let key = Secret::random(rng);
        let sealer = Sealer::new(tempfile::tempfile()?, Vec::new(), &key, CONTEXT, rng);
        Ok(Self {
            sealer,
            key,
            bytes: 0,
        })
    }

    /// What was written.
    ///
    /// # Errors
    /// When it cannot be written to its end.
    pub fn finish(self) -> io::Result<Spool> {
        Ok(Spool {
            file: self.sealer.finish()?,
            key: self.key,
            bytes: self.bytes,
        })
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.sealer.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sealer.flush()
    }
}

impl Spool {
    /// The length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Reopen for Spool {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        let sealed = FileFrom::reader(&self.file, 0);
        let opener = Opener::new(sealed, &self.key, CONTEXT);
        Ok(Box::new(Unspooled {
            opener: opener.map_err(unreadable)?,
            chunk: Zeroizing::new(Vec::new()),
            at: 0,
        }))
    }
}

struct Unspooled<R: Read> {
    opener: Opener<R>,
    chunk: Zeroizing<Vec<u8>>,
    at: usize,
}

impl<R: Read> Read for Unspooled<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            self.at = 0;
            self.chunk.clear();
            if let Some(chunk) = self.opener.next_chunk().map_err(unreadable)? {
                self.chunk.extend_from_slice(chunk);
            }
        }
        let count = buffer.len().min(self.chunk.len() - self.at);
        buffer[..count].copy_from_slice(&self.chunk[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

fn unreadable(error: OpenPayloadError) -> io::Error {
    match error {
        OpenPayloadError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_gives_the_same_bytes_again_and_holds_none_in_clear() {
        let bytes = b"for nobody else's eyes\n".repeat(5_000);
        let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
        let mut spool = SpoolWriter::new(&mut rng).unwrap();
        spool.write_all(&bytes).unwrap();
        let spool = spool.finish().unwrap();
        assert_eq!(spool.bytes, bytes.len() as u64);
        for _ in 0..2 {
            let mut read = Vec::new();
            spool.open().unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, bytes);
        }
        let mut stored = Vec::new();
        let mut file = FileFrom::reader(&spool.file, 0);
        file.read_to_end(&mut stored).unwrap();
        assert!(!stored.windows(11).any(|window| window == b"for nobody "));
    }
}
