//! The leaves of a message, read in one pass and decoded.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use super::super::header::Header;
use super::super::html;
use super::super::reopen::Reopen;
use super::super::scan::{Encoding, Part};
use super::super::transfer::Decoder;
use super::super::words;
use super::{Room, Text};

/// The longest content type from which a charset is taken, in bytes: decoding takes the square of it.
const TYPE_BYTES_MAX: usize = 4 << 10;
/// How much of a part that does not say so is looked at to tell whether it is text, in bytes.
const HEAD_BYTES: u64 = 8 << 10;

/// A part that was not read, or not as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Its number.
    pub number: String,
    /// The reason.
    pub why: Why,
}

/// Why a part was not read, or not as it was meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is no text.
    #[error("it is no text")]
    Binary,
    /// The charset is not known; what is ASCII in it was read.
    #[error("its character set `{0}` is unknown")]
    Charset(String),
    /// Its encoding is damaged.
    #[error("its transfer encoding is damaged")]
    Undecodable,
    /// It is longer than what is read of a message.
    #[error("it is longer than what is read of a message")]
    TooLong,
    /// It lies in too many encoded messages.
    #[error("there are too many messages within each other")]
    TooDeep,
    /// The message is beyond what is taken apart; it was read as one text.
    #[error("the message has more than {max} {what} and was read as one text")]
    Intricate {
        /// Of what it has too many.
        what: &'static str,
        /// How many are taken apart.
        max: u64,
    },
    /// An envelope in it does not open.
    #[error("the envelope in it was not opened: {0}")]
    Envelope(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "part {}: {}", self.number, self.why)
    }
}

/// What was read of a leaf.
#[derive(Default)]
pub(super) struct Leaf {
    pub(super) text: Option<Text>,
    /// The message that it is, decoded.
    pub(super) message: Option<Vec<u8>>,
    pub(super) unread: Option<Why>,
}

/// Reads parts in their order.
pub(super) struct Leaves<'m> {
    reader: Box<dyn Read + Send + 'm>,
    at: u64,
}

impl<'m> Leaves<'m> {
    pub(super) fn new(message: &'m dyn Reopen) -> io::Result<Self> {
        Ok(Self {
            reader: message.open()?,
            at: 0,
        })
    }

    /// The header of the next part.
    pub(super) fn header(&mut self, part: &Part) -> io::Result<Header> {
        self.skip_to(part.start)?;
        let bytes = self.take(part.body - part.start)?;
        Header::read(&mut bytes.as_slice())
    }

    /// The body behind a header that was just read.
    pub(super) fn leaf(
        &mut self,
        part: &Part,
        number: &str,
        header: &Header,
        room: &mut Room,
    ) -> io::Result<Leaf> {
        let count = part.body_bytes().min(room.bytes);
        let mut leaf = Leaf::default();
        let mut body = Vec::new();
        let is_text = is_text(&part.media_type);
        if !is_text && !is_message(part) {
            body = self.take(count.min(HEAD_BYTES))?;
            if !looks_like_text(&decoded(&body, part.encoding)) {
                leaf.unread = Some(Why::Binary);
                return Ok(leaf);
            }
        }
        body.extend(self.take(count - body.len() as u64)?);
        room.bytes -= count;
        let is_cut = count < part.body_bytes();
        if is_cut {
            leaf.unread = Some(Why::TooLong);
        }
        if is_message(part) {
            leaf.message = Some(decoded(&body, part.encoding));
            return Ok(leaf);
        }
        let text = match is_text {
            true => text(part, header, &body, &mut leaf.unread),
            false => String::from_utf8_lossy(&decoded(&body, part.encoding)).into_owned(),
        };
        leaf.text = Some(Text {
            number: number.to_owned(),
            text: match &*part.media_type {
                "text/html" => html::text(&text),
                _ => text,
            },
            is_cut,
        });
        Ok(leaf)
    }

    fn skip_to(&mut self, at: u64) -> io::Result<()> {
        io::copy(
            &mut self.reader.by_ref().take(at - self.at),
            &mut io::sink(),
        )?;
        self.at = at;
        Ok(())
    }

    fn take(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader.by_ref().take(count).read_to_end(&mut bytes)?;
        self.at += count;
        Ok(bytes)
    }
}

/// Bounces are text too, and multiparts without a boundary.
fn is_text(media_type: &str) -> bool {
    let is_message = ["message/rfc822", "message/global"].contains(&media_type);
    ["text/", "message/", "multipart/"]
        .iter()
        .any(|kind| media_type.starts_with(kind))
        && !is_message
}

/// A message that is encoded, or attached as a file.
fn is_message(part: &Part) -> bool {
    let name = part.name.as_deref().map(Path::new);
    let ending = name.and_then(Path::extension);
    ["message/rfc822", "message/global"].contains(&&*part.media_type)
        || ending.is_some_and(|ending| ending.eq_ignore_ascii_case("eml"))
}

fn looks_like_text(head: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // A character may be cut at the end.
        Err(error) => error.error_len().is_none(),
    };
    is_utf8 && !head.contains(&0)
}

fn decoded(body: &[u8], encoding: Encoding) -> Vec<u8> {
    let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
    decoder.push(body, &mut out);
    decoder.finish(&mut out);
    out
}

/// Decodes transfer encoding and charset; what cannot be decoded is read as it stands.
fn text(part: &Part, header: &Header, body: &[u8], unread: &mut Option<Why>) -> String {
    let content_type = header.first("Content-Type").map(|field| field.text());
    let content_type = content_type.filter(|value| value.len() <= TYPE_BYTES_MAX);
    let charset = content_type.map_or_else(
        || "us-ascii".to_owned(),
        |value| mailparse::parse_content_type(&value).charset,
    );
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+".contains(&byte);
    let is_known =
        charset.bytes().all(is_token) && words::decode(&format!("=?{charset}?q?a?=")) == "a";
    if !is_known {
        *unread = Some(Why::Charset(charset.clone()));
    }
    let charset = if is_known { &charset } else { "utf-8" };
    // A body of its own with just these two fields: no nesting that another parser could see in it.
    let whole = |encoding: Encoding, body: &[u8]| {
        let head = format!(
            "Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {}\n\n",
            encoding_name(encoding)
        );
        let alone = [head.as_bytes(), body].concat();
        let decoded = mailparse::parse_mail(&alone).and_then(|mail| mail.get_body());
        decoded.ok()
    };
    if let Some(text) = whole(part.encoding, body) {
        return text;
    }
    *unread = Some(Why::Undecodable);
    let bytes = decoded(body, part.encoding);
    let text = Some(bytes).filter(|bytes| !bytes.is_empty());
    let text = text.and_then(|bytes| whole(Encoding::EightBit, &bytes));
    text.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Base64 => "base64",
        Encoding::QuotedPrintable => "quoted-printable",
        Encoding::SevenBit | Encoding::EightBit | Encoding::Binary | Encoding::Other => "8bit",
    }
}
