//! Strict JSON: one object in one line, read without building a tree (FORMAT.md, "JSON").
//!
//! [`Text::check`] walks the whole line once and refuses everything that the format refuses in every object. After that,
//! callers that know the expected members read them as slices of the line. Nothing is allocated per value, so a hostile line
//! costs no more memory than its own text.

mod scan;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::time::Time;
use scan::Scanner;

/// The most members of one object.
pub const MEMBERS_MAX: usize = 64;

/// Why a line is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The line breaks a rule of the format.
    #[error("{0}")]
    Malformed(String),
    /// A limit of the format is exceeded.
    #[error("{0} over the limit")]
    OverLimit(String),
    /// A value that this version does not know.
    #[error("unknown {0}")]
    Newer(String),
}

impl Error {
    /// Makes an [`Error::Malformed`].
    #[must_use]
    pub fn malformed(what: &str) -> Self {
        Self::Malformed(what.to_owned())
    }

    /// Makes an [`Error::OverLimit`], for a text, list or line that is too long.
    #[must_use]
    pub fn over_limit(what: &str) -> Self {
        Self::OverLimit(what.to_owned())
    }

    /// Makes an [`Error::Newer`], for a value that only a newer version defines.
    #[must_use]
    pub fn newer(what: String) -> Self {
        Self::Newer(what)
    }

    /// The error for a member that the format does not define.
    #[must_use]
    pub fn unknown(name: &str) -> Self {
        Self::Newer(format!("member {name:?}"))
    }

    /// The error for a required member that is missing.
    #[must_use]
    pub fn missing(name: &str) -> Self {
        Self::Malformed(format!("member {name:?} is missing"))
    }
}

/// A line that was checked: one JSON object under the format's rules.
#[derive(Clone, Copy)]
pub struct Text<'a>(Value<'a>);

impl<'a> Text<'a> {
    /// Checks `line` from its first byte to its last.
    ///
    /// # Errors
    /// [`Error::Malformed`], or [`Error::OverLimit`] for an object of more than 64 members.
    pub fn check(line: &'a [u8]) -> Result<Self, Error> {
        let line = std::str::from_utf8(line).map_err(|_| Error::malformed("invalid UTF-8"))?;
        if has_controls(line.as_bytes()) {
            return Err(Error::malformed("a control character"));
        }
        let mut scanner = Scanner::new(line);
        scanner.blanks();
        let at = scanner.at();
        scanner.check_value(1)?;
        let value = Value(&line[at..scanner.at()]);
        scanner.blanks();
        if !scanner.is_at_end() {
            return Err(Error::malformed("text behind the object"));
        }
        if value.0.starts_with('{') {
            Ok(Self(value))
        } else {
            Err(Error::malformed("not an object"))
        }
    }

    /// Calls `member` with each name and value, in the order of the text.
    ///
    /// # Errors
    /// Those of `member`.
    pub fn object(
        &self,
        member: impl FnMut(&str, Value<'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.0.object(member)
    }
}

/// One value of a checked text, as its characters in the line.
#[derive(Clone, Copy)]
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// The value as it stands in the line, without the blanks around it.
    #[must_use]
    pub fn written(self) -> &'a str {
        self.0
    }

    /// The members of an object.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else, and those of `member`.
    pub fn object(
        self,
        mut member: impl FnMut(&str, Value<'a>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut scanner = self.open('{', "an object")?;
        while !scanner.closed('}') {
            let name = unescape(scanner.skip_string());
            scanner.skip_colon();
            member(&name, Value(scanner.skip_value()))?;
        }
        Ok(())
    }

    /// The items of an array of at most `max`, each turned into a `T`.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else, [`Error::OverLimit`], and those of `item`.
    pub fn array<T>(
        self,
        max: usize,
        mut item: impl FnMut(Value<'a>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut scanner = self.open('[', "an array")?;
        let mut items = Vec::new();
        while !scanner.closed(']') {
            if items.len() == max {
                return Err(Error::OverLimit(format!("a list of more than {max}")));
            }
            items.push(item(Value(scanner.skip_value()))?);
        }
        Ok(items)
    }

    /// A text of at most `max` bytes of UTF-8, unescaped.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else, [`Error::OverLimit`].
    pub fn text(self, max: usize) -> Result<Cow<'a, str>, Error> {
        if !self.0.starts_with('"') {
            return Err(Error::malformed("expected a text, found something else"));
        }
        let text = unescape(self.0);
        if text.len() > max {
            Err(Error::OverLimit(format!("a text of more than {max} bytes")))
        } else {
            Ok(text)
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else.
    pub fn boolean(self) -> Result<bool, Error> {
        match self.0 {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Error::malformed(
                "expected true or false, found something else",
            )),
        }
    }

    /// A number of at most ten digits.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else.
    pub fn number(self) -> Result<u64, Error> {
        // The scanner accepted only numbers from 0 to 9,999,999,999.
        self.0
            .parse()
            .map_err(|_| Error::malformed("expected a number, found something else"))
    }

    /// A time.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else.
    pub fn time(self) -> Result<Time, Error> {
        self.text(usize::MAX)?
            .parse()
            .map_err(|_| Error::malformed("expected a time, found something else"))
    }

    /// Exactly `N` bytes in base64.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else.
    pub fn base64<const N: usize>(self) -> Result<[u8; N], Error> {
        from_b64(self.text(usize::MAX)?.as_bytes())
    }

    /// Bytes in base64 of one of these lengths.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else.
    pub fn base64_of(self, lengths: &[usize]) -> Result<Vec<u8>, Error> {
        let bytes = STANDARD.decode(self.text(usize::MAX)?.as_bytes()).ok();
        bytes
            .filter(|bytes| lengths.contains(&bytes.len()))
            .ok_or_else(not_base64)
    }

    /// At most `max` bytes in base64.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else, [`Error::OverLimit`].
    pub fn base64_up_to(self, max: usize) -> Result<Vec<u8>, Error> {
        let text = self.text(max.div_ceil(3) * 4)?;
        let bytes = STANDARD.decode(text.as_bytes());
        let bytes = bytes.map_err(|_| not_base64())?;
        match bytes.len() <= max {
            true => Ok(bytes),
            false => Err(Error::OverLimit(format!("more than {max} bytes in base64"))),
        }
    }

    /// `true`: where `false` is said by leaving the member out.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the value is something else.
    pub fn is_set(self) -> Result<(), Error> {
        match self.boolean()? {
            true => Ok(()),
            false => Err(Error::malformed("expected true, found false")),
        }
    }

    fn open(self, bracket: char, what: &str) -> Result<Scanner<'a>, Error> {
        if self.0.starts_with(bracket) {
            Ok(Scanner::inside(self.0))
        } else {
            Err(Error::Malformed(format!(
                "expected {what}, found something else"
            )))
        }
    }
}

/// Decodes exactly `N` bytes from canonical base64 with padding (RFC 4648 §4).
///
/// # Errors
/// [`Error::Malformed`].
pub fn from_b64<const N: usize>(text: &[u8]) -> Result<[u8; N], Error> {
    let bytes = STANDARD.decode(text).map_err(|_| not_base64())?;
    bytes.try_into().map_err(|_| not_base64())
}

fn not_base64() -> Error {
    Error::malformed("not canonical base64, or not as long as expected")
}

/// Encodes bytes as base64 with padding (RFC 4648 §4).
#[must_use]
pub fn to_b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Writes bytes as base64, for `#[serde(serialize_with)]`.
///
/// # Errors
/// Those of the serializer.
pub fn b64<S: serde::Serializer>(bytes: &impl AsRef<[u8]>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&to_b64(bytes.as_ref()))
}

/// Whether a text is allowed in a line: it has no character that hides, reorders or breaks displayed text.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    !text.chars().any(is_refused)
}

/// Whether there is an ASCII control character. Checks many bytes at a time, since an access line may have 40 MiB.
fn has_controls(text: &[u8]) -> bool {
    let control = |byte: &u8| *byte < 0x20 || *byte == 0x7F;
    let any = |chunk: &[u8]| chunk.iter().fold(false, |any, byte| any | control(byte));
    text.chunks(256).any(any)
}

/// Whether the format refuses a character: controls, line and paragraph separators, bidirectional embeddings, overrides and
/// isolates, byte order mark.
#[must_use]
pub fn is_refused(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1F}'
            | '\u{7F}'..='\u{9F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
            | '\u{FEFF}'
    )
}

/// The text of a checked string token, quotes included.
fn unescape(token: &str) -> Cow<'_, str> {
    let inner = &token[1..token.len() - 1];
    if inner.contains('\\') {
        Cow::Owned(serde_json::from_str(token).expect("the token was checked"))
    } else {
        Cow::Borrowed(inner)
    }
}

#[cfg(test)]
mod tests;
