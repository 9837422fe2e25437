//! What is read of an opened message while it passes: its header, and whether a further envelope lies in it.

use std::io::{self, Write};

use crate::mail::{HEADER_BYTES_MAX, Header};

/// How a line of an envelope inside begins: base64 of its first line, or that line itself.
const MARKS: [&[u8]; 3] = [b"ZW5jbC8xCn", b"encl/1", b"-----BEGIN ENCL/1-----"];
const MARK_BYTES_MAX: usize = 22;

/// A writer that passes everything on, and keeps what is needed to check the message.
pub struct HeaderTap<W> {
    out: W,
    head: Vec<u8>,
    /// The beginning of the line that is passing.
    line: Vec<u8>,
    holds_envelope: bool,
}

impl<W: Write> HeaderTap<W> {
    /// Passes on to `out`.
    #[must_use]
    pub fn new(out: W) -> Self {
        Self {
            out,
            head: Vec::new(),
            line: Vec::with_capacity(MARK_BYTES_MAX),
            holds_envelope: false,
        }
    }

    /// The writer behind it, the header that passed, and whether an envelope seems to lie inside.
    ///
    /// # Errors
    /// None in practice: the header is read from memory.
    pub fn into_parts(mut self) -> io::Result<(W, Header, bool)> {
        self.end_line();
        let header = Header::read(&mut self.head.as_slice())?;
        Ok((self.out, header, self.holds_envelope))
    }

    fn look(&mut self, bytes: &[u8]) {
        let room = HEADER_BYTES_MAX + 1 - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if self.holds_envelope {
            return;
        }
        let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = lines.next() {
            let room = MARK_BYTES_MAX - self.line.len();
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if lines.peek().is_some() {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        self.holds_envelope |= MARKS.iter().any(|mark| self.line.starts_with(mark));
        self.line.clear();
    }
}

impl<W: Write> Write for HeaderTap<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.look(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_envelope_are_seen_however_the_bytes_come() {
        let text = b"From: alice@example.org\n\nhello\nZW5jbC8xCnsi\n";
        for size in [1, 7, text.len()] {
            let mut tap = HeaderTap::new(Vec::new());
            for piece in text.chunks(size) {
                tap.write_all(piece).unwrap();
            }
            let (out, header, holds_envelope) = tap.into_parts().unwrap();
            assert_eq!(out, text);
            assert_eq!(header.first("From").unwrap().text(), "alice@example.org");
            assert!(holds_envelope);
        }
    }

    #[test]
    fn a_mark_in_the_middle_of_a_line_is_text() {
        let mut tap = HeaderTap::new(io::sink());
        tap.write_all(b"A: b\n\nsay ZW5jbC8xCn\n").unwrap();
        assert!(!tap.into_parts().unwrap().2);
    }
}
