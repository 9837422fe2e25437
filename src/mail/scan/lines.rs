//! The lines of a message, fed in pieces of any size: which are delimiters, and which bytes belong to what is between them.
//! What these mean is tree.rs.

use memchr::memchr;

use super::super::header::is_blank;
use super::tree::Tree;
use super::{BLANK_BYTES_MAX, Nested, ScanError, Structure, Visitor};
use crate::envelope::LineEnds;

/// Blanks behind a boundary, in bytes. They have to be held, since text behind them would make the line an ordinary one.
pub(super) const PADDING_BYTES_MAX: usize = 64 << 10;

/// Where the next byte stands in its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// At its beginning, or in one that may still be a delimiter: that much is in `Lines::held`.
    Undecided,
    /// In one that is no delimiter.
    Plain,
}

/// Cuts a message into lines.
pub(super) struct Lines<'w> {
    tree: Tree<'w>,
    line: Line,
    /// Where the next byte stands in the message, and where its line began.
    at: u64,
    line_start: u64,
    /// The line end before this line, and whether it has still to be handed on: with a delimiter behind it, it is not.
    line_end: LineEnd,
    line_end_is_held: bool,
    /// The beginning of a line that may be a delimiter.
    held: Vec<u8>,
    /// A CR was the last byte, and is not yet handed on: an LF may follow.
    cr_is_held: bool,
    seen: Option<LineEnds>,
    /// How many blanks and line ends came last.
    blanks: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    /// This is the first line.
    None,
    Lf,
    CrLf,
}

impl LineEnd {
    fn text(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
        }
    }
}

impl<'w> Lines<'w> {
    pub(super) fn new(nested: Nested, visitor: &'w mut dyn Visitor) -> Self {
        Self {
            tree: Tree::new(nested, visitor),
            line: Line::Undecided,
            at: 0,
            line_start: 0,
            line_end: LineEnd::None,
            line_end_is_held: false,
            held: Vec::new(),
            cr_is_held: false,
            seen: None,
            blanks: 0,
        }
    }

    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), ScanError> {
        self.count_blanks(piece)?;
        let mut rest = piece;
        while !rest.is_empty() {
            let taken = match self.line {
                Line::Undecided => self.undecided(rest)?,
                Line::Plain => self.plain(self.at, rest)?,
            };
            self.at += taken as u64;
            rest = &rest[taken..];
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Structure, ScanError> {
        let line = std::mem::take(&mut self.held);
        if !self.delimit(&line, self.at)? && !line.is_empty() {
            self.release_line_end()?;
            self.plain(self.line_start, &line)?;
        }
        if self.cr_is_held {
            self.tree.take(b"\r")?;
        }
        self.release_line_end()?; // nothing follows that it could belong to
        self.tree.finish(self.at, self.seen.unwrap_or(LineEnds::Lf))
    }

    /// Takes bytes of a line that may be a delimiter, and returns how many.
    fn undecided(&mut self, rest: &[u8]) -> Result<usize, ScanError> {
        let longest = self.tree.longest_boundary();
        if self.held.is_empty() && (rest[0] != b'-' || longest == 0) {
            self.release_line_end()?;
            self.line = Line::Plain;
            return Ok(0);
        }
        // `--` before it, `--` and blanks behind it, and a line end.
        let room = longest + 4 + PADDING_BYTES_MAX + 2 - self.held.len();
        let line_feed = memchr(b'\n', &rest[..rest.len().min(room)]);
        let taken = line_feed.map_or(rest.len().min(room), |at| at + 1);
        self.held.extend_from_slice(&rest[..taken]);
        let is_over = taken == room && line_feed.is_none();
        if is_over && self.tree.delimiter(trimmed(&self.held)).is_some() {
            return Err(ScanError::over(
                "blanks behind a boundary",
                PADDING_BYTES_MAX,
            ));
        }
        let next = self.at + taken as u64;
        if line_feed.is_some() && self.delimit_held(next)? {
            return Ok(taken);
        }
        let begins_otherwise = self.held.len() > 1 && !self.held.starts_with(b"--");
        if line_feed.is_some() || is_over || begins_otherwise {
            self.release_line_end()?;
            self.line = Line::Plain;
            let line = std::mem::take(&mut self.held);
            self.plain(self.line_start, &line)?;
            self.held = line;
            self.held.clear();
        }
        Ok(taken)
    }

    /// Decides a whole line with its line end; `next` is the offset behind it.
    fn delimit_held(&mut self, next: u64) -> Result<bool, ScanError> {
        let line = std::mem::take(&mut self.held);
        let is_delimiter = self.delimit(&line, next)?;
        self.held = line;
        if is_delimiter {
            self.begin_line(next, line_end_of(&self.held));
            self.held.clear();
        }
        Ok(is_delimiter)
    }

    fn delimit(&mut self, line: &[u8], next: u64) -> Result<bool, ScanError> {
        let text = &line[..line.len() - line_end_of(line).text().len()];
        let Some(delimiter) = self.tree.delimiter(trimmed(text)) else {
            return Ok(false);
        };
        let end = self.line_start - self.line_end.text().len() as u64;
        self.line_end_is_held = false;
        self.tree.delimit(delimiter, end, next)?;
        Ok(true)
    }

    /// Hands on bytes of ordinary lines, which begin at the offset `at`, up to a line that may be a delimiter. A line end at the
    /// end is held back, except in a header, where each line is looked at.
    fn plain(&mut self, at: u64, bytes: &[u8]) -> Result<usize, ScanError> {
        let mut line_starts = 0;
        while let Some(found) = memchr(b'\n', &bytes[line_starts..]) {
            let line_feed = line_starts + found;
            line_starts = line_feed + 1;
            let after_cr = match line_feed {
                0 => self.cr_is_held,
                _ => bytes[line_feed - 1] == b'\r',
            };
            let line_end = if after_cr { LineEnd::CrLf } else { LineEnd::Lf };
            let next = bytes.get(line_starts);
            if next.is_some_and(|byte| *byte != b'-') && !self.tree.is_in_header() {
                self.begin_line(at + line_starts as u64, line_end);
                continue;
            }
            // A CR that was held belongs to the line end if the LF came first here, else it is a byte like others.
            self.cr_is_held &= line_feed > 0;
            self.hand_on(&bytes[..line_starts.saturating_sub(line_end.text().len())])?;
            self.begin_line(at + line_starts as u64, line_end);
            self.line_end_is_held = !self.tree.is_in_header();
            if !self.line_end_is_held {
                self.tree.take(line_end.text())?;
                self.tree.header_line_ended(self.line_start)?;
            }
            self.line = Line::Undecided;
            return Ok(line_starts);
        }
        let is_cr = bytes.last() == Some(&b'\r');
        self.hand_on(&bytes[..bytes.len() - usize::from(is_cr)])?;
        self.cr_is_held = is_cr;
        self.line = Line::Plain;
        Ok(bytes.len())
    }

    fn hand_on(&mut self, bytes: &[u8]) -> Result<(), ScanError> {
        if std::mem::take(&mut self.cr_is_held) {
            self.tree.take(b"\r")?;
        }
        self.tree.take(bytes)
    }

    fn release_line_end(&mut self) -> Result<(), ScanError> {
        if std::mem::take(&mut self.line_end_is_held) {
            self.tree.take(self.line_end.text())?;
        }
        Ok(())
    }

    fn begin_line(&mut self, at: u64, line_end: LineEnd) {
        self.line = Line::Undecided;
        self.line_start = at;
        self.line_end = line_end;
        let this = match line_end {
            LineEnd::None => return,
            LineEnd::Lf => LineEnds::Lf,
            LineEnd::CrLf => LineEnds::CrLf,
        };
        let seen = *self.seen.get_or_insert(this);
        if seen != this {
            self.seen = Some(LineEnds::Mixed);
        }
    }

    fn count_blanks(&mut self, piece: &[u8]) -> Result<(), ScanError> {
        let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let leading = piece.iter().position(is_text);
        let run = self.blanks + leading.unwrap_or(piece.len()) as u64;
        if run > BLANK_BYTES_MAX {
            return Err(ScanError::OverLimit {
                what: "blanks in a row",
                max: BLANK_BYTES_MAX,
            });
        }
        let trailing = piece.iter().rposition(is_text);
        self.blanks = trailing.map_or(run, |last| (piece.len() - last - 1) as u64);
        Ok(())
    }
}

fn line_end_of(line: &[u8]) -> LineEnd {
    if line.ends_with(b"\r\n") {
        LineEnd::CrLf
    } else if line.ends_with(b"\n") {
        LineEnd::Lf
    } else {
        LineEnd::None
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    let last = text.iter().rposition(|byte| !is_blank(*byte));
    &text[..last.map_or(0, |last| last + 1)]
}
