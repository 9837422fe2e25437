//! The scanner of JSON text: it checks a whole text once, and then skips over checked values.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Error, MEMBERS_MAX, is_clean};

/// Levels of nested objects and arrays; the outermost object is level 1.
const DEPTH_MAX: usize = 8;
const DIGITS_MAX: usize = 10;

/// In a longer text, detecting the processor's vector instructions saves time. It takes 30 µs in a virtual machine, once per
/// run.
const LONG_BYTES: usize = 64 << 10;
/// Bytes that are searched together in shorter texts.
const BLOCK_BYTES: usize = 32;
/// Whether any text so far was longer than `LONG_BYTES`.
static ARE_LONG: AtomicBool = AtomicBool::new(false);

/// A position in a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        if text.len() > LONG_BYTES {
            ARE_LONG.store(true, Ordering::Relaxed);
        }
        Self { text, at: 0 }
    }

    /// Starts after the opening bracket of a checked value.
    pub(super) fn inside(text: &'a str) -> Self {
        Self { text, at: 1 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Skips spaces. Any other white space is a control character, which was refused before.
    pub(super) fn blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn unexpected(&self) -> Error {
        Error::Malformed(format!("not JSON at byte {}", self.at))
    }

    // ---- Checking -------------------------------------------------------------------------------------------

    /// Checks the value that begins here, on the given level of nesting.
    pub(super) fn check_value(&mut self, level: usize) -> Result<(), Error> {
        match self.peek() {
            Some(b'{' | b'[') if level > DEPTH_MAX => {
                Err(Error::Malformed(format!("nested over {DEPTH_MAX} levels")))
            }
            Some(b'{') => self.check_object(level),
            Some(b'[') => self.check_array(level),
            Some(b'"') => self.check_string().map(drop),
            Some(b'0'..=b'9') => self.check_number(),
            Some(b't') => self.check_word("true"),
            Some(b'f') => self.check_word("false"),
            _ => Err(self.unexpected()),
        }
    }

    fn check_object(&mut self, level: usize) -> Result<(), Error> {
        // At most 64 names: comparing them costs less than hashing them.
        let mut names: Vec<Cow<'_, str>> = Vec::new();
        self.at += 1;
        self.blanks();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let name = self.check_string()?;
            if names.contains(&name) {
                return Err(Error::malformed("a member's name twice in one object"));
            }
            names.push(name);
            if names.len() > MEMBERS_MAX {
                return Err(Error::OverLimit(format!(
                    "an object of more than {MEMBERS_MAX} members"
                )));
            }
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            self.check_value(level + 1)?;
            self.blanks();
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',')?;
            self.blanks();
        }
    }

    fn check_array(&mut self, level: usize) -> Result<(), Error> {
        self.at += 1;
        self.blanks();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.check_value(level + 1)?;
            self.blanks();
            if self.take(b']') {
                return Ok(());
            }
            self.expect(b',')?;
            self.blanks();
        }
    }

    /// Checks a string and returns its text.
    fn check_string(&mut self) -> Result<Cow<'a, str>, Error> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let start = self.at;
        let (end, is_escaped) = self
            .string_end()
            .ok_or_else(|| Error::malformed("a text without an end"))?;
        self.at = end;
        let token = &self.text[start..end];
        let inner = &token[1..token.len() - 1];
        if !is_escaped && !inner.is_empty() && inner.is_ascii() {
            // Control characters were refused before, and no other ASCII character is refused.
            return Ok(Cow::Borrowed(inner));
        }
        let text = if is_escaped {
            // serde_json decodes the escapes, and refuses lone surrogates.
            Cow::Owned(
                serde_json::from_str(token)
                    .map_err(|_| Error::malformed("an escape that is none"))?,
            )
        } else {
            Cow::Borrowed(inner)
        };
        match () {
            () if text.is_empty() => Err(Error::malformed("an empty text")),
            () if !is_clean(&text) => Err(Error::malformed("a character that the format refuses")),
            () => Ok(text),
        }
    }

    fn check_number(&mut self) -> Result<(), Error> {
        let digits = self.text.as_bytes()[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let leading_zero = digits > 1 && self.peek() == Some(b'0');
        self.at += digits;
        let goes_on = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        if leading_zero || digits > DIGITS_MAX || goes_on {
            return Err(Error::malformed(
                "a number that is not 0 to 9999999999 in plain digits",
            ));
        }
        Ok(())
    }

    fn check_word(&mut self, word: &str) -> Result<(), Error> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.unexpected());
        }
        self.at += word.len();
        Ok(())
    }

    // ---- Skipping what was checked ----------------------------------------------------------------------------

    /// Whether the object or array ends here. If not, moves to its next member or item.
    pub(super) fn closed(&mut self, bracket: char) -> bool {
        self.blanks();
        if self.take(b',') {
            self.blanks();
        }
        self.peek() == u8::try_from(bracket).ok()
    }

    pub(super) fn skip_string(&mut self) -> &'a str {
        let start = self.at;
        self.at = self.string_end().map_or(self.text.len(), |(end, _)| end);
        &self.text[start..self.at]
    }

    pub(super) fn skip_colon(&mut self) {
        self.blanks();
        self.take(b':');
        self.blanks();
    }

    /// The characters of the value that begins here.
    pub(super) fn skip_value(&mut self) -> &'a str {
        let start = self.at;
        let mut level = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.skip_string();
                }
                b'{' | b'[' => {
                    level += 1;
                    self.at += 1;
                }
                b'}' | b']' if level > 0 => {
                    level -= 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' | b' ' if level == 0 => break,
                _ => self.at += 1,
            }
            if level == 0 && matches!(byte, b'"' | b'}' | b']') {
                break;
            }
        }
        &self.text[start..self.at]
    }

    /// The position after the closing quote of the string that begins here, and whether the string has escapes.
    fn string_end(&self) -> Option<(usize, bool)> {
        let bytes = self.text.as_bytes();
        let (mut at, mut is_escaped) = (self.at + 1, false);
        loop {
            at += quote_or_escape(bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                return Some((at + 1, is_escaped));
            }
            is_escaped = true;
            at += 2;
        }
    }
}

fn quote_or_escape(bytes: &[u8]) -> Option<usize> {
    if ARE_LONG.load(Ordering::Relaxed) {
        return memchr::memchr2(b'"', b'\\', bytes);
    }
    // Search in blocks, for which the compiler uses the vector instructions that every processor has.
    let is_match = |byte: &u8| matches!(byte, b'"' | b'\\');
    let has_match = |block: &&[u8]| {
        block
            .iter()
            .fold(false, |found, byte| found | is_match(byte))
    };
    let blocks = bytes.chunks_exact(BLOCK_BYTES);
    let from = BLOCK_BYTES * blocks.take_while(|block| !has_match(block)).count();
    let found = bytes[from..].iter().position(is_match);
    found.map(|at| from + at)
}
