//! The header block of a message or part. Its fields are found without changing a byte.

mod doubt;

use std::borrow::Cow;
use std::io::{self, BufRead, Read};
use std::ops::Range;

use memchr::memchr;

pub use doubt::{Doubt, DoubtfulLine};

/// The longest header block, in bytes. A longer one has no fields.
pub const HEADER_BYTES_MAX: usize = 1 << 20;

/// How a header block ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderEnd {
    /// With the first empty line, which belongs to the block.
    EmptyLine,
    /// With the input.
    EndOfInput,
    /// Not within [`HEADER_BYTES_MAX`].
    OverLimit,
}

/// A header block: every byte up to and including the first empty line, and the positions of its fields.
///
/// A line without a colon is not a field and does not end the block. A name may have blanks before its colon (RFC 5322 §4.5.8)
/// and nowhere else: `From :` is a field, and the line `From …` of an mbox is not.
#[derive(Debug, Clone)]
pub struct Header {
    bytes: Vec<u8>,
    fields: Vec<Place>,
    doubtful: Option<DoubtfulLine>,
    end: HeaderEnd,
}

#[derive(Debug, Clone)]
struct Place {
    name: Range<usize>,
    value: Range<usize>,
}

/// One field of the block.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// The name as it was written, without blanks.
    pub name: &'a str,
    /// Everything after the colon, still folded, without the last line end.
    pub value: &'a [u8],
    /// All lines of the field, from its name to its last line end.
    pub raw: &'a [u8],
}

impl Header {
    /// Reads a header block from `input`, and not a byte more unless it is over the limit.
    ///
    /// # Errors
    /// When `input` cannot be read.
    pub fn read(input: &mut dyn BufRead) -> io::Result<Self> {
        let mut bytes = Vec::new();
        loop {
            let begin = bytes.len();
            let room = (HEADER_BYTES_MAX - begin) as u64;
            let count = input.take(room).read_until(b'\n', &mut bytes)?;
            let line = &bytes[begin..];
            if matches!(line, b"\n" | b"\r\n") {
                return Ok(Self::new(bytes, HeaderEnd::EmptyLine));
            }
            if count as u64 == room {
                let more = !input.fill_buf()?.is_empty();
                let end = if more {
                    HeaderEnd::OverLimit
                } else {
                    HeaderEnd::EndOfInput
                };
                return Ok(Self::new(bytes, end));
            }
            if line.last() != Some(&b'\n') {
                return Ok(Self::new(bytes, HeaderEnd::EndOfInput));
            }
        }
    }

    /// Takes a header block that was read already.
    #[must_use]
    pub fn new(bytes: Vec<u8>, end: HeaderEnd) -> Self {
        let fields = match end {
            HeaderEnd::OverLimit => Vec::new(),
            HeaderEnd::EmptyLine | HeaderEnd::EndOfInput => places(&bytes),
        };
        Self {
            fields,
            doubtful: doubt::first(&bytes),
            bytes,
            end,
        }
    }

    /// The first line at which some readers end the header, though it goes on for others.
    #[must_use]
    pub fn doubtful_line(&self) -> Option<DoubtfulLine> {
        self.doubtful
    }

    /// The fields before [`Header::doubtful_line`]: no reader takes any of them for text. A field that goes on behind that line
    /// is cut there.
    pub fn certain_fields(&self) -> impl Iterator<Item = Field<'_>> {
        let end = self.doubtful.map_or(self.bytes.len(), |line| line.at);
        let is_certain = move |field: &Field<'_>| self.offset(field.raw) < end;
        self.fields().take_while(is_certain).map(move |field| {
            let cut = |bytes: &'_ [u8]| bytes.len().min(end.saturating_sub(self.offset(bytes)));
            Field {
                value: &field.value[..cut(field.value)],
                raw: &field.raw[..cut(field.raw)],
                ..field
            }
        })
    }

    /// The fields behind [`Header::doubtful_line`], and the one that it cuts.
    pub fn doubtful_fields(&self) -> impl Iterator<Item = Field<'_>> {
        let begin = self.doubtful.map_or(self.bytes.len(), |line| line.at);
        let is_doubtful =
            move |field: &Field<'_>| self.offset(field.value) + field.value.len() > begin;
        self.fields().filter(is_doubtful)
    }

    /// All from [`Header::doubtful_line`] on, without the empty line.
    #[must_use]
    pub fn doubtful_text(&self) -> &[u8] {
        let begin = self.doubtful.map_or(self.bytes.len(), |line| line.at);
        let end = self.bytes.len() - self.empty_line_bytes();
        &self.bytes[begin.min(end)..end]
    }

    /// Where a piece of the block begins in it.
    fn offset(&self, piece: &[u8]) -> usize {
        piece.as_ptr().addr() - self.bytes.as_ptr().addr()
    }

    /// The unchanged block, with its empty line.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> HeaderEnd {
        self.end
    }

    /// All fields, in their order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        self.fields.iter().enumerate().map(|(at, place)| {
            let next = self.fields.get(at + 1).map(|next| next.name.start);
            // A line that is not a field belongs to the field before it.
            let end = next.unwrap_or_else(|| self.bytes.len() - self.empty_line_bytes());
            Field {
                name: std::str::from_utf8(&self.bytes[place.name.clone()])
                    .expect("a field's name is ASCII"),
                value: &self.bytes[place.value.clone()],
                raw: &self.bytes[place.name.start..end],
            }
        })
    }

    /// All fields of that name, in their order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Field<'a>> {
        self.fields()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    /// The first field of that name.
    #[must_use]
    pub fn first<'a>(&'a self, name: &'a str) -> Option<Field<'a>> {
        self.all(name).next()
    }

    /// Whether the first line ends in CRLF.
    #[must_use]
    pub fn begins_with_crlf(&self) -> bool {
        let line_feed = memchr(b'\n', &self.bytes);
        line_feed.is_some_and(|at| at > 0 && self.bytes[at - 1] == b'\r')
    }

    fn empty_line_bytes(&self) -> usize {
        match self.end {
            HeaderEnd::EmptyLine if self.bytes.ends_with(b"\r\n") => 2,
            HeaderEnd::EmptyLine => 1,
            HeaderEnd::EndOfInput | HeaderEnd::OverLimit => 0,
        }
    }
}

impl Field<'_> {
    /// The value on one line: each line end with the blanks around it becomes one space, a TAB becomes a space, and blanks at
    /// both ends are removed. No other byte is changed.
    #[must_use]
    pub fn unfolded(&self) -> Vec<u8> {
        unfolded(self.value)
    }

    /// [`Field::unfolded`] as text, with U+FFFD for what is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        match String::from_utf8_lossy(&self.unfolded()) {
            Cow::Borrowed(text) => text.to_owned(),
            Cow::Owned(text) => text,
        }
    }
}

fn unfolded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut lines = value.split(|byte| *byte == b'\n').peekable();
    let mut first = true;
    while let Some(line) = lines.next() {
        // A CR is removed only before LF: at the end of the value it may be a bare CR.
        let line = match lines.peek() {
            Some(_) => line.strip_suffix(b"\r").unwrap_or(line),
            None => line,
        };
        let line = if first {
            line
        } else {
            line.trim_ascii_start_blank()
        };
        let line = if lines.peek().is_some() {
            line.trim_ascii_end_blank()
        } else {
            line
        };
        if !first && !line.is_empty() && !out.is_empty() {
            out.push(b' ');
        }
        first = false;
        out.extend(
            line.iter()
                .map(|byte| if *byte == b'\t' { b' ' } else { *byte }),
        );
    }
    let trimmed = out.trim_ascii_start_blank().trim_ascii_end_blank();
    trimmed.to_vec()
}

/// Blanks are SPACE and TAB (RFC 5322 §2.2.2).
trait Blanks {
    fn trim_ascii_start_blank(&self) -> &Self;
    fn trim_ascii_end_blank(&self) -> &Self;
}

impl Blanks for [u8] {
    fn trim_ascii_start_blank(&self) -> &Self {
        let at = self.iter().position(|byte| !is_blank(*byte));
        &self[at.unwrap_or(self.len())..]
    }

    fn trim_ascii_end_blank(&self) -> &Self {
        let at = self.iter().rposition(|byte| !is_blank(*byte));
        &self[..at.map_or(0, |at| at + 1)]
    }
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn places(bytes: &[u8]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut at = 0;
    // Continuation lines of a line that is not a field are not part of a field either.
    let mut in_field = false;
    while at < bytes.len() {
        let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |found| at + found + 1);
        let line = &bytes[at..end];
        let text = without_line_end(line);
        if text.first().is_some_and(|byte| is_blank(*byte)) {
            if let Some(place) = places.last_mut().filter(|_| in_field) {
                place.value.end = at + text.len();
            }
        } else {
            let name = field_name(text);
            in_field = name.is_some();
            if let Some((name_bytes, colon)) = name {
                places.push(Place {
                    name: at..at + name_bytes,
                    value: at + colon + 1..at + text.len(),
                });
            }
        }
        at = end;
    }
    places
}

/// The length of a field's name and the position of its colon. A name is printable ASCII without blanks (RFC 5322 §3.6.8).
fn field_name(line: &[u8]) -> Option<(usize, usize)> {
    let colon = memchr(b':', line)?;
    let name = line[..colon].trim_ascii_end_blank();
    let printable = !name.is_empty() && name.iter().all(|byte| (33..=126).contains(byte));
    printable.then_some((name.len(), colon))
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        Header::read(&mut text.as_bytes()).unwrap()
    }

    fn pairs(header: &Header) -> Vec<(String, String)> {
        header
            .fields()
            .map(|field| (field.name.to_owned(), field.text()))
            .collect()
    }

    #[test]
    fn fields_are_found_in_the_block_alone() {
        let mut input: &[u8] = b"To: bob\r\nSubject : a\r\n\tb \r\n c\r\n\r\nBody: no\r\n";
        let header = Header::read(&mut input).unwrap();
        assert_eq!(input, b"Body: no\r\n");
        assert_eq!(header.end(), HeaderEnd::EmptyLine);
        assert_eq!(
            pairs(&header),
            [
                ("To".into(), "bob".into()),
                ("Subject".into(), "a b c".into())
            ]
        );
        assert_eq!(
            header.first("subject").unwrap().raw,
            b"Subject : a\r\n\tb \r\n c\r\n"
        );
        assert!(header.begins_with_crlf());
    }

    #[test]
    fn a_line_that_is_no_field_does_not_end_the_block() {
        let found = header("From a@b Mon 10:00:00\nTo: bob\ngarbage\n more\nCc: carol\n\n");
        assert_eq!(
            pairs(&found),
            [("To".into(), "bob".into()), ("Cc".into(), "carol".into())]
        );
        assert_eq!(found.first("To").unwrap().value, b" bob");
        let from = header("From : eve\nFrom: alice\n\n");
        assert_eq!(from.first("From").unwrap().text(), "eve");
    }

    #[test]
    fn a_block_may_end_with_the_input() {
        for text in ["", "To: bob", "To: bob\n"] {
            assert_eq!(header(text).end(), HeaderEnd::EndOfInput, "{text:?}");
            assert_eq!(header(text).bytes(), text.as_bytes());
        }
        assert_eq!(header("To: bob").first("to").unwrap().text(), "bob");
    }

    #[test]
    fn a_block_over_the_limit_has_no_fields() {
        let mut text = "To: bob\n".to_owned();
        text.push_str(&"X: y\n".repeat(HEADER_BYTES_MAX / 5));
        let mut rest = text.as_bytes();
        let found = Header::read(&mut rest).unwrap();
        assert_eq!(found.end(), HeaderEnd::OverLimit);
        assert_eq!(found.fields().count(), 0);
        assert_eq!(found.bytes().len() + rest.len(), text.len());
    }

    #[test]
    fn empty_continuation_lines_do_not_double_the_space() {
        assert_eq!(header("A: b\n \n  c\n\n").first("A").unwrap().text(), "b c");
        assert_eq!(header("A:\n b\n\n").first("A").unwrap().text(), "b");
        assert_eq!(header("A: \t\n\n").first("A").unwrap().text(), "");
    }
}
