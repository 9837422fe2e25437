//! Where armor begins in a text, and where it ends: with its END line. Reading it is the envelope's business, which allows nothing
//! before and behind.

use std::io::{self, Read};

use memchr::memchr;

use super::super::transfer::TrailingText;

const BEGIN: &[u8] = b"-----BEGIN ENCL/1-----";
const END: &[u8] = b"-----END ENCL/1-----";

/// Looks for the BEGIN line in the text that passes.
#[derive(Default)]
pub(super) struct ArmorBegin {
    /// The beginning of the line that is passing, up to one byte more than would fit.
    line: Vec<u8>,
    /// Bytes of all lines before that one.
    before: u64,
    /// Bytes of the line so far.
    line_bytes: u64,
}

impl ArmorBegin {
    /// Takes the next bytes; gives the place in them behind the BEGIN line, once that has passed.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut passed = 0;
        while passed < bytes.len() {
            let rest = &bytes[passed..];
            let line_feed = memchr(b'\n', rest);
            let text = &rest[..line_feed.unwrap_or(rest.len())];
            let room = BEGIN.len() + 2 - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            let taken = text.len() + usize::from(line_feed.is_some());
            passed += taken;
            self.line_bytes += taken as u64;
            if line_feed.is_some() {
                if self.line.strip_suffix(b"\r").unwrap_or(&self.line) == BEGIN {
                    return Some(passed);
                }
                self.before += std::mem::take(&mut self.line_bytes);
                self.line.clear();
            }
        }
        None
    }

    /// How many bytes stood before the BEGIN line.
    pub(super) fn leading_bytes(&self) -> u64 {
        self.before
    }
}

/// Looks for the END line in bytes that pass.
#[derive(Default)]
pub(super) struct ArmorEnd {
    /// The beginning of the line that is passing, up to one byte more than would fit.
    line: Vec<u8>,
    has_ended: bool,
    trailing: TrailingText,
}

impl ArmorEnd {
    /// Takes the next bytes and returns how many of them are armor.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while passed < bytes.len() && !self.has_ended {
            let rest = &bytes[passed..];
            let line_feed = memchr(b'\n', rest);
            let text = &rest[..line_feed.unwrap_or(rest.len())];
            let room = END.len() + 2 - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            passed += text.len() + usize::from(line_feed.is_some());
            if line_feed.is_some() {
                self.has_ended = self.line.strip_suffix(b"\r").unwrap_or(&self.line) == END;
                self.line.clear();
            }
        }
        self.trailing.count(if self.has_ended {
            &bytes[passed..]
        } else {
            b""
        });
        passed
    }

    pub(super) fn trailing_bytes(&self) -> u64 {
        self.trailing.bytes
    }
}

/// Reads armor up to its END line.
pub(super) struct UpToEnd<R> {
    text: R,
    /// What is still to be left out before.
    leading_bytes: u64,
    end: ArmorEnd,
}

impl<R: Read> UpToEnd<R> {
    pub(super) fn new(text: R, leading_bytes: u64) -> Self {
        Self {
            text,
            leading_bytes,
            end: ArmorEnd::default(),
        }
    }
}

impl<R: Read> Read for UpToEnd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.end.has_ended {
            return Ok(0);
        }
        let leading = std::mem::take(&mut self.leading_bytes);
        io::copy(&mut self.text.by_ref().take(leading), &mut io::sink())?;
        let count = self.text.read(out)?;
        Ok(self.end.pass(&out[..count]))
    }
}
