//! The parts as they open and close: what a delimiter ends, what a header begins, and where the bytes between go.

use std::collections::HashMap;

use super::super::header::{HEADER_BYTES_MAX, Header, HeaderEnd};
use super::content::Content;
use super::{DEPTH_MAX, Nested, PARTS_MAX, Part, ScanError, Shape, Structure, Visitor};
use crate::envelope::LineEnds;

/// All parts so far, and those that are open.
pub(super) struct Tree<'w> {
    nested: Nested,
    visitor: &'w mut dyn Visitor,
    parts: Vec<Part>,
    /// The open parts that hold others, the outermost first.
    frames: Vec<Frame>,
    /// The open boundaries, each with the frames that have it, the innermost last.
    boundaries: HashMap<Vec<u8>, Vec<usize>>,
    boundary_bytes: usize,
    longest_boundary: usize,
    place: Place,
    /// The header block that is being read, and where it and its last line begin.
    header: Vec<u8>,
    header_start: u64,
    header_line: usize,
    /// A part begins here even if not one byte follows.
    part_is_due: bool,
    root_header: Option<Header>,
}

/// Where the next bytes belong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    /// The body of the last part.
    Leaf,
    /// A preamble or an epilogue.
    Outside,
}

struct Frame {
    part: usize,
    /// `None` for a message, and for a multipart whose closing delimiter was seen.
    boundary: Option<Vec<u8>>,
    children: usize,
}

/// A line that ends what is in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delimiter {
    frame: usize,
    closes: bool,
}

impl<'w> Tree<'w> {
    pub(super) fn new(nested: Nested, visitor: &'w mut dyn Visitor) -> Self {
        Self {
            nested,
            visitor,
            parts: Vec::new(),
            frames: Vec::new(),
            boundaries: HashMap::new(),
            boundary_bytes: 0,
            longest_boundary: 0,
            place: Place::Header,
            header: Vec::new(),
            header_start: 0,
            header_line: 0,
            part_is_due: true,
            root_header: None,
        }
    }

    /// The length of the longest open boundary; 0 if none is open.
    pub(super) fn longest_boundary(&self) -> usize {
        self.longest_boundary
    }

    pub(super) fn is_in_header(&self) -> bool {
        self.place == Place::Header
    }

    /// Takes the next bytes, which belong to no delimiter.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), ScanError> {
        match self.place {
            _ if bytes.is_empty() => {}
            Place::Outside => self.visitor.outside(bytes),
            Place::Leaf => {
                let part = self.parts.last().expect("a leaf was begun");
                self.visitor.body(part, bytes);
            }
            Place::Header if self.header.len() + bytes.len() > HEADER_BYTES_MAX => {
                return Err(ScanError::over("bytes in a header", HEADER_BYTES_MAX));
            }
            Place::Header => self.header.extend_from_slice(bytes),
        }
        Ok(())
    }

    /// A line of a header was taken whole; `next` is the offset behind it.
    pub(super) fn header_line_ended(&mut self, next: u64) -> Result<(), ScanError> {
        if matches!(&self.header[self.header_line..], b"\n" | b"\r\n") {
            return self.begin_body(HeaderEnd::EmptyLine, next);
        }
        self.header_line = self.header.len();
        Ok(())
    }

    /// Finds out whether a line, without line end and blanks at its end, is a delimiter.
    pub(super) fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        let text = line.strip_prefix(b"--")?;
        let innermost = |text: &[u8]| self.boundaries.get(text)?.last().copied();
        let separating = innermost(text).map(|frame| Delimiter {
            frame,
            closes: false,
        });
        let closing = text.strip_suffix(b"--").and_then(innermost);
        let closing = closing.map(|frame| Delimiter {
            frame,
            closes: true,
        });
        separating
            .into_iter()
            .chain(closing)
            .max_by_key(|found| found.frame)
    }

    /// A delimiter: what is in its frame ends at `end`, and what follows begins at `next`.
    pub(super) fn delimit(
        &mut self,
        delimiter: Delimiter,
        end: u64,
        next: u64,
    ) -> Result<(), ScanError> {
        self.end_header(end)?;
        self.end_down_to(delimiter.frame + 1, end);
        if delimiter.closes {
            self.close(delimiter.frame);
            self.place = Place::Outside;
        } else {
            self.begin_header(next);
        }
        Ok(())
    }

    pub(super) fn finish(mut self, end: u64, line_ends: LineEnds) -> Result<Structure, ScanError> {
        self.end_header(end)?;
        self.end_down_to(0, end);
        Ok(Structure {
            header: self.root_header.expect("the message itself is a part"),
            parts: self.parts,
            bytes: end,
            line_ends,
        })
    }

    fn begin_header(&mut self, at: u64) {
        self.place = Place::Header;
        self.header_start = at;
        self.header_line = 0;
        self.header.clear();
        self.part_is_due = false;
    }

    /// Ends a header that is being read without an empty line: its part has no body.
    fn end_header(&mut self, end: u64) -> Result<(), ScanError> {
        while self.is_in_header() && (self.part_is_due || !self.header.is_empty()) {
            self.begin_body(HeaderEnd::EndOfInput, end)?;
        }
        Ok(())
    }

    fn begin_body(&mut self, header_end: HeaderEnd, at: u64) -> Result<(), ScanError> {
        if self.parts.len() == PARTS_MAX {
            return Err(ScanError::over("parts", PARTS_MAX));
        }
        let header = Header::new(std::mem::take(&mut self.header), header_end);
        let mut content = Content::of(&header, self.default_type());
        let boundary = content.boundary.take();
        let part = self.part(content, boundary.is_some(), at);
        let shape = part.shape;
        self.parts.push(part);
        self.root_header.get_or_insert(header);
        match shape {
            Shape::Leaf => self.place = Place::Leaf,
            Shape::Multipart => {
                self.place = Place::Outside;
                self.open(boundary)?;
            }
            Shape::Message => {
                self.open(None)?;
                self.begin_header(at);
                self.part_is_due = true;
            }
        }
        Ok(())
    }

    fn part(&mut self, content: Content, is_multipart: bool, body: u64) -> Part {
        let is_message = matches!(
            content.media_type.as_str(),
            "message/rfc822" | "message/global"
        ) && self.nested == Nested::Enter
            && content.encoding.is_identity();
        let shape = match (is_multipart, is_message) {
            (true, _) => Shape::Multipart,
            (false, true) => Shape::Message,
            (false, false) => Shape::Leaf,
        };
        Part {
            number: self.number(shape),
            parent: self.frames.last().map(|frame| frame.part),
            start: self.header_start,
            body,
            end: body,
            media_type: content.media_type,
            encoding: content.encoding,
            disposition: content.disposition,
            is_named: content.is_named,
            name: content.name,
            shape,
        }
    }

    /// RFC 2046 §5.1.5: in a digest, parts are messages if they do not say otherwise.
    fn default_type(&self) -> &'static str {
        let parent = self.frames.last().map(|frame| &self.parts[frame.part]);
        match parent {
            Some(parent) if parent.media_type == "multipart/digest" => "message/rfc822",
            _ => "text/plain",
        }
    }

    fn number(&mut self, shape: Shape) -> String {
        let Some(frame) = self.frames.last_mut() else {
            return if shape == Shape::Multipart { "" } else { "1" }.to_owned();
        };
        let parent = &self.parts[frame.part];
        // A multipart that is a whole message has the message's number, as in IMAP.
        if parent.shape == Shape::Message && shape == Shape::Multipart {
            return parent.number.clone();
        }
        frame.children += 1;
        if parent.number.is_empty() {
            frame.children.to_string()
        } else {
            format!("{}.{}", parent.number, frame.children)
        }
    }

    fn open(&mut self, boundary: Option<Vec<u8>>) -> Result<(), ScanError> {
        if self.frames.len() == DEPTH_MAX {
            return Err(ScanError::over("levels of parts", DEPTH_MAX));
        }
        let frame = self.frames.len();
        if let Some(boundary) = &boundary {
            self.boundary_bytes += boundary.len();
            if self.boundary_bytes > HEADER_BYTES_MAX {
                return Err(ScanError::over("bytes of boundaries", HEADER_BYTES_MAX));
            }
            self.longest_boundary = self.longest_boundary.max(boundary.len());
            self.boundaries
                .entry(boundary.clone())
                .or_default()
                .push(frame);
        }
        self.frames.push(Frame {
            part: self.parts.len() - 1,
            boundary,
            children: 0,
        });
        Ok(())
    }

    /// Ends the leaf that is open and every frame from `frames` on.
    fn end_down_to(&mut self, frames: usize, end: u64) {
        if self.place == Place::Leaf {
            let part = self.parts.last_mut().expect("a leaf was begun");
            part.end_at(end);
            self.visitor.leaf_ended(part);
        }
        while self.frames.len() > frames {
            self.close(self.frames.len() - 1);
            let frame = self.frames.pop().expect("there is one more");
            self.parts[frame.part].end_at(end);
        }
    }

    /// Looks for a frame's boundary no longer.
    fn close(&mut self, frame: usize) {
        let Some(boundary) = self.frames[frame].boundary.take() else {
            return;
        };
        self.boundary_bytes -= boundary.len();
        let frames = self.boundaries.get_mut(&boundary).expect("it is open");
        frames.pop(); // the innermost: those within were ended before
        if frames.is_empty() {
            self.boundaries.remove(&boundary);
        }
        let lengths = self.boundaries.keys().map(Vec::len);
        self.longest_boundary = lengths.max().unwrap_or(0);
    }
}

impl Part {
    /// The line end before a delimiter may be the empty line behind the header, so that the end lies before the body's begin.
    fn end_at(&mut self, end: u64) {
        self.end = end;
        self.body = self.body.min(end);
        self.start = self.start.min(end);
    }
}
