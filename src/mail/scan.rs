//! The structure of a message: where its parts begin and end, found in one pass and without changing a byte.
//!
//! Cutting a part out and putting it back must agree on where it stands, so there is one rule:
//!
//! * A delimiter is a *line* `--boundary` or `--boundary--` with any blanks behind; the boundaries of all open multiparts are
//!   looked for, the innermost first. The line end before it belongs to it. Lines end in LF or CRLF, each as it likes; a bare CR
//!   is a byte like others.
//! * A header block ends at its first empty line, at a delimiter, or with the input. Two delimiters that follow each other have
//!   no part between them. Before the first delimiter of a multipart stands its preamble, behind the closing one its epilogue;
//!   they are no parts.
//! * A multipart whose closing delimiter is missing ends where its parent's next part begins. One that names no boundary is a leaf.
//!
//! Memory is constant and time linear, however long the lines and however many boundaries: lines that could be delimiters are
//! held until they are decided, and all open boundaries are looked up at once.

mod content;
mod lines;
#[cfg(test)]
mod tests;
mod tree;

use std::io::{self, Read};

use super::header::Header;
use crate::envelope::LineEnds;
use lines::Lines;

/// How deep parts may be nested.
pub const DEPTH_MAX: usize = 100;
/// How many parts a message may have.
pub const PARTS_MAX: usize = 10_000;
/// The longest run of blanks and line ends, in bytes: no text needs it, and decoders would spend seconds on more.
pub const BLANK_BYTES_MAX: u64 = 16 << 20;
/// What is read in one go.
const BUFFER_BYTES: usize = 64 << 10;

/// Whether a message within the message is scanned too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nested {
    /// It is one leaf and not scanned.
    Leaf,
    /// `message/rfc822` and `message/global` have their message as one child, unless they are encoded.
    Enter,
}

/// The structure of a message.
#[derive(Debug, Clone)]
pub struct Structure {
    /// The header block of the message itself.
    pub header: Header,
    /// All parts, each before those that are in it; the first is the message itself.
    pub parts: Vec<Part>,
    /// The length of the message.
    pub bytes: u64,
    /// Its line ends; LF if it has none.
    pub line_ends: LineEnds,
}

/// One part. Its places are offsets from the beginning of the message: `start <= body <= end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number as in IMAP (RFC 3501 §6.4.5), "2.1"; no two leaves have the same. A multipart at the top has none.
    pub number: String,
    /// The part that it is in, by its place in [`Structure::parts`].
    pub parent: Option<usize>,
    /// Where its header begins: behind the delimiter's line.
    pub start: u64,
    /// Where its body begins: behind the empty line.
    pub body: u64,
    /// Where it ends: before the line end that belongs to the next delimiter, even if that is the empty line behind the header.
    pub end: u64,
    /// Its media type in lower case.
    pub media_type: String,
    /// How its body is encoded.
    pub encoding: Encoding,
    /// Whether it is to be shown or kept.
    pub disposition: Option<Disposition>,
    /// Whether it has a file name in any spelling.
    pub is_named: bool,
    /// That file name, decoded and as it was declared: for display, hostile, and only up to 1,024 bytes.
    pub name: Option<String>,
    /// Whether it holds others.
    pub shape: Shape,
}

/// Whether a part holds others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It holds none.
    Leaf,
    /// It holds any number, also none.
    Multipart,
    /// It holds exactly one, the message in it.
    Message,
}

/// How a body is encoded (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all, which is what counts when nothing is said.
    SevenBit,
    /// Not at all.
    EightBit,
    /// Not at all.
    Binary,
    /// Base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
    /// In a way that is not known.
    Other,
}

/// What a mail program is asked to do with a part (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Show it.
    Inline,
    /// Keep it, which is also what every unknown word means.
    Attachment,
}

impl Part {
    /// Whether it holds no others.
    #[must_use]
    pub fn is_leaf(&self) -> bool {
        self.shape == Shape::Leaf
    }

    /// The length of its body as it stands there, encoded.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.end - self.body
    }
}

impl Encoding {
    /// Whether the body is what it encodes.
    #[must_use]
    pub fn is_identity(self) -> bool {
        matches!(self, Self::SevenBit | Self::EightBit | Self::Binary)
    }
}

/// Sees the bytes of a message as it is scanned. A part that is not ended yet has no `end`.
pub trait Visitor {
    /// The next bytes of a leaf's body.
    fn body(&mut self, _part: &Part, _bytes: &[u8]) {}
    /// A leaf is over: its `end` is known.
    fn leaf_ended(&mut self, _part: &Part) {}
    /// The next bytes of a preamble or epilogue, without delimiters.
    fn outside(&mut self, _bytes: &[u8]) {}
}

/// Sees nothing.
impl Visitor for () {}

/// Why a message was not scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It is larger in some way than is looked at.
    #[error("the message has more than {max} {what}")]
    OverLimit {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: u64,
    },
    /// It could not be read.
    #[error("the message cannot be read")]
    Read(#[from] io::Error),
}

impl ScanError {
    fn over(what: &'static str, max: usize) -> Self {
        Self::OverLimit {
            what,
            max: max as u64,
        }
    }
}

/// Reads a message to its end and finds its parts; `visitor` sees the leaves' bodies pass.
///
/// # Errors
/// [`ScanError::OverLimit`] over [`DEPTH_MAX`], [`PARTS_MAX`], [`BLANK_BYTES_MAX`], and for a header block or open boundaries
/// over [`super::HEADER_BYTES_MAX`]; [`ScanError::Read`] when `input` cannot be read.
pub fn scan(
    input: &mut dyn Read,
    nested: Nested,
    visitor: &mut dyn Visitor,
) -> Result<Structure, ScanError> {
    let mut lines = Lines::new(nested, visitor);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return lines.finish(),
            Ok(count) => lines.feed(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}
