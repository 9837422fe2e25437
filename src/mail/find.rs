//! Envelopes in a message, found by what they are: whatever transport did to type, name, encoding, columns and nesting, an
//! envelope is a leaf whose content begins with `encl/1` and a line feed, or with the line that begins armor. In a text, armor may
//! stand below other text.
//!
//! Other versions are found too, so that opening them can report that they are newer. Text in preambles and epilogues is in no
//! part and never an envelope.

mod armor;
mod fault;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use self::armor::{ArmorBegin, ArmorEnd, UpToEnd};
pub use self::fault::{Fault, fault};
use super::reopen::Reopen;
use super::scan::{Encoding, Nested, Part, ScanError, Structure, Visitor, scan};
use super::transfer::{Decoded, Decoder};
pub use crate::envelope::Form;

/// The media type of an envelope.
pub const MEDIA_TYPE: &str = "application/vnd.encl";

/// How much of a body is looked at to tell what it is, in bytes: more than decoders hold back, so that what they say of it is
/// what they say of the whole body.
const HEAD_BYTES: usize = 8 << 10;
/// How much behind a part is looked at to see how its delimiter ends, in bytes.
const DELIMITER_BYTES_MAX: u64 = 8 << 10;

/// What a message holds.
#[derive(Debug, Clone)]
pub struct Findings {
    /// Its header and all its parts.
    pub structure: Structure,
    /// The envelopes, in their order.
    pub envelopes: Vec<Sealed>,
    /// All other leaves, in their order.
    pub others: Vec<Other>,
    /// Bytes outside all parts, in preambles and epilogues, except blanks and line ends. Mail programs do not show them.
    pub outside_bytes: u64,
}

/// An envelope in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The part that it is.
    pub part: Part,
    /// How it is encoded, which may be another way than the part says.
    pub encoding: Encoding,
    /// Whether it is text.
    pub form: Form,
    /// Bytes of the decoded text that stand before it: armor may have a greeting above.
    pub leading_bytes: u64,
    /// Bytes that were appended after it, such as the footer of a mailing list, without blanks and line ends around them.
    pub trailing_bytes: u64,
    /// Whether it has our media type.
    pub is_declared: bool,
}

/// A leaf that is no envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The part that it is.
    pub part: Part,
    /// Whether it says that it is an envelope.
    pub is_declared: bool,
}

/// Finds all envelopes of a message, also within messages that are in it.
///
/// # Errors
/// Those of [`scan`].
pub fn find(message: &mut dyn Read) -> Result<Findings, ScanError> {
    find_in(message, Nested::Enter)
}

/// Finds all envelopes of a message; those within messages that are in it only if they are opened.
pub(super) fn find_in(message: &mut dyn Read, nested: Nested) -> Result<Findings, ScanError> {
    let mut finder = Finder::default();
    let structure = scan(message, nested, &mut finder)?;
    Ok(Findings {
        structure,
        envelopes: finder.envelopes,
        others: finder.others,
        outside_bytes: finder.outside_bytes,
    })
}

/// Reads the bytes of an envelope out of the message in which it was found.
///
/// # Errors
/// When the message cannot be read.
pub fn open_body<'a>(
    source: &'a dyn Reopen,
    found: &Sealed,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut message = source.open()?;
    io::copy(&mut message.by_ref().take(found.part.body), &mut io::sink())?;
    let mut bytes = found.part.body_bytes();
    if found.encoding.is_identity() && ends_in_cr(source, &found.part)? {
        bytes += 1;
    }
    Ok(body(message.take(bytes), found))
}

/// Decodes the body of an envelope that was found.
pub(super) fn body<'a>(body: impl Read + Send + 'a, found: &Sealed) -> Box<dyn Read + Send + 'a> {
    let decoded = Decoded::new(body, found.encoding);
    match found.form {
        Form::Binary => Box::new(decoded),
        Form::Armored => Box::new(UpToEnd::new(decoded, found.leading_bytes)),
    }
}

/// Whether an envelope in binary lost its last byte to the delimiter: a CR in front of an LF that ends lines alone here. The
/// delimiter's own line shows which line ends those are.
fn ends_in_cr(source: &dyn Reopen, part: &Part) -> io::Result<bool> {
    let mut message = source.open()?;
    io::copy(&mut message.by_ref().take(part.end), &mut io::sink())?;
    let mut delimiter = Vec::new();
    message
        .take(DELIMITER_BYTES_MAX)
        .read_to_end(&mut delimiter)?;
    let Some(line) = delimiter.strip_prefix(b"\r\n") else {
        return Ok(false);
    };
    let line_feed = memchr::memchr(b'\n', line);
    Ok(line_feed.is_some_and(|at| at > 0 && line[at - 1] != b'\r'))
}

#[derive(Default)]
struct Finder {
    envelopes: Vec<Sealed>,
    others: Vec<Other>,
    outside_bytes: u64,
    leaf: Leaf,
}

/// What is known about the leaf that is passing.
enum Leaf {
    /// This much of its body was seen, too little to tell.
    Unknown(Vec<u8>),
    Sealed(Box<Counting>),
    /// A text, in which armor may still begin.
    Text(Box<Looking>),
    Other,
}

impl Default for Leaf {
    fn default() -> Self {
        Self::Unknown(Vec::new())
    }
}

impl Visitor for Finder {
    fn body(&mut self, part: &Part, bytes: &[u8]) {
        match &mut self.leaf {
            Leaf::Other => {}
            Leaf::Sealed(counting) => counting.push(bytes),
            Leaf::Text(looking) => {
                if let Some(counting) = looking.push(bytes) {
                    self.leaf = Leaf::Sealed(counting);
                }
            }
            Leaf::Unknown(head) => {
                head.extend_from_slice(bytes);
                if head.len() >= HEAD_BYTES {
                    self.leaf = Leaf::of(head, part, Body::GoesOn);
                }
            }
        }
    }

    fn leaf_ended(&mut self, part: &Part) {
        let mut leaf = std::mem::take(&mut self.leaf);
        if let Leaf::Unknown(head) = &leaf {
            leaf = Leaf::of(head, part, Body::Whole);
        }
        if let Leaf::Text(looking) = leaf {
            leaf = looking.finish().map_or(Leaf::Other, Leaf::Sealed);
        }
        let (part, is_declared) = (part.clone(), part.media_type == MEDIA_TYPE);
        match leaf {
            Leaf::Sealed(counting) => self.envelopes.push(Sealed {
                part,
                encoding: counting.encoding,
                form: counting.form,
                leading_bytes: counting.leading_bytes,
                trailing_bytes: counting.finish(),
                is_declared,
            }),
            Leaf::Other | Leaf::Text(_) | Leaf::Unknown(_) => {
                self.others.push(Other { part, is_declared });
            }
        }
    }

    fn outside(&mut self, bytes: &[u8]) {
        let is_text = |byte: &&u8| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.outside_bytes += bytes.iter().filter(is_text).count() as u64;
    }
}

/// How much of a body is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Body {
    GoesOn,
    Whole,
}

impl Leaf {
    /// Tells by the beginning of a body what it is.
    fn of(body: &[u8], part: &Part, length: Body) -> Self {
        let declared = part.encoding;
        let head = &body[..body.len().min(HEAD_BYTES)];
        let is_encoded = matches!(declared, Encoding::Base64 | Encoding::QuotedPrintable);
        // Gateways lose the field that names the encoding.
        let undeclared = Some(Encoding::Base64).filter(|_| !is_encoded);
        let mut encodings = [Some(declared), undeclared].into_iter().flatten();
        let found = encodings
            .find_map(|encoding| Some((encoding, Form::of(&decoded(head, encoding, length))?)));
        match found {
            None if part.media_type.starts_with("text/") => {
                let mut looking = Looking::new(declared);
                match looking.push(body) {
                    Some(counting) => Self::Sealed(counting),
                    None => Self::Text(Box::new(looking)),
                }
            }
            None => Self::Other,
            Some((encoding, form)) => {
                let mut counting = Counting::new(encoding, form);
                counting.push(body);
                Self::Sealed(Box::new(counting))
            }
        }
    }
}

fn decoded(head: &[u8], encoding: Encoding, length: Body) -> Vec<u8> {
    let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
    decoder.push(head, &mut out);
    if length == Body::Whole {
        decoder.finish(&mut out);
    }
    out
}

/// A text that is passing, in which armor may begin.
struct Looking {
    encoding: Encoding,
    decoder: Option<Decoder>,
    begin: ArmorBegin,
}

impl Looking {
    fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            decoder: Some(Decoder::new(encoding)),
            begin: ArmorBegin::default(),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Option<Box<Counting>> {
        let mut decoded = Vec::new();
        self.decoder.as_mut()?.push(bytes, &mut decoded);
        self.look(&decoded)
    }

    fn finish(mut self) -> Option<Box<Counting>> {
        let mut decoded = Vec::new();
        self.decoder.as_mut()?.finish(&mut decoded);
        self.look(&decoded)
    }

    /// Once armor has begun, the same decoder goes on with it.
    fn look(&mut self, decoded: &[u8]) -> Option<Box<Counting>> {
        let from = self.begin.pass(decoded)?;
        let mut counting = Counting::new(self.encoding, Form::Armored);
        counting.leading_bytes = self.begin.leading_bytes();
        counting.decoder = self.decoder.take()?;
        counting.decoded.extend_from_slice(&decoded[from..]);
        counting.look_for_end();
        Some(Box::new(counting))
    }
}

/// An envelope that is passing, of which only its end matters here.
struct Counting {
    encoding: Encoding,
    form: Form,
    leading_bytes: u64,
    decoder: Decoder,
    decoded: Vec<u8>,
    armor: ArmorEnd,
}

impl Counting {
    fn new(encoding: Encoding, form: Form) -> Self {
        Self {
            encoding,
            form,
            leading_bytes: 0,
            decoder: Decoder::new(encoding),
            decoded: Vec::new(),
            armor: ArmorEnd::default(),
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes, &mut self.decoded);
        self.look_for_end();
    }

    fn finish(mut self) -> u64 {
        self.decoder.finish(&mut self.decoded);
        self.look_for_end();
        self.decoder.trailing_bytes() + self.armor.trailing_bytes()
    }

    fn look_for_end(&mut self) {
        if self.form == Form::Armored {
            self.armor.pass(&self.decoded);
        }
        self.decoded.clear();
    }
}
