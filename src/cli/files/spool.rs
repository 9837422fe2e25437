//! A message that can be read more than once: a file as it lies there, or what came through a pipe.

use std::fs::File;
use std::io::{self, Read, Write};

use encl::crypto::{CryptoRng, Secret};
use encl::mail::{FileFrom, Reopen, ScanError};
use encl::payload::{OpenPayloadError, Opener, Sealer};

use zeroize::Zeroizing;

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source};

/// Each spool has a key of its own, so that nothing else needs to tell them apart.
const CONTEXT: &[u8] = b"encl spool";

/// One message, to be read from its beginning as often as needed.
pub(crate) enum MessageSource {
    /// A regular file, from where reading began.
    File {
        /// The file, for comparing with targets too.
        source: Source,
        /// Its first byte.
        from: u64,
    },
    /// What came through a pipe, in an unnamed file that only this process can read.
    Spool {
        /// Where it came from.
        source: Source,
        /// What it was.
        spool: Spool,
    },
}

impl MessageSource {
    /// Opens `input`; what can be read only once is read to its end.
    pub(crate) fn open(input: &Input, verb: &str, context: &Context) -> Result<Self, Failure> {
        let opened = Self::open_looking(input, verb, context, |_| Ok(()));
        opened.map(|(source, ())| source)
    }

    /// The same, while `look` goes through it. What came through a pipe is kept as it passes, so that no more of it is taken than
    /// `look` needs to refuse it.
    pub(crate) fn open_looking<T>(
        input: &Input,
        verb: &str,
        context: &Context,
        look: impl FnOnce(&mut dyn Read) -> Result<T, ScanError>,
    ) -> Result<(Self, T), Failure> {
        let source = input.open(verb)?;
        let opened = if source.is_seekable() {
            Self::file_looking(source, look)
        } else {
            Self::spool_looking(source, look, &mut context.rng())
        };
        opened.map_err(|error| not_scanned(input, verb, error))
    }

    fn file_looking<T>(
        mut source: Source,
        look: impl FnOnce(&mut dyn Read) -> Result<T, ScanError>,
    ) -> Result<(Self, T), ScanError> {
        let from = source.place()?;
        let seen = look(&mut FileFrom::reader(&source.file, from))?;
        Ok((Self::File { source, from }, seen))
    }

    fn spool_looking<T>(
        mut source: Source,
        look: impl FnOnce(&mut dyn Read) -> Result<T, ScanError>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, T), ScanError> {
        let mut spool = SpoolWriter::new(rng)?;
        let mut keeping = SpoolMode {
            input: &mut source,
            spool: &mut spool,
        };
        let seen = look(&mut keeping)?;
        io::copy(&mut source, &mut spool)?;
        let spool = spool.finish()?;
        Ok((Self::Spool { source, spool }, seen))
    }

    /// The input itself, to compare with targets.
    pub(crate) fn input(&self) -> &Source {
        match self {
            Self::File { source, .. } | Self::Spool { source, .. } => source,
        }
    }

    /// The length in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::File { source, from } => source.metadata.len().saturating_sub(*from),
            Self::Spool { spool, .. } => spool.bytes,
        }
    }
}

impl Reopen for MessageSource {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        match self {
            Self::File { source, from } => Ok(Box::new(FileFrom::reader(&source.file, *from))),
            Self::Spool { spool, .. } => spool.open(),
        }
    }
}

/// Bytes in a temporary file without a name, sealed under a key that is only in memory: what was to be protected does not come to
/// lie on a disk in clear.
pub(crate) struct Spool {
    file: File,
    key: Secret<32>,
    bytes: u64,
}

/// A spool that is being filled.
pub(crate) struct SpoolWriter {
    sealer: Sealer<File>,
    key: Secret<32>,
    bytes: u64,
}

impl SpoolWriter {
    pub(crate) fn new(rng: &mut dyn CryptoRng) -> io::Result<Self> {
        let key = Secret::random(rng);
        let sealer = Sealer::new(tempfile::tempfile()?, Vec::new(), &key, CONTEXT, rng);
        Ok(Self {
            sealer,
            key,
            bytes: 0,
        })
    }

    pub(crate) fn finish(self) -> io::Result<Spool> {
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
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Reads `input`, and puts what was read into the spool.
struct SpoolMode<'a> {
    input: &'a mut Source,
    spool: &'a mut SpoolWriter,
}

impl Read for SpoolMode<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.spool.write_all(&buffer[..count])?;
        Ok(count)
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

/// "cannot VERB NAME", because it is too intricate or cannot be read.
pub(crate) fn not_scanned(input: &Input, verb: &str, error: ScanError) -> Failure {
    match error {
        ScanError::Read(error) => input.cannot(verb, Exit::Failed).reason(io_message(&error)),
        limit @ ScanError::OverLimit { .. } => {
            let mut failure = input.cannot(verb, Exit::Damaged).reason(limit.to_string());
            failure.class = Some("over-limit");
            failure
        }
    }
}

/// "cannot VERB NAME", because no temporary file could be had.
pub(crate) fn not_spooled(input: &Input, verb: &str, error: &io::Error) -> Failure {
    let because = format!(
        "it cannot be stored in a temporary file: {}",
        io_message(error)
    );
    input.cannot(verb, Exit::Failed).reason(because)
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
