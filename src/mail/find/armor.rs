//! Where armor ends: with its END line. Reading it is the envelope's business, which allows nothing behind.

use std::io::{self, Read};

use memchr::memchr;

use super::super::transfer::TrailingText;

const END: &[u8] = b"-----END ENCL/1-----";

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
    end: ArmorEnd,
}

impl<R: Read> UpToEnd<R> {
    pub(super) fn new(text: R) -> Self {
        Self {
            text,
            end: ArmorEnd::default(),
        }
    }
}

impl<R: Read> Read for UpToEnd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.end.has_ended {
            return Ok(0);
        }
        let count = self.text.read(out)?;
        Ok(self.end.pass(&out[..count]))
    }
}
