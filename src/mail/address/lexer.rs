//! The lexical tokens of structured header fields (RFC 5322 §3.2, with UTF-8 as RFC 6532 has it).

use std::ops::Range;

use super::{AddressError, AddressFault};

/// Comments within comments; RFC 5322 sets no limit, people need one.
pub(crate) const COMMENT_DEPTH_MAX: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Atom,
    /// With its quotes.
    Quoted,
    /// With its outer parentheses.
    Comment,
    /// A domain literal with its brackets.
    Literal,
    /// One of `<>@,;:.`
    Special(u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) place: Range<usize>,
}

/// Gives one token after the other and never goes back.
#[derive(Clone)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, AddressError> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let start = self.at;
        let Some(first) = bytes.get(start) else {
            return Ok(None);
        };
        let (kind, end) = match first {
            b'<' | b'>' | b'@' | b',' | b';' | b':' | b'.' => (Kind::Special(*first), start + 1),
            b'"' => (Kind::Quoted, self.quoted_end()?),
            b'(' => (Kind::Comment, self.comment_end()?),
            b'[' => (Kind::Literal, self.literal_end()?),
            byte if is_atom_byte(*byte) => {
                let rest = &bytes[start..];
                let length = rest.iter().position(|byte| !is_atom_byte(*byte));
                (Kind::Atom, start + length.unwrap_or(rest.len()))
            }
            _ => return Err(self.fault(AddressFault::Character, start)),
        };
        self.at = end;
        Ok(Some(Token {
            kind,
            place: start..end,
        }))
    }

    fn quoted_end(&self) -> Result<usize, AddressError> {
        let mut inside = self.inside(self.at);
        while let Some((at, byte)) = inside.next(AddressFault::UnclosedQuote)? {
            if byte == b'"' {
                return Ok(at + 1);
            }
        }
        Err(self.fault(AddressFault::UnclosedQuote, self.at))
    }

    fn comment_end(&self) -> Result<usize, AddressError> {
        let mut depth = 1;
        let mut inside = self.inside(self.at);
        while let Some((at, byte)) = inside.next(AddressFault::UnclosedComment)? {
            match byte {
                b'(' if depth == COMMENT_DEPTH_MAX => {
                    return Err(self.fault(AddressFault::CommentDepth, self.at));
                }
                b'(' => depth += 1,
                b')' if depth == 1 => return Ok(at + 1),
                b')' => depth -= 1,
                _ => {}
            }
        }
        Err(self.fault(AddressFault::UnclosedComment, self.at))
    }

    /// Quoted pairs in a literal are obsolete and in no address there is: refused.
    fn literal_end(&self) -> Result<usize, AddressError> {
        let inside = &self.text.as_bytes()[self.at + 1..];
        let close = inside.iter().position(|byte| *byte == b']');
        let close = close.ok_or_else(|| self.fault(AddressFault::UnclosedLiteral, self.at))?;
        let fits = |byte: &u8| !is_refused(*byte) && !matches!(byte, b'[' | b'\\');
        match inside[..close].iter().position(|byte| !fits(byte)) {
            Some(bad) => Err(self.fault(AddressFault::Character, self.at + 1 + bad)),
            None => Ok(self.at + 1 + close + 1),
        }
    }

    fn inside(&self, start: usize) -> Inside<'_, 'a> {
        Inside {
            lexer: self,
            start,
            at: start + 1,
        }
    }

    pub(crate) fn fault(&self, fault: AddressFault, at: usize) -> AddressError {
        AddressError::new(fault, self.text, at)
    }
}

/// The bytes of a quoted string or comment that were not quoted one by one.
struct Inside<'l, 'a> {
    lexer: &'l Lexer<'a>,
    start: usize,
    at: usize,
}

impl Inside<'_, '_> {
    fn next(&mut self, unclosed: AddressFault) -> Result<Option<(usize, u8)>, AddressError> {
        let bytes = self.lexer.text.as_bytes();
        loop {
            let at = self.at;
            let Some(byte) = bytes.get(at) else {
                return Ok(None);
            };
            self.at += 1;
            if is_refused(*byte) {
                return Err(self.lexer.fault(AddressFault::Character, at));
            }
            if *byte != b'\\' {
                return Ok(Some((at, *byte)));
            }
            match bytes.get(self.at) {
                None => return Err(self.lexer.fault(unclosed, self.start)),
                Some(byte) if is_refused(*byte) => {
                    return Err(self.lexer.fault(AddressFault::Character, self.at));
                }
                Some(_) => self.at += 1,
            }
        }
    }
}

/// Controls but TAB. RFC 5322 §4.1 knows them as obsolete; no honest header has them.
fn is_refused(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}

/// RFC 5322 §3.2.3 `atext`, and all of UTF-8 (RFC 6532 §3.2).
pub(crate) fn is_atom_byte(byte: u8) -> bool {
    !byte.is_ascii()
        || byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

/// What stands between the two ends of a quoted string or comment, each quoted pair as the character that it means.
pub(crate) fn unquoted(token: &str) -> String {
    let inner = &token[1..token.len() - 1];
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.extend(characters.next()),
            other => out.push(other),
        }
    }
    out
}
