//! What a person reads of a message: a few header fields, its texts decoded, and a list of what else is in it.
//!
//! Nothing of this is ever written into a message. The result is still hostile: the caller must escape it before showing it.

use std::io::{self, BufReader, Read};

use super::header::{Header, HeaderEnd};
use super::html;
use super::reopen::Reopen;
use super::scan::{Disposition, Encoding, Nested, Part, ScanError, scan};

/// How much of all texts together is shown, in encoded bytes.
const TEXT_BYTES_MAX: u64 = 4 << 20;
/// The longest content type from which a charset is taken, in bytes: decoding takes the square of it.
const TYPE_BYTES_MAX: usize = 4 << 10;
/// Parts that are listed.
const LISTED_MAX: usize = 100;

/// A message as it is read.
#[derive(Debug)]
pub struct Display {
    /// Its header block.
    pub header: Header,
    /// Its texts, in their order.
    pub texts: Vec<Text>,
    /// Everything else, at most 100.
    pub others: Vec<Listed>,
    /// How many parts more there are.
    pub others_more: usize,
}

/// One text.
#[derive(Debug, PartialEq, Eq)]
pub struct Text {
    /// The part's number.
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

impl Display {
    /// The fields that are shown, in this order.
    pub const FIELDS: [&str; 5] = ["From", "To", "Cc", "Date", "Subject"];

    /// Reads a message. One that is too intricate to be taken apart is shown as the text that it is.
    ///
    /// # Errors
    /// When `message` cannot be read.
    pub fn of(message: &dyn Reopen) -> io::Result<Self> {
        match scan(&mut message.open()?, Nested::Leaf, &mut ()) {
            Ok(structure) => Self::of_parts(message, structure.header, &structure.parts),
            Err(ScanError::Read(error)) => Err(error),
            Err(ScanError::OverLimit { .. }) => Self::as_text(message),
        }
    }

    fn of_parts(message: &dyn Reopen, header: Header, parts: &[Part]) -> io::Result<Self> {
        let leaves = parts
            .iter()
            .filter(|part| part.is_leaf() && !is_other_form(part, parts));
        let (texts, others): (Vec<&Part>, Vec<&Part>) = leaves.partition(|part| is_text(part));
        Ok(Self {
            header,
            texts: decoded(message, &texts)?,
            others: others
                .iter()
                .take(LISTED_MAX)
                .map(|part| Listed::of(part))
                .collect(),
            others_more: others.len().saturating_sub(LISTED_MAX),
        })
    }

    fn as_text(message: &dyn Reopen) -> io::Result<Self> {
        let mut reader = BufReader::new(message.open()?);
        let header = Header::read(&mut reader)?;
        let mut bytes = match header.end() {
            HeaderEnd::OverLimit => header.bytes().to_vec(),
            HeaderEnd::EmptyLine | HeaderEnd::EndOfInput => Vec::new(),
        };
        reader.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        let is_cut = bytes.len() as u64 > TEXT_BYTES_MAX;
        Ok(Self {
            header,
            texts: vec![Text {
                number: "1".to_owned(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
                is_cut,
            }],
            others: Vec::new(),
            others_more: 0,
        })
    }

    /// A field of the header, decoded.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.header
            .first(name)
            .map(|field| super::words::decode(&field.text()))
    }
}

impl Listed {
    fn of(part: &Part) -> Self {
        Self {
            number: part.number.clone(),
            media_type: part.media_type.clone(),
            name: part.name.clone(),
            bytes: part.body_bytes(),
        }
    }
}

fn is_text(part: &Part) -> bool {
    matches!(&*part.media_type, "text/plain" | "text/html")
        && part.disposition != Some(Disposition::Attachment)
        && !part.is_named
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

/// Reads the texts in one pass over the message.
fn decoded(message: &dyn Reopen, texts: &[&Part]) -> io::Result<Vec<Text>> {
    let mut reader = message.open()?;
    let (mut at, mut room) = (0, TEXT_BYTES_MAX);
    let mut decoded = Vec::new();
    for part in texts {
        io::copy(&mut reader.by_ref().take(part.start - at), &mut io::sink())?;
        let (mut header, mut body) = (Vec::new(), Vec::new());
        reader
            .by_ref()
            .take(part.body - part.start)
            .read_to_end(&mut header)?;
        let count = part.body_bytes().min(room);
        reader.by_ref().take(count).read_to_end(&mut body)?;
        at = part.body + count;
        room -= count;
        let text = text(part, header, &body);
        decoded.push(Text {
            number: part.number.clone(),
            text: if part.media_type == "text/html" {
                html::text(&text)
            } else {
                text
            },
            is_cut: count < part.body_bytes(),
        });
    }
    Ok(decoded)
}

/// Decodes transfer encoding and charset; what cannot be decoded is shown as it stands.
fn text(part: &Part, header: Vec<u8>, body: &[u8]) -> String {
    let header = Header::new(header, HeaderEnd::EmptyLine);
    let content_type = header.first("Content-Type").map(|field| field.text());
    let content_type = content_type.filter(|value| value.len() <= TYPE_BYTES_MAX);
    let charset = content_type.map_or_else(
        || "us-ascii".to_owned(),
        |value| mailparse::parse_content_type(&value).charset,
    );
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+".contains(&byte);
    let charset = if charset.bytes().all(is_token) {
        &charset
    } else {
        "utf-8"
    };
    // A body of its own with just these two fields: no nesting that another parser could see in it.
    let alone = [
        format!(
            "Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {}\n\n",
            encoding_name(part.encoding)
        )
        .as_bytes(),
        body,
    ]
    .concat();
    let decoded = mailparse::parse_mail(&alone).and_then(|mail| mail.get_body());
    decoded.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned())
}

fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Base64 => "base64",
        Encoding::QuotedPrintable => "quoted-printable",
        Encoding::SevenBit | Encoding::EightBit | Encoding::Binary | Encoding::Other => "8bit",
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn shown(message: &str) -> Display {
        Display::of(&message.as_bytes()).unwrap()
    }

    #[test]
    fn texts_are_decoded_and_attachments_listed() {
        let display = shown(
            "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
             Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n\
             f=FCr dich\n--b\nContent-Type: application/pdf; name=a.pdf\n\nxxxx\n--b--\n",
        );
        assert_eq!(display.field("subject").unwrap(), "Gr\u{fc}\u{df}e");
        assert_eq!(display.texts[0].text.trim(), "f\u{fc}r dich");
        assert_eq!(display.others[0].name.as_deref(), Some("a.pdf"));
        assert_eq!(display.others[0].bytes, 4);
    }

    #[test]
    fn of_two_forms_the_plain_one_is_shown() {
        let display = shown(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\n\
             Content-Type: text/html\n\n<p>rich\n--b--\n",
        );
        assert_eq!(display.texts.len(), 1);
        assert_eq!(display.texts[0].text.trim(), "plain");
        assert!(display.others.is_empty());
    }

    #[test]
    fn html_alone_is_read_as_text() {
        let display = shown("Content-Type: text/html\n\n<p>a &amp; b<br>c<script>x()</script>\n");
        assert_eq!(display.texts[0].text.trim(), "a & b\nc");
    }

    #[test]
    fn an_unknown_charset_and_bad_base64_are_shown_as_they_stand() {
        let display = shown(
            "Content-Type: text/plain; charset=\"x; y\"\nContent-Transfer-Encoding: base64\n\n%%%\n",
        );
        assert!(display.texts[0].text.contains("%%%"));
    }

    #[test]
    fn a_message_beyond_the_limits_is_text() {
        let mut deep = String::new();
        for depth in 0..150 {
            writeln!(
                deep,
                "Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}"
            )
            .unwrap();
        }
        assert!(shown(&deep).texts[0].text.contains("--b1"));
    }
}
