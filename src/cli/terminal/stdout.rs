//! Standard output as a place for data: every write and the end are checked.

use std::fs::File;
use std::io::{self, IoSlice, IsTerminal, Write};
use std::os::fd::AsFd;

use crate::cli::process::descriptors::Standard;
use crate::cli::terminal::blocking::Blocking;
use crate::cli::terminal::{escape, fit};
use clap::builder::StyledStr;

/// Why standard output did not take the data.
#[derive(Debug, thiserror::Error)]
#[error("cannot write standard output")]
pub(crate) struct StdoutError(#[from] pub(crate) io::Error);

/// The columns of standard output, if it is a terminal.
pub(crate) fn columns() -> Option<usize> {
    fit::columns(io::stdout())
}

/// Standard output without the standard library's buffer, which hides errors (it takes a closed descriptor for
/// success).
pub(crate) struct Stdout {
    file: File,
    /// Text that came without its last bytes, on a terminal only.
    rest: Option<Vec<u8>>,
}

impl Stdout {
    /// Opens standard output for data. It must not have been closed.
    pub(crate) fn open() -> Result<Self, StdoutError> {
        if Standard::Output.was_closed() {
            return Err(io::Error::other("it is closed").into());
        }
        let stdout = io::stdout();
        let file = File::from(stdout.as_fd().try_clone_to_owned()?);
        let rest = file.is_terminal().then(Vec::new);
        Ok(Self { file, rest })
    }

    /// Finds out that standard output cannot take data before anything is done for it.
    pub(crate) fn check() -> Result<(), StdoutError> {
        Self::open().map(drop)
    }

    /// The open file, to be compared with an input.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    fn stream(&self) -> Blocking<&File> {
        Blocking(&self.file)
    }

    /// Writes all of `bytes` and says so if that was not possible.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), StdoutError> {
        self.write_all(bytes)?;
        Ok(self.flush()?)
    }

    /// Writes our own text, which may carry colours, as far as the terminal shows them.
    pub(crate) fn put_styled(&mut self, text: &StyledStr) -> Result<(), StdoutError> {
        let text = match anstream::AutoStream::choice(&self.file) {
            anstream::ColorChoice::Never => text.to_string(),
            _ => text.ansi().to_string(),
        };
        Ok(self.stream().write_all(text.as_bytes())?)
    }

    /// Refuses what a terminal would obey; characters may be cut between two writes.
    fn check_text(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(rest) = &mut self.rest else {
            return Ok(());
        };
        rest.extend_from_slice(bytes);
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => return Err(not_text()),
        };
        if valid
            .chars()
            .any(|c| escape::is_hazard(c) && !matches!(c, '\n' | '\t' | '\r'))
        {
            return Err(not_text());
        }
        let end = valid.len();
        rest.drain(..end);
        Ok(())
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check_text(bytes)?;
        self.stream().write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.rest.is_none() {
            return self.stream().write_vectored(slices);
        }
        let slice = slices.iter().find(|slice| !slice.is_empty());
        slice.map_or(Ok(0), |slice| self.write(slice))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn not_text() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "this is not plain text, and standard output is a terminal; use -o FILE, or a pipe",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal() -> Stdout {
        Stdout {
            file: File::options().write(true).open("/dev/null").unwrap(),
            rest: Some(Vec::new()),
        }
    }

    #[test]
    fn a_terminal_gets_text_even_when_a_letter_is_cut_in_two() {
        let mut out = terminal();
        out.put(b"Gr\xc3").unwrap();
        out.put(b"\xb6\xc3\x9fe\n").unwrap();
        assert_eq!(out.rest.as_deref(), Some(&b""[..]));
    }

    #[test]
    fn a_terminal_never_gets_escapes_or_bytes() {
        assert!(terminal().put(b"\x1b[2J").is_err());
        assert!(terminal().put(b"\xff\xfe").is_err());
        assert!(terminal().put("\u{202e}".as_bytes()).is_err());
    }
}
