//! Quoted-printable (RFC 2045 §6.7). Every line end is decoded as LF, since CRLF of the content itself is encoded. Blanks
//! before a line end are not content. An `=` without two hexadecimal digits after it is kept.

use super::is_space;

/// The most blanks that are held back until it is known whether a line end follows. A line with more is not quoted-printable
/// and keeps its blanks.
const BLANKS_MAX: usize = 1_000;

/// Decodes quoted-printable byte by byte.
#[derive(Default)]
pub(super) struct QuotedPrintable {
    /// Bytes that are not decoded yet: `=` and a digit, `=` and blanks, or blanks. A CR counts as a blank.
    held: Vec<u8>,
}

impl QuotedPrintable {
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            self.step(*byte, out);
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.holds_digit() {
            self.release(out);
        }
    }

    fn step(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'\n' => self.end_line(out),
            b' ' | b'\t' | b'\r' => self.blank(byte, out),
            b'=' => {
                self.release(out);
                self.held.push(b'=');
            }
            _ if self.held.is_empty() => out.push(byte),
            _ => self.after_held(byte, out),
        }
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        if self.holds_digit() {
            self.release(out);
        }
        let is_soft = self.held.first() == Some(&b'=');
        self.held.clear();
        if !is_soft {
            out.push(b'\n');
        }
    }

    fn blank(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.holds_digit() || self.held.len() == BLANKS_MAX {
            self.release(out);
        }
        self.held.push(byte);
    }

    fn after_held(&mut self, byte: u8, out: &mut Vec<u8>) {
        let digit = hex(byte);
        match (self.held.as_slice(), digit) {
            (b"=", Some(_)) => return self.held.push(byte),
            ([b'=', first], Some(low)) if hex(*first).is_some() => {
                let high = hex(*first).unwrap_or_default();
                out.push(high << 4 | low);
                return self.held.clear();
            }
            _ => {}
        }
        self.release(out);
        out.push(byte);
    }

    fn holds_digit(&self) -> bool {
        self.held.first() == Some(&b'=') && self.held.get(1).is_some_and(|byte| !is_space(*byte))
    }

    fn release(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
    }
}

fn hex(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}
