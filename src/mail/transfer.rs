//! Streaming decoders for transfer encodings (RFC 2045 §6). They tolerate what transport does to a body. They find the exact
//! end of the content: text that was appended to it is counted, never decoded.

mod base64;
mod quoted_printable;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use self::base64::Base64;
use self::quoted_printable::QuotedPrintable;
use super::scan::Encoding;

/// Bytes of one read.
const BUFFER_BYTES: usize = 64 << 10;

/// Decodes a body that is pushed in, in pieces of any size.
pub struct Decoder {
    coding: Coding,
    trailing: TrailingText,
}

enum Coding {
    Identity,
    Base64(Base64),
    QuotedPrintable(QuotedPrintable),
}

impl Decoder {
    /// A decoder at the beginning of a body. A body in an unknown encoding is passed through unchanged.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        let coding = match encoding {
            Encoding::Base64 => Coding::Base64(Base64::default()),
            Encoding::QuotedPrintable => Coding::QuotedPrintable(QuotedPrintable::default()),
            Encoding::SevenBit | Encoding::EightBit | Encoding::Binary | Encoding::Other => {
                Coding::Identity
            }
        };
        Self {
            coding,
            trailing: TrailingText::default(),
        }
    }

    /// Decodes the next bytes of the body, and appends to `out` as much as is certain.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.coding {
            Coding::Identity => out.extend_from_slice(bytes),
            Coding::Base64(decoder) => decoder.push(bytes, out, &mut self.trailing),
            Coding::QuotedPrintable(decoder) => decoder.push(bytes, out),
        }
    }

    /// Ends the body, and appends the rest of its content.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        match &mut self.coding {
            Coding::Identity => {}
            Coding::Base64(decoder) => decoder.finish(out, &mut self.trailing),
            Coding::QuotedPrintable(decoder) => decoder.finish(out),
        }
    }

    /// The number of bytes after the end of the base64, without blanks and line ends around them.
    #[must_use]
    pub fn trailing_bytes(&self) -> u64 {
        self.trailing.bytes
    }
}

/// Reads the decoded content of an encoded body.
pub struct Decoded<R> {
    body: R,
    decoder: Decoder,
    read: Vec<u8>,
    content: Vec<u8>,
    /// How many bytes of `content` were handed out.
    taken: usize,
    is_over: bool,
}

impl<R: Read> Decoded<R> {
    /// Decodes the bytes that are read from `body`.
    pub fn new(body: R, encoding: Encoding) -> Self {
        Self {
            body,
            decoder: Decoder::new(encoding),
            read: vec![0; BUFFER_BYTES],
            content: Vec::new(),
            taken: 0,
            is_over: false,
        }
    }

    /// [`Decoder::trailing_bytes`] of what was read so far.
    #[must_use]
    pub fn trailing_bytes(&self) -> u64 {
        self.decoder.trailing_bytes()
    }

    fn decode_more(&mut self) -> io::Result<()> {
        self.taken = 0;
        self.content.clear();
        let count = self.body.read(&mut self.read)?;
        if count == 0 {
            self.is_over = true;
            self.decoder.finish(&mut self.content);
        } else {
            self.decoder.push(&self.read[..count], &mut self.content);
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.content.len() {
            if self.is_over || out.is_empty() {
                return Ok(0);
            }
            self.decode_more()?;
        }
        let count = out.len().min(self.content.len() - self.taken);
        out[..count].copy_from_slice(&self.content[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// Counts the bytes after the end of the content, from the first to the last byte that is neither blank nor line end.
#[derive(Default)]
pub(super) struct TrailingText {
    pub(super) bytes: u64,
    /// Blanks and line ends after the last counted byte. They count if another byte follows.
    blanks: u64,
}

impl TrailingText {
    pub(super) fn count(&mut self, bytes: &[u8]) {
        let is_text = |byte: &u8| !is_space(*byte);
        let Some(last) = bytes.iter().rposition(is_text) else {
            self.blanks += bytes.len() as u64;
            return;
        };
        let first = match self.bytes {
            0 => bytes.iter().position(is_text).unwrap_or(last),
            _ => 0,
        };
        let blanks = if self.bytes == 0 { 0 } else { self.blanks };
        self.bytes += blanks + (last + 1 - first) as u64;
        self.blanks = (bytes.len() - last - 1) as u64;
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
