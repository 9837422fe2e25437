//! Where a header ends for some readers and not for others.
//!
//! What follows such a line is header for one reader and text for the next. CPython and mutt end the header at a line that is no
//! field, Postfix too; some end it at a line of blanks; CPython takes a bare CR for a line end, so two of them are an empty line;
//! C programs read up to a NUL. A name with a blank before its colon is a field for Postfix and Dovecot, and text for CPython
//! and mutt.

use std::fmt;

use memchr::memchr;

use super::{is_blank, without_line_end};

/// What a line at which some readers end a header is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Neither a field nor a continuation of one.
    NoField,
    /// A field with a blank before its colon.
    BlankBeforeColon,
    /// A line of blanks only.
    Blanks,
    /// A continuation, where there is no field before.
    NothingToContinue,
    /// It holds a CR that is no part of its line end.
    BareCr,
    /// It holds a control that is a line end, or the end of all text, for some.
    Control,
}

/// Reads as the end of a sentence about the line.
impl fmt::Display for Doubt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoField => "is no header field",
            Self::BlankBeforeColon => "has a blank before its colon",
            Self::Blanks => "holds nothing but blanks",
            Self::NothingToContinue => "begins with a blank and continues no field",
            Self::BareCr => "holds a carriage return that ends no line",
            Self::Control => "holds a control character",
        })
    }
}

/// The first line that is a reason for doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoubtfulLine {
    /// Its number, from 1.
    pub line: usize,
    /// What it is.
    pub doubt: Doubt,
    /// Where it begins in the header block.
    pub(super) at: usize,
}

/// Finds the first line of a header block of which readers differ whether the header goes on.
pub(super) fn first(block: &[u8]) -> Option<DoubtfulLine> {
    let (mut at, mut line) = (0, 1);
    let mut has_field = false;
    while at < block.len() {
        let end = memchr(b'\n', &block[at..]).map_or(block.len(), |found| at + found + 1);
        let text = without_line_end(&block[at..end]);
        if text.is_empty() && end == block.len() {
            return None;
        }
        let is_from_line = line == 1 && is_from_line(text);
        let doubt =
            doubt(text, has_field).filter(|doubt| *doubt != Doubt::NoField || !is_from_line);
        if let Some(doubt) = doubt {
            return Some(DoubtfulLine { line, doubt, at });
        }
        has_field |= !is_from_line;
        (at, line) = (end, line + 1);
    }
    None
}

fn doubt(line: &[u8], has_field: bool) -> Option<Doubt> {
    if line.contains(&b'\r') {
        return Some(Doubt::BareCr);
    }
    // NUL, and what Unicode's rules and Python's `splitlines` take for line ends.
    if line
        .iter()
        .any(|byte| matches!(byte, 0 | 0x0B | 0x0C | 0x1C..=0x1E))
    {
        return Some(Doubt::Control);
    }
    if line.iter().all(|byte| is_blank(*byte)) {
        return Some(Doubt::Blanks);
    }
    if is_blank(line[0]) {
        return (!has_field).then_some(Doubt::NothingToContinue);
    }
    let name = memchr(b':', line).map_or(&line[..0], |colon| &line[..colon]);
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    match name.trim_ascii_end() {
        _ if is_name(name) => None,
        trimmed if is_name(trimmed) => Some(Doubt::BlankBeforeColon),
        _ => Some(Doubt::NoField),
    }
}

/// A line `From …` as an mbox has it in front of a message, with a time of day; any text may begin with that word.
fn is_from_line(line: &[u8]) -> bool {
    let is_time = |word: &[u8]| {
        let digit = |at: usize| word.get(at).is_some_and(u8::is_ascii_digit);
        digit(0) && digit(1) && word.get(2) == Some(&b':') && digit(3) && digit(4)
    };
    line.starts_with(b"From ") && line.split(|byte| *byte == b' ').any(is_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_all_read_alike_is_certain() {
        for header in [
            "",
            "\n",
            "\r\n",
            "A: b\n\n",
            "A: b\r\n c\r\n\td\r\n\r\n",
            "A: b",
            "A:\n b\nC:d\n",
            "From a@b Mon 10:00:00\nTo: bob\n\n",
            "A: \u{fc}\n\n",
            "A: \x1b$B\n\n",
        ] {
            assert_eq!(first(header.as_bytes()), None, "{header:?}");
        }
    }

    #[test]
    fn the_first_line_of_doubt_is_found() {
        for (header, line, doubt) in [
            ("hello\n", 1, Doubt::NoField),
            ("From the lawyer\nCc: bob\n", 1, Doubt::NoField),
            (">From a@b Mon 10:00:00\nCc: bob\n", 1, Doubt::NoField),
            ("A: b\nFrom a@b Mon 10:00:00\n", 2, Doubt::NoField),
            ("A: b\n: c\n", 2, Doubt::NoField),
            ("A: b\nt\u{fc}r: c\n", 2, Doubt::NoField),
            ("A: b\ntwo words: c\n", 2, Doubt::NoField),
            ("A: b\nC : d\n", 2, Doubt::BlankBeforeColon),
            ("A: b\n \nC: d\n", 2, Doubt::Blanks),
            ("A: b\n c\n\t\n", 3, Doubt::Blanks),
            (" b\nC: d\n", 1, Doubt::NothingToContinue),
            ("From a@b 10:00\n b\nC: d\n", 2, Doubt::NothingToContinue),
            ("A: b\rC: d\n", 1, Doubt::BareCr),
            ("A: b\r\r\nC: d\r\r\n", 1, Doubt::BareCr),
            ("From a@b 10:00\rC: d\n", 1, Doubt::BareCr),
            ("A: b\nC: \0\n", 2, Doubt::Control),
            ("A: b\nC: \x0cd\n", 2, Doubt::Control),
        ] {
            let found = first(header.as_bytes()).unwrap();
            assert_eq!((found.line, found.doubt), (line, doubt), "{header:?}");
        }
    }
}
