//! What a person reads of a message: a few header fields, its texts decoded, and a list of what else is in it. Messages within
//! the message are read too, also where they are encoded.
//!
//! Nothing of this is ever written into a message. The result is still hostile: the caller must escape it before showing it.

mod decoded;
mod outside;
#[cfg(test)]
mod tests;

use std::io::{self, BufReader, Read};

use super::header::{Header, HeaderEnd};
use super::reopen::Reopen;
use super::scan::{Disposition, Nested, Part, ScanError, Shape, scan};
use decoded::{Leaf, Leaves};
pub use decoded::{Unread, Why};
use outside::Outside;

/// How much of all texts together is read, in encoded bytes.
const TEXT_BYTES_MAX: u64 = 4 << 20;
/// Encoded messages within encoded messages that are read.
const NESTED_MAX: usize = 8;
/// Parts that are listed.
const LISTED_MAX: usize = 100;

/// A message as it is read.
#[derive(Debug)]
pub struct Display {
    /// Its header block.
    pub header: Header,
    /// Its texts, in their order, each message within before its texts.
    pub texts: Vec<Text>,
    /// Texts that are attached, or say in another form what a text says: they are not shown, but searched.
    pub attached: Vec<Text>,
    /// Everything that is attached, at most 100.
    pub others: Vec<Listed>,
    /// How many parts more there are.
    pub others_more: usize,
    /// What was not read, or not as it was meant.
    pub unread: Vec<Unread>,
    /// Messages within that were encoded, as far as they were read.
    pub messages: Vec<Vec<u8>>,
}

/// One text.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    /// The part's number; of text in a broken header or outside all parts that of the part it stands in.
    pub number: String,
    /// The text, decoded; of HTML what a reader would see of it.
    pub text: String,
    /// Whether the end is missing, since it is too long.
    pub is_cut: bool,
}

/// A part that is no text to be read here.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    /// The part's number.
    pub number: String,
    /// Its media type.
    pub media_type: String,
    /// Its file name, as it was declared.
    pub name: Option<String>,
    /// Its length in bytes, encoded.
    pub bytes: u64,
}

/// How much may still be read, of the message and of those within it.
struct Room {
    bytes: u64,
    nested: usize,
}

impl Display {
    /// The fields that are shown, in this order.
    pub const FIELDS: [&str; 5] = ["From", "To", "Cc", "Date", "Subject"];

    /// Reads a message. One that is too intricate to be taken apart is shown as the text that it is.
    ///
    /// # Errors
    /// When `message` cannot be read.
    pub fn of(message: &dyn Reopen) -> io::Result<Self> {
        let room = &mut Room {
            bytes: TEXT_BYTES_MAX,
            nested: NESTED_MAX,
        };
        Self::within(message, "", room)
    }

    /// Reads a message whose parts have numbers below `above`.
    fn within(message: &dyn Reopen, above: &str, room: &mut Room) -> io::Result<Self> {
        let mut outside = Outside::default();
        match scan(&mut message.open()?, Nested::Enter, &mut outside) {
            Ok(structure) => {
                let mut display = Self::empty(structure.header);
                display.read(message, &structure.parts, outside, above, room)?;
                Ok(display)
            }
            Err(ScanError::Read(error)) => Err(error),
            Err(ScanError::OverLimit { what, max }) => {
                let mut display = Self::as_text(message, room)?;
                display.unread.push(Unread {
                    number: numbered(above, "1"),
                    why: Why::Intricate { what, max },
                });
                Ok(display)
            }
        }
    }

    fn empty(header: Header) -> Self {
        Self {
            header,
            texts: Vec::new(),
            attached: Vec::new(),
            others: Vec::new(),
            others_more: 0,
            unread: Vec::new(),
            messages: Vec::new(),
        }
    }

    fn read(
        &mut self,
        message: &dyn Reopen,
        parts: &[Part],
        outside: Outside,
        above: &str,
        room: &mut Room,
    ) -> io::Result<()> {
        self.take_broken_header(None, above, room);
        let mut leaves = Leaves::new(message)?;
        for (at, part) in parts.iter().enumerate() {
            let number = numbered(above, &part.number);
            let header = leaves.header(part)?;
            if part
                .parent
                .is_some_and(|parent| parts[parent].shape == Shape::Message)
            {
                self.texts.push(fields(&header, &number));
            }
            if at > 0 {
                self.take_broken_header(Some(&header), &number, room);
            }
            if part.is_leaf() {
                let leaf = leaves.leaf(part, &number, &header, room)?;
                self.take(leaf, part, parts, &number, room)?;
            }
        }
        let is_seen = self.texts.iter().any(|text| !text.text.trim().is_empty());
        match outside.text(above) {
            Some(text) if is_seen => self.attached.push(text),
            text => self.texts.extend(text),
        }
        Ok(())
    }

    fn take(
        &mut self,
        leaf: Leaf,
        part: &Part,
        parts: &[Part],
        number: &str,
        room: &mut Room,
    ) -> io::Result<()> {
        let is_form = is_other_form(part, parts);
        let is_shown = !is_attached(part) && !is_form && is_shown(&part.media_type);
        if !is_form && (!is_shown || leaf.text.is_none()) {
            self.list(Listed::of(part, number.to_owned()));
        }
        self.unread.extend(leaf.unread.map(|why| Unread {
            number: number.to_owned(),
            why,
        }));
        match leaf.text {
            Some(text) if is_shown => self.texts.push(text),
            text => self.attached.extend(text),
        }
        match leaf.message {
            Some(bytes) => self.read_message(bytes, number, room),
            None => Ok(()),
        }
    }

    /// What follows a line in a header at which some readers see a text begin: it is shown, whatever it is.
    fn take_broken_header(&mut self, header: Option<&Header>, number: &str, room: &mut Room) {
        let text = header.unwrap_or(&self.header).doubtful_text();
        let count = usize::try_from(room.bytes)
            .unwrap_or(usize::MAX)
            .min(text.len());
        let is_cut = count < text.len();
        let text = with_lf(&text[..count]);
        if text.trim().is_empty() {
            return;
        }
        room.bytes -= count as u64;
        self.texts.push(Text {
            number: numbered(number, ""),
            text,
            is_cut,
        });
    }

    /// Reads a message that was encoded, or attached as a file.
    fn read_message(&mut self, bytes: Vec<u8>, number: &str, room: &mut Room) -> io::Result<()> {
        if room.nested == 0 {
            self.unread.push(Unread {
                number: number.to_owned(),
                why: Why::TooDeep,
            });
            return Ok(());
        }
        room.nested -= 1;
        let inner = Self::within(&bytes.as_slice(), number, room);
        room.nested += 1;
        let mut inner = inner?;
        self.texts.push(fields(&inner.header, number));
        self.texts.append(&mut inner.texts);
        self.attached.append(&mut inner.attached);
        self.unread.append(&mut inner.unread);
        self.others_more += inner.others_more;
        inner
            .others
            .into_iter()
            .for_each(|listed| self.list(listed));
        self.messages.push(bytes);
        self.messages.append(&mut inner.messages);
        Ok(())
    }

    fn list(&mut self, listed: Listed) {
        match self.others.len() < LISTED_MAX {
            true => self.others.push(listed),
            false => self.others_more += 1,
        }
    }

    fn as_text(message: &dyn Reopen, room: &mut Room) -> io::Result<Self> {
        let mut reader = BufReader::new(message.open()?);
        let header = Header::read(&mut reader)?;
        let mut bytes = match header.end() {
            HeaderEnd::OverLimit => header.bytes().to_vec(),
            HeaderEnd::EmptyLine | HeaderEnd::EndOfInput => Vec::new(),
        };
        let mut display = Self::empty(header);
        display.take_broken_header(None, "", room);
        reader.take(room.bytes + 1).read_to_end(&mut bytes)?;
        let is_cut = bytes.len() as u64 > room.bytes;
        room.bytes = room.bytes.saturating_sub(bytes.len() as u64);
        display.texts.push(Text {
            number: "1".to_owned(),
            text: with_lf(&bytes),
            is_cut,
        });
        Ok(display)
    }

    /// A field of the header, decoded.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        field_of(&self.header, name)
    }
}

impl Listed {
    fn of(part: &Part, number: String) -> Self {
        Self {
            number,
            media_type: part.media_type.clone(),
            name: part.name.clone(),
            bytes: part.body_bytes(),
        }
    }
}

fn field_of(header: &Header, name: &str) -> Option<String> {
    header
        .first(name)
        .map(|field| super::words::decode(&field.text()))
}

/// The fields of a message within, one on each line.
fn fields(header: &Header, number: &str) -> Text {
    let line = |name: &&str| Some(format!("{name}: {}", field_of(header, name)?));
    let lines: Vec<String> = Display::FIELDS.iter().filter_map(line).collect();
    Text {
        number: number.to_owned(),
        text: lines.join("\n"),
        is_cut: false,
    }
}

/// Text in which a bare CR may be the only line end.
fn with_lf(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The number of a part of a message that is itself a part.
fn numbered(above: &str, number: &str) -> String {
    match (above, number) {
        ("", "") => "1".to_owned(),
        ("", number) => number.to_owned(),
        (above, "") => above.to_owned(),
        (above, number) => format!("{above}.{number}"),
    }
}

/// Other kinds of text, such as tables and calendars, are for programs; they are listed, and searched.
fn is_shown(media_type: &str) -> bool {
    let kinds = [
        "text/plain",
        "text/html",
        "text/rfc822-headers",
        "text/enriched",
    ];
    kinds.contains(&media_type)
        || ["message/", "multipart/"]
            .iter()
            .any(|kind| media_type.starts_with(kind))
}

fn is_attached(part: &Part) -> bool {
    part.disposition == Some(Disposition::Attachment) || part.is_named
}

/// HTML beside a plain text that says the same (RFC 2046 §5.1.4).
fn is_other_form(part: &Part, parts: &[Part]) -> bool {
    let is_sibling =
        |other: &&Part| other.parent == part.parent && other.media_type == "text/plain";
    let of_alternative = |at: usize| parts[at].media_type == "multipart/alternative";
    part.media_type == "text/html"
        && part.parent.is_some_and(of_alternative)
        && parts.iter().any(|other| is_sibling(&other))
}
