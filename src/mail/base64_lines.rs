//! Base64 in lines of 76 columns, as bytes come (RFC 2045 §6.8).

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::message::Eol;

/// Bytes that make one line of 76 columns.
const LINE_BYTES: usize = 57;
/// Lines that go out in one write.
const BATCH_LINES: usize = 512;

/// Writes base64 to `out`; [`Base64Lines::finish`] ends the last line.
pub struct Base64Lines<W: Write> {
    out: W,
    eol: Eol,
    /// Bytes that wait for the rest of their batch.
    waiting: Vec<u8>,
}

impl<W: Write> Base64Lines<W> {
    /// Begins with nothing written.
    pub fn new(out: W, eol: Eol) -> Self {
        Self {
            out,
            eol,
            waiting: Vec::with_capacity(LINE_BYTES * BATCH_LINES),
        }
    }

    /// Writes what is left, ends the line, and returns `out`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_lines()?;
        Ok(self.out)
    }

    fn write_lines(&mut self) -> io::Result<()> {
        let mut text = String::with_capacity(self.waiting.len() / LINE_BYTES * 78 + 80);
        for line in self.waiting.chunks(LINE_BYTES) {
            STANDARD.encode_string(line, &mut text);
            text.push_str(self.eol.text());
        }
        self.waiting.clear();
        self.out.write_all(text.as_bytes())
    }
}

impl<W: Write> Write for Base64Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = LINE_BYTES * BATCH_LINES - self.waiting.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.waiting.extend_from_slice(taken);
        if self.waiting.len() == LINE_BYTES * BATCH_LINES {
            self.write_lines()?;
        }
        Ok(taken.len())
    }

    /// A line cannot be ended early, so only complete lines are passed on.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_76_columns_whatever_the_writes() {
        let bytes: Vec<u8> = (0..=255)
            .cycle()
            .take(LINE_BYTES * BATCH_LINES + 100)
            .collect();
        for size in [1, 56, 57, 58, 40_000] {
            let mut out = Base64Lines::new(Vec::new(), Eol::CrLf);
            for piece in bytes.chunks(size) {
                out.write_all(piece).unwrap();
            }
            let text = String::from_utf8(out.finish().unwrap()).unwrap();
            let lines: Vec<&str> = text.split_terminator("\r\n").collect();
            let (last, full) = lines.split_last().unwrap();
            assert!(full.iter().all(|line| line.len() == 76) && last.len() <= 76);
            assert_eq!(STANDARD.decode(lines.concat()).unwrap(), bytes);
        }
    }

    #[test]
    fn nothing_is_no_line() {
        assert!(
            Base64Lines::new(Vec::new(), Eol::Lf)
                .finish()
                .unwrap()
                .is_empty()
        );
    }
}
