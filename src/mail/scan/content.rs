//! What the `Content-*` fields of one part say, read tolerantly and by one rule for writer and reader.
//!
//! The first field of a name counts, and in it the first parameter of a name. A parameter in sections (RFC 2231: `boundary*0=`,
//! `boundary*1=`) is joined from 0 up to the first number that is missing, and only when the plain name is not there. Comments
//! stand before and after names and values, never inside a value; one that is not closed takes the rest of the field.

use std::collections::HashMap;

use super::super::header::{Header, is_blank};
use super::{Disposition, Encoding};

/// The longest media type (RFC 6838 §4.2: 127 bytes on each side). A longer one is none.
const MEDIA_TYPE_BYTES_MAX: usize = 255;
/// The longest field from which a file name is decoded, in bytes: decoding takes the square of it, for each of thousands of parts.
const NAME_FIELD_BYTES_MAX: usize = 4 << 10;
/// The longest file name that is reported, in bytes.
const NAME_BYTES_MAX: usize = 1_024;

const TEXT_PLAIN: &str = "text/plain";

/// The `Content-*` fields of one part.
pub(super) struct Content {
    pub(super) media_type: String,
    /// What separates the parts of a multipart; never empty.
    pub(super) boundary: Option<Vec<u8>>,
    pub(super) encoding: Encoding,
    pub(super) disposition: Option<Disposition>,
    pub(super) is_named: bool,
    pub(super) name: Option<String>,
}

impl Content {
    /// Reads the fields; `default` is the media type where no field names one.
    pub(super) fn of(header: &Header, default: &str) -> Self {
        let unfolded = |name| header.first(name).map(|field| field.unfolded());
        let of_type = unfolded("content-type");
        let of_disposition = unfolded("content-disposition");
        let (media_type, parameters) = match &of_type {
            None => (default.to_owned(), Parameters::new()),
            Some(value) => media_type_of(value),
        };
        let (word, disposition_parameters) = match &of_disposition {
            None => (None, Parameters::new()),
            Some(value) => {
                let mut value = Value { rest: value };
                (Some(value.word()), value.parameters())
            }
        };
        let disposition = word.filter(|word| !word.is_empty()).map(|word| {
            // RFC 2183 §2.8: what is not known is an attachment.
            if word.eq_ignore_ascii_case(b"inline") {
                Disposition::Inline
            } else {
                Disposition::Attachment
            }
        });
        Self {
            boundary: boundary(&media_type, &parameters),
            encoding: Encoding::of(header),
            disposition,
            is_named: is_named(&parameters, "name")
                || is_named(&disposition_parameters, "filename"),
            name: file_name(of_disposition.as_deref(), of_type.as_deref()),
            media_type,
        }
    }
}

fn boundary(media_type: &str, parameters: &Parameters) -> Option<Vec<u8>> {
    let mut boundary = media_type
        .starts_with("multipart/")
        .then(|| joined(parameters, "boundary"))?;
    // RFC 2046 §5.1.1: a boundary does not end in a blank; behind one, blanks are padding.
    let last = boundary.iter().rposition(|byte| !is_blank(*byte))?;
    boundary.truncate(last + 1);
    Some(boundary)
}

fn media_type_of(value: &[u8]) -> (String, Parameters) {
    let mut value = Value { rest: value };
    let mut media_type = value.word();
    value.skip_blanks();
    // `text / plain` was once allowed (RFC 822 §3.1.4).
    if media_type.ends_with(b"/") || value.rest.starts_with(b"/") {
        media_type.extend(value.word());
        value.skip_blanks();
        if media_type.ends_with(b"/") {
            media_type.extend(value.word());
        }
    }
    let mut sides = media_type.splitn(2, |byte| *byte == b'/');
    let mut is_side = || {
        let side = sides.next().unwrap_or_default();
        !side.is_empty()
            && side
                .iter()
                .all(|byte| byte.is_ascii_graphic() && *byte != b'/')
    };
    let fits = media_type.len() <= MEDIA_TYPE_BYTES_MAX && is_side() && is_side();
    let media_type = if fits {
        String::from_utf8_lossy(&media_type).to_ascii_lowercase()
    } else {
        TEXT_PLAIN.to_owned() // RFC 2045 §5.2
    };
    (media_type, value.parameters())
}

impl Encoding {
    /// How the body behind this header is encoded.
    #[must_use]
    pub fn of(header: &Header) -> Self {
        let field = header.first("content-transfer-encoding");
        field.map_or(Self::SevenBit, |field| encoding_of(&field.unfolded()))
    }
}

fn encoding_of(value: &[u8]) -> Encoding {
    let word = Value { rest: value }.word().to_ascii_lowercase();
    match word.as_slice() {
        b"" | b"7bit" => Encoding::SevenBit,
        b"8bit" => Encoding::EightBit,
        b"binary" => Encoding::Binary,
        b"base64" => Encoding::Base64,
        b"quoted-printable" => Encoding::QuotedPrintable,
        _ => Encoding::Other,
    }
}

/// The first value of each parameter, by its name in lower case.
type Parameters = HashMap<Vec<u8>, Vec<u8>>;

/// Whether a parameter of that name is there in any form: plain, extended or in sections.
fn is_named(parameters: &Parameters, name: &str) -> bool {
    parameters.iter().any(|(found, value)| {
        let rest = found.strip_prefix(name.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"*")) && !value.is_empty()
    })
}

/// The value of a parameter: plain, else extended, else joined from its sections.
fn joined(parameters: &Parameters, name: &str) -> Vec<u8> {
    let find = |name: String| parameters.get(name.as_bytes());
    if let Some(value) = find(name.to_owned()) {
        return value.clone();
    }
    if let Some(extended) = find(format!("{name}*")) {
        return percent_decoded(without_charset(extended));
    }
    let mut sections = Vec::new();
    for number in 0.. {
        let plain = find(format!("{name}*{number}"));
        match (plain, find(format!("{name}*{number}*"))) {
            (Some(value), _) => sections.extend_from_slice(value),
            (None, Some(value)) if number == 0 => {
                sections.extend(percent_decoded(without_charset(value)));
            }
            (None, Some(value)) => sections.extend(percent_decoded(value)),
            (None, None) => break,
        }
    }
    sections
}

/// RFC 2231 §4: `charset'language'text`.
fn without_charset(value: &[u8]) -> &[u8] {
    let mut pieces = value.splitn(3, |byte| *byte == b'\'');
    pieces.nth(2).unwrap_or(value)
}

fn percent_decoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        let byte = (*first == b'%').then(|| hex_pair(after)).flatten();
        out.push(byte.unwrap_or(*first));
        rest = &after[if byte.is_some() { 2 } else { 0 }..];
    }
    out
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

/// The file name as mail programs show it, for display only.
fn file_name(disposition: Option<&[u8]>, media_type: Option<&[u8]>) -> Option<String> {
    let decoded = |value: &[u8]| {
        if value.len() > NAME_FIELD_BYTES_MAX {
            return None;
        }
        let raw = [b"X: ", value].concat();
        Some(mailparse::parse_header(&raw).ok()?.0.get_value())
    };
    let of_disposition = || {
        let value = decoded(disposition?)?;
        let mut found = mailparse::parse_content_disposition(&value);
        found.params.remove("filename")
    };
    let of_type = || {
        let value = decoded(media_type?)?;
        let mut found = mailparse::parse_content_type(&value);
        found.params.remove("name")
    };
    of_disposition()
        .or_else(of_type)
        .filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX)
}

/// What is still unread of a field's value.
struct Value<'a> {
    rest: &'a [u8],
}

impl Value<'_> {
    /// The next word, up to a blank, `;` or a comment.
    fn word(&mut self) -> Vec<u8> {
        self.skip_blanks();
        self.take_until(|byte| is_blank(byte) || matches!(byte, b';' | b'('))
    }

    fn parameters(&mut self) -> Parameters {
        let mut parameters = Parameters::new();
        while self.skip_to_semicolon() {
            if let Some((name, value)) = self.parameter() {
                parameters.entry(name).or_insert(value);
            }
        }
        parameters
    }

    fn parameter(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.skip_blanks();
        let ends_name = |byte| is_blank(byte) || matches!(byte, b'=' | b';' | b'(');
        let name = self.take_until(ends_name).to_ascii_lowercase();
        self.skip_blanks();
        self.rest = self.rest.strip_prefix(b"=")?;
        self.skip_blanks();
        let value = if self.rest.first() == Some(&b'"') {
            self.quoted()
        } else {
            self.take_until(|byte| is_blank(byte) || byte == b';')
        };
        Some((name, value))
    }

    /// Goes behind the next `;` that stands in no quotes and no comment; false if there is none.
    fn skip_to_semicolon(&mut self) -> bool {
        loop {
            self.take_until(|byte| matches!(byte, b';' | b'"' | b'('));
            match self.rest.first() {
                None => return false,
                Some(b'"') => {
                    self.quoted();
                }
                Some(b'(') => self.skip_comment(),
                Some(_) => {
                    self.rest = &self.rest[1..];
                    return true;
                }
            }
        }
    }

    fn take_until(&mut self, ends: impl Fn(u8) -> bool) -> Vec<u8> {
        let end = self.rest.iter().position(|byte| ends(*byte));
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken.to_vec()
    }

    /// A quoted string; one that is not closed goes to the end.
    fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut bytes = self.rest[1..].iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => break,
                b'\\' => text.extend(bytes.next()),
                other => text.push(*other),
            }
        }
        self.rest = bytes.as_slice();
        text
    }

    fn skip_blanks(&mut self) {
        loop {
            let blanks = self.rest.iter().take_while(|byte| is_blank(**byte)).count();
            self.rest = &self.rest[blanks..];
            if self.rest.first() != Some(&b'(') {
                return;
            }
            self.skip_comment();
        }
    }

    /// RFC 5322 §3.2.2: comments nest.
    fn skip_comment(&mut self) {
        let mut depth = 0_usize;
        let mut bytes = self.rest.iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => {
                    bytes.next();
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        self.rest = bytes.as_slice();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::HeaderEnd;
    use super::*;

    fn content(fields: &str) -> Content {
        let header = Header::new(fields.as_bytes().to_vec(), HeaderEnd::EndOfInput);
        Content::of(&header, TEXT_PLAIN)
    }

    fn boundary_of(rest: &str) -> Option<String> {
        let found = content(&format!("Content-Type: multipart/mixed{rest}\n"));
        found.boundary.map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn a_boundary_is_found_in_every_spelling() {
        for rest in [
            "; boundary=b1",
            ";boundary=\"b1\"",
            "; charset=x; BOUNDARY = b1 ; boundary=b2",
            " (a comment; boundary=no);\n\tboundary=b1 (and one here)",
            "; (boundary=no) boundary (no) = (no) b1",
            "; boundary=\"b\\1\"",
            "; boundary=\"b1 \t\"",
            "; name=\"a;boundary=no\"; boundary=b1",
            "; junk; ; =; boundary=b1; boundary=\"no",
            "; boundary=\"b1",
            "; boundary*0=b; boundary*1=1; boundary*3=no",
            "; boundary*1=1; boundary*0*=us-ascii''%62",
            "; boundary*=us-ascii'en'b%31",
            "; boundary*0=no; boundary=b1",
        ] {
            assert_eq!(boundary_of(rest).as_deref(), Some("b1"), "{rest}");
        }
        assert_eq!(
            boundary_of("; boundary=----=_Part_1(2)\"3\"").as_deref(),
            Some("----=_Part_1(2)\"3\"")
        );
    }

    #[test]
    fn no_boundary_is_none() {
        for rest in [
            "",
            ";",
            "; boundary",
            "; boundary=",
            "; boundary=\"\"",
            "; boundary=\" \"",
            "; (boundary=b1",
            "; xboundary=b1",
            "; boundary*1=b1",
            " boundary=b1",
        ] {
            assert_eq!(boundary_of(rest), None, "{rest}");
        }
        assert!(
            content("Content-Type: text/plain; boundary=b1")
                .boundary
                .is_none()
        );
    }

    #[test]
    fn media_types_are_tokens_or_plain_text() {
        for (value, expected) in [
            ("IMAGE/Png; name=x", "image/png"),
            ("(a) text (b) / (c) html (d)", "text/html"),
            ("text /html", "text/html"),
            ("text", TEXT_PLAIN),
            ("", TEXT_PLAIN),
            ("a/b/c", TEXT_PLAIN),
            ("/b", TEXT_PLAIN),
            ("a/\u{fc}", TEXT_PLAIN),
        ] {
            let fields = format!("Content-Type: {value}\nContent-Type: x/y\n");
            assert_eq!(content(&fields).media_type, expected, "{value}");
        }
        let long = format!("Content-Type: a/{}", "b".repeat(MEDIA_TYPE_BYTES_MAX));
        assert_eq!(content(&long).media_type, TEXT_PLAIN);
    }

    #[test]
    fn dispositions_encodings_and_names() {
        let found = content(
            "Content-Disposition: attachment; filename*0*=utf-8''%C3%BC; filename*1=.pdf\n\
             Content-Transfer-Encoding: BASE64 (of course)\nContent-Type: a/b; name=other\n",
        );
        assert_eq!(found.disposition, Some(Disposition::Attachment));
        assert_eq!(found.encoding, Encoding::Base64);
        assert!(found.is_named);
        assert_eq!(found.name.as_deref(), Some("\u{fc}.pdf"));
        let found =
            content("Content-Disposition: INLINE;\nContent-Type: a/b; name=\"=?utf-8?q?=C3=BC?=\"");
        assert_eq!(found.disposition, Some(Disposition::Inline));
        assert_eq!(found.name.as_deref(), Some("\u{fc}"));
        let found =
            content("Content-Disposition: ;filename=\nContent-Transfer-Encoding: uuencode\n");
        assert_eq!(found.disposition, None);
        assert_eq!(found.encoding, Encoding::Other);
        assert!(!found.is_named && found.name.is_none());
    }

    #[test]
    fn a_hostile_field_takes_linear_time() {
        for piece in ["(", ";", "\"", "=", "a*", "boundary*0=x;", "\\(", "/"] {
            let text = format!("Content-Type: multipart/mixed; {}", piece.repeat(100_000));
            content(&text);
        }
    }
}
