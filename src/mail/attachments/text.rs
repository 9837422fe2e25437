//! The text around attachments, with its line ends as they were.

use std::io::{self, Write};

use memchr::memchr;

use super::super::message::Eol;

/// Writes text with one kind of line ends, or as it comes.
pub(super) struct Text {
    eol: Option<Eol>,
    /// A CR was the last byte: if an LF follows, it belongs to the line end.
    cr_is_held: bool,
}

impl Text {
    pub(super) fn new(eol: Option<Eol>) -> Self {
        Self {
            eol,
            cr_is_held: false,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let Some(eol) = self.eol else {
            return out.write_all(bytes);
        };
        let mut rest = bytes;
        while let Some(line_feed) = memchr(b'\n', rest) {
            self.write_in_line(&rest[..line_feed], out)?;
            self.cr_is_held = false;
            out.write_all(eol.text().as_bytes())?;
            rest = &rest[line_feed + 1..];
        }
        self.write_in_line(rest, out)
    }

    /// Nothing follows that a CR could belong to.
    pub(super) fn release(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::take(&mut self.cr_is_held) {
            out.write_all(b"\r")?;
        }
        Ok(())
    }

    fn write_in_line(&mut self, text: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.release(out)?;
        let before_cr = text.strip_suffix(b"\r");
        self.cr_is_held = before_cr.is_some();
        out.write_all(before_cr.unwrap_or(text))
    }
}
