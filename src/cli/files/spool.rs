//! A message that can be read more than once: a file as it lies there, or what came through a pipe.

use std::io::{self, Read, Write};

use encl::crypto::CryptoRng;
use encl::mail::{FileFrom, Reopen, ScanError};
use encl::operations::mail::spool::{Spool, SpoolWriter};

use crate::cli::errors::Exit;
use crate::cli::errors::Failure;
use crate::cli::errors::io_message;
use crate::cli::errors::mail;
use crate::cli::files::input::{Input, Source};

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
    pub(crate) fn open(
        input: &Input,
        verb: &str,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, Failure> {
        let opened = Self::open_looking(input, verb, rng, |_| Ok(()));
        opened.map(|(source, ())| source)
    }

    /// The same, while `look` goes through it. What came through a pipe is kept as it passes, so that no more of it is taken than
    /// `look` needs to refuse it.
    pub(crate) fn open_looking<T>(
        input: &Input,
        verb: &str,
        rng: &mut dyn CryptoRng,
        look: impl FnOnce(&mut dyn Read) -> Result<T, ScanError>,
    ) -> Result<(Self, T), Failure> {
        let source = input.open(verb)?;
        let opened = if source.is_seekable() {
            Self::file_looking(source, look)
        } else {
            Self::spool_looking(source, look, rng)
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
        let mut spooling = SpoolingReader {
            input: &mut source,
            spool: &mut spool,
        };
        let seen = look(&mut spooling)?;
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
            Self::Spool { spool, .. } => spool.bytes(),
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

/// Reads `input`, and writes what was read to the spool.
struct SpoolingReader<'a> {
    input: &'a mut Source,
    spool: &'a mut SpoolWriter,
}

impl Read for SpoolingReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.spool.write_all(&buffer[..count])?;
        Ok(count)
    }
}

/// "cannot VERB NAME", because it is too intricate or cannot be read.
pub(crate) fn not_scanned(input: &Input, verb: &str, error: ScanError) -> Failure {
    mail::not_scanned(error, &|exit| input.cannot(verb, exit))
}

/// "cannot VERB NAME", because no temporary file could be had.
pub(crate) fn not_spooled(input: &Input, verb: &str, error: &io::Error) -> Failure {
    let because = format!(
        "it cannot be stored in a temporary file: {}",
        io_message(error)
    );
    input.cannot(verb, Exit::Failed).reason(because)
}
