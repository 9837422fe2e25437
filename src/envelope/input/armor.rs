//! The text form: base64 of a whole envelope in lines of 64 columns between two marker lines.
//!
//! Writing and reading are strict and streaming; there is one text for each envelope, but for LF or CRLF.

use std::io::{self, BufRead, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(in crate::envelope) const BEGIN: &[u8] = b"-----BEGIN ENCL/1-----";
const END: &[u8] = b"-----END ENCL/1-----";
/// The last line, as a writer makes it.
pub(super) const END_LINE: &[u8] = b"-----END ENCL/1-----\n";
const COLUMNS: usize = 64;
/// Bytes that one full line holds.
const LINE_BYTES: usize = 48;
/// Lines that are encoded in one go.
const LINES: usize = 256;

/// What is wrong with an armored text. It travels through [`Read`] inside an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::envelope) enum ArmorError {
    #[error("the armor has no END line")]
    Truncated,
    #[error("the armor's line ends are mixed")]
    LineEnds,
    #[error("a line of the armor has not 64 columns")]
    Columns,
    #[error("a line of the armor is not base64")]
    Base64,
    #[error("text follows the armor's END line")]
    Trailing,
}

impl From<ArmorError> for io::Error {
    fn from(error: ArmorError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Writes an envelope as text; [`ArmorWriter::finish`] writes the END line.
pub struct ArmorWriter<W: Write> {
    out: W,
    bytes: Vec<u8>,
    text: Vec<u8>,
}

impl<W: Write> ArmorWriter<W> {
    /// Writes the BEGIN line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(BEGIN)?;
        out.write_all(b"\n")?;
        Ok(Self {
            out,
            bytes: Vec::with_capacity(LINES * LINE_BYTES),
            text: Vec::new(),
        })
    }

    /// Writes what is left and the END line, and returns `out`, not flushed.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_lines()?;
        self.out.write_all(END)?;
        self.out.write_all(b"\n")?;
        Ok(self.out)
    }

    fn write_lines(&mut self) -> io::Result<()> {
        self.text.clear();
        let mut columns = [0; COLUMNS];
        for line in self.bytes.chunks(LINE_BYTES) {
            let used = STANDARD
                .encode_slice(line, &mut columns)
                .expect("48 bytes are 64 columns");
            self.text.extend_from_slice(&columns[..used]);
            self.text.push(b'\n');
        }
        self.bytes.clear();
        self.out.write_all(&self.text)
    }
}

impl<W: Write> Write for ArmorWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.len().min(LINES * LINE_BYTES - self.bytes.len());
        self.bytes.extend_from_slice(&data[..taken]);
        if self.bytes.len() == LINES * LINE_BYTES {
            self.write_lines()?;
        }
        Ok(taken)
    }

    /// Does nothing: a line goes out when it is full, never early.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the bytes of an armored envelope; `input` stands behind the BEGIN text, before its line end.
pub(in crate::envelope) struct ArmorReader<R: BufRead> {
    input: R,
    state: State,
    line_end: Option<LineEnd>,
    bytes: [u8; LINE_BYTES],
    /// The part of `bytes` that is still to be handed out.
    at: usize,
    end: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeFirstLine,
    Full,
    /// The last line was short or padded: only END may follow.
    Short,
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Lf,
    CrLf,
}

impl<R: BufRead> ArmorReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            state: State::BeforeFirstLine,
            line_end: None,
            bytes: [0; LINE_BYTES],
            at: 0,
            end: 0,
        }
    }

    /// Decodes the next line; afterwards bytes are there, or the text has ended.
    fn next_line(&mut self) -> io::Result<()> {
        let mut line = [0; COLUMNS + 2];
        if self.state == State::BeforeFirstLine {
            if !self.read_line(&mut line)?.is_empty() {
                return Err(ArmorError::Columns.into());
            }
            self.state = State::Full;
        }
        let text = self.read_line(&mut line)?;
        if text == END {
            self.state = State::Ended;
            return self.expect_blank_rest();
        }
        if self.state == State::Short || text.is_empty() || text.starts_with(b"-") {
            return Err(ArmorError::Columns.into());
        }
        let used = STANDARD
            .decode_slice(text, &mut self.bytes)
            .map_err(|_| ArmorError::Base64)?;
        (self.at, self.end) = (0, used);
        if used < LINE_BYTES {
            self.state = State::Short;
        }
        Ok(())
    }

    /// Reads one line of at most 64 columns and returns it without its line end.
    fn read_line<'l>(&mut self, line: &'l mut [u8; COLUMNS + 2]) -> io::Result<&'l [u8]> {
        let mut used = 0;
        loop {
            let Some(byte) = self.read_byte()? else {
                // An END line needs no line end of its own.
                return if &line[..used] == END {
                    Ok(&line[..used])
                } else {
                    Err(ArmorError::Truncated.into())
                };
            };
            if byte == b'\n' {
                break;
            }
            if used == line.len() {
                return Err(ArmorError::Columns.into());
            }
            line[used] = byte;
            used += 1;
        }
        let (text, end) = match line[..used].split_last() {
            Some((b'\r', text)) => (text.len(), LineEnd::CrLf),
            _ => (used, LineEnd::Lf),
        };
        if *self.line_end.get_or_insert(end) != end {
            return Err(ArmorError::LineEnds.into());
        }
        if text > COLUMNS {
            return Err(ArmorError::Columns.into());
        }
        Ok(&line[..text])
    }

    fn read_byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.input.fill_buf()?.first().copied();
        self.input.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    /// After END only blank lines may follow.
    fn expect_blank_rest(&mut self) -> io::Result<()> {
        loop {
            let rest = self.input.fill_buf()?;
            if rest.is_empty() {
                return Ok(());
            }
            if !rest
                .iter()
                .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
            {
                return Err(ArmorError::Trailing.into());
            }
            let used = rest.len();
            self.input.consume(used);
        }
    }
}

impl<R: BufRead> Read for ArmorReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.end {
            if self.state == State::Ended || out.is_empty() {
                return Ok(0);
            }
            self.next_line()?;
        }
        let count = out.len().min(self.end - self.at);
        out[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armored(bytes: &[u8]) -> Vec<u8> {
        let mut writer = ArmorWriter::new(Vec::new()).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn read(text: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        ArmorReader::new(text.strip_prefix(BEGIN).unwrap())
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    }

    fn refusal(text: &[u8]) -> ArmorError {
        let error = read(text).unwrap_err();
        *error.get_ref().unwrap().downcast_ref().unwrap()
    }

    #[test]
    fn every_length_comes_back_with_lf_and_crlf() {
        for len in (0..200).chain([12_287, 12_288, 12_289, 30_000]) {
            let bytes: Vec<u8> = (0..=255).cycle().take(len).collect();
            let text = armored(&bytes);
            assert_eq!(read(&text).unwrap(), bytes);
            let crlf = String::from_utf8(text).unwrap().replace('\n', "\r\n");
            assert_eq!(read(crlf.as_bytes()).unwrap(), bytes);
            assert_eq!(read(crlf.trim_end().as_bytes()).unwrap(), bytes);
            assert_eq!(read(format!("{crlf}\n  \r\n").as_bytes()).unwrap(), bytes);
        }
    }

    #[test]
    fn what_transport_does_is_refused() {
        let text = String::from_utf8(armored(&[7; 100])).unwrap();
        let mixed = text.replacen('\n', "\r\n", 1);
        assert_eq!(refusal(mixed.as_bytes()), ArmorError::LineEnds);
        assert_eq!(refusal(format!("{text}x").as_bytes()), ArmorError::Trailing);
        assert_eq!(
            refusal(text.replace("BwcH\n", "Bwc\nH\n").as_bytes()),
            ArmorError::Base64
        );
        assert_eq!(
            refusal(text.replacen("BwcH", "Bw H", 1).as_bytes()),
            ArmorError::Base64
        );
        assert_eq!(
            refusal(text.replacen("BwcH", "BwcHBwcH", 1).as_bytes()),
            ArmorError::Columns
        );
        assert_eq!(
            refusal(text.replace("Bw==", "Bx==").as_bytes()),
            ArmorError::Base64
        );
        for cut in BEGIN.len()..text.len() - 1 {
            assert_eq!(
                refusal(&text.as_bytes()[..cut]),
                ArmorError::Truncated,
                "cut at {cut}"
            );
        }
    }
}
