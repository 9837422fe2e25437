//! Base64 after transport: lines of any width, blanks at their ends, LF or CRLF.
//!
//! The content ends at the first empty line after its first characters, at `=`, or before a foreign line. A line is foreign if
//! it has other characters, or if unused bits of its last character are set. Missing padding is accepted.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memchr;

use super::{TrailingText, is_space};

/// Lines up to this length are decoded whole, so that nothing of a foreign line is decoded. A longer line is decoded in pieces,
/// up to its first foreign character.
const LINE_BYTES_MAX: usize = 4_096;

/// Decodes base64 line by line.
#[derive(Default)]
pub(super) struct Base64 {
    /// Up to three characters of a group that is not complete yet, then the line as far as it was read.
    text: Vec<u8>,
    group: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Only empty lines were read so far.
    #[default]
    Before,
    AtLine,
    /// A piece of this line was decoded.
    WithinLine,
    /// After the first of two `=`, which narrow lines can separate.
    AfterHalfPadding,
    Ended,
}

/// Which piece of a line is decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// More of the line follows.
    Some,
    /// The line ends here.
    Last,
}

impl Base64 {
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>, trailing: &mut TrailingText) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.has_ended() {
            let room = rest.len().min(LINE_BYTES_MAX - self.text.len());
            let line_feed = memchr(b'\n', &rest[..room]);
            self.text
                .extend_from_slice(&rest[..line_feed.unwrap_or(room)]);
            rest = &rest[line_feed.map_or(room, |at| at + 1)..];
            if line_feed.is_some() {
                self.piece(Piece::Last, out, trailing);
                self.end_line(trailing);
            } else if self.text.len() == LINE_BYTES_MAX {
                self.piece(Piece::Some, out, trailing);
            }
        }
        if self.has_ended() {
            trailing.count(self.after_padding(rest));
        }
    }

    fn end_line(&mut self, trailing: &mut TrailingText) {
        match self.state {
            State::WithinLine => self.state = State::AtLine,
            State::Ended | State::AfterHalfPadding => trailing.count(b"\n"),
            State::Before | State::AtLine => {}
        }
    }

    fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended | State::AfterHalfPadding)
    }

    /// Removes the second `=` from the text after the first.
    fn after_padding<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let text = rest.iter().position(|byte| !is_space(*byte));
        let Some(first) = text.filter(|_| self.state == State::AfterHalfPadding) else {
            return rest;
        };
        self.state = State::Ended;
        match rest[first] {
            b'=' => &rest[first + 1..],
            _ => rest,
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>, trailing: &mut TrailingText) {
        if !self.has_ended() {
            self.piece(Piece::Last, out, trailing);
        }
        if !self.has_ended() {
            self.end(State::Ended, out, trailing, b"");
        }
    }

    fn piece(&mut self, piece: Piece, out: &mut Vec<u8>, trailing: &mut TrailingText) {
        let last = self.text.iter().rposition(|byte| !is_space(*byte));
        let end = last.map_or(0, |last| last + 1).max(self.group);
        let has_blanks = end < self.text.len();
        if end == self.group {
            if piece == Piece::Last && self.state == State::AtLine {
                self.end(State::Ended, out, trailing, b"");
            }
        } else if self.decode(end, out).is_err() {
            self.end_within(end, out, trailing);
        } else {
            self.state = State::WithinLine;
        }
        if !self.has_ended() {
            self.text.truncate(self.group);
            // Keep one blank for all blanks at the end of a piece: if text follows them, the line is foreign.
            if has_blanks && piece == Piece::Some {
                self.text.push(b' ');
            }
        }
    }

    /// Decodes `text[..end]`, if all of it is base64, and keeps the incomplete group.
    fn decode(&mut self, end: usize, out: &mut Vec<u8>) -> Result<(), ()> {
        let full = end / 4 * 4;
        if !self.text[full..end].iter().all(|byte| is_base64(*byte)) {
            return Err(());
        }
        let before = out.len();
        out.resize(before + full / 4 * 3, 0);
        let decoded = STANDARD_NO_PAD.decode_slice(&self.text[..full], &mut out[before..]);
        if decoded.is_err() {
            out.truncate(before);
            return Err(());
        }
        self.text.copy_within(full..end, 0);
        self.text.truncate(end);
        self.group = end - full;
        Ok(())
    }

    /// Ends the content within `text[..end]`, or before it if the whole line is foreign.
    fn end_within(&mut self, end: usize, out: &mut Vec<u8>, trailing: &mut TrailingText) {
        let line = self.text.split_off(self.group);
        let foreign = line[..end - self.group]
            .iter()
            .position(|byte| !is_base64(*byte))
            .unwrap_or(line.len());
        let padding = line[foreign..]
            .iter()
            .take(2)
            .take_while(|byte| **byte == b'=')
            .count();
        let is_padded = padding > 0 && self.is_complete_with(&line[..foreign]);
        if !is_padded && self.state != State::WithinLine {
            return self.end(State::Ended, out, trailing, &line);
        }
        let rest = &line[foreign + if is_padded { padding } else { 0 }..];
        self.text.extend_from_slice(&line[..foreign]);
        let full = self.text.len();
        self.decode(full, out).expect("all of it is base64");
        self.text.truncate(self.group);
        let is_half = is_padded && padding == 1 && self.group == 2;
        self.end(
            if is_half {
                State::AfterHalfPadding
            } else {
                State::Ended
            },
            out,
            trailing,
            rest,
        );
    }

    /// Whether the last group of the text so far and `more` only lacks its padding.
    fn is_complete_with(&self, more: &[u8]) -> bool {
        let text = [&self.text[..self.group], more].concat();
        STANDARD_NO_PAD.decode(&text[text.len() / 4 * 4..]).is_ok()
    }

    /// Ends the content after `text[..group]`; `rest` is the first text that follows it.
    fn end(&mut self, state: State, out: &mut Vec<u8>, trailing: &mut TrailingText, rest: &[u8]) {
        self.state = state;
        let group = &self.text[..self.group];
        match STANDARD_NO_PAD.decode(group) {
            Ok(bytes) => out.extend(bytes),
            Err(_) => trailing.count(group),
        }
        trailing.count(self.after_padding(rest));
        self.text = Vec::new();
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}
