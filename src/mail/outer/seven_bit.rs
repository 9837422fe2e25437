//! Values of header fields in ASCII: encoded words for people's words, A-labels for domains, and nothing for what has neither.

use super::{ADDRESSES, is_one_of};
use crate::mail::address::{self, Kind, Lexer, Mailbox, Placed, Token, phrase, unquoted};
use crate::mail::words;

/// The value in ASCII, if it can be written so.
pub(super) fn seven_bit(name: &str, value: &str) -> Option<String> {
    if value.is_ascii() {
        Some(value.to_owned())
    } else if is_one_of(&ADDRESSES, name) {
        addresses(value)
    } else if name.eq_ignore_ascii_case("List-Id") {
        list_id(value)
    } else {
        None
    }
}

/// `phrase <id>` (RFC 2919 §3).
fn list_id(value: &str) -> Option<String> {
    let (phrase, id) = value.split_once('<').filter(|(_, id)| id.is_ascii())?;
    let phrase = phrase.trim().trim_matches('"');
    let phrase = words::encode(&words::decode(phrase));
    Some(format!("{phrase} <{id}"))
}

/// An address list in which only what is not ASCII is written anew, and which then means the same.
fn addresses(value: &str) -> Option<String> {
    let placed = address::placed(value).ok()?;
    let mut expected = Vec::with_capacity(placed.len());
    for placed in &placed {
        expected.push(Mailbox {
            name: placed.mailbox.name.clone(),
            address: ascii_address(&placed.mailbox)?,
        });
    }
    let ascii = Rewriter::new(value).rewritten(&placed, &expected)?;
    let same = ascii.is_ascii() && address::parse_list(&ascii).is_ok_and(|list| list == expected);
    same.then_some(ascii)
}

/// The domain as A-labels (RFC 5890); a local part has no such form.
fn ascii_address(mailbox: &Mailbox) -> Option<String> {
    if mailbox.address.is_ascii() {
        return Some(mailbox.address.clone());
    }
    let local = mailbox.local_part();
    let domain = idna::domain_to_ascii(mailbox.domain()).ok()?;
    local.is_ascii().then(|| format!("{local}@{domain}"))
}

/// An address list with a blank behind each comma, so that it can be folded.
pub(super) fn spaced(value: &str) -> Option<String> {
    let mut lexer = Lexer::new(value);
    let mut out = String::with_capacity(2 * value.len());
    let mut end = 0;
    while let Some(token) = lexer.next().ok()? {
        if token.kind == Kind::Special(b',') {
            out.push_str(&value[end..token.place.end]);
            end = token.place.end;
            if !value[end..].starts_with(' ') && end < value.len() {
                out.push(' ');
            }
        }
    }
    out.push_str(&value[end..]);
    let list = address::parse_list(value).ok()?;
    address::parse_list(&out)
        .is_ok_and(|spaced| spaced == list)
        .then_some(out)
}

struct Rewriter<'a> {
    value: &'a str,
    out: String,
    /// How much of the value is written.
    end: usize,
    /// Words and comments since the last special.
    words: Vec<Token>,
    comments: Vec<Token>,
}

impl<'a> Rewriter<'a> {
    fn new(value: &'a str) -> Self {
        Self {
            value,
            out: String::with_capacity(2 * value.len()),
            end: 0,
            words: Vec::new(),
            comments: Vec::new(),
        }
    }

    fn rewritten(mut self, placed: &[Placed], ascii: &[Mailbox]) -> Option<String> {
        let mut mailboxes = placed.iter().zip(ascii).peekable();
        let mut lexer = Lexer::new(self.value);
        while let Some(token) = lexer.next().ok()? {
            let start = token.place.start;
            if let Some((placed, ascii)) = mailboxes.peek() {
                let address = placed.address.clone();
                if start == address.start {
                    self.flush();
                    self.replace(&address, &ascii.address);
                }
                if start >= address.start && token.place.end == address.end {
                    mailboxes.next();
                }
                if address.contains(&start) {
                    continue;
                }
            }
            match token.kind {
                Kind::Comment => self.comments.push(token),
                Kind::Special(byte) if byte != b'.' => {
                    self.flush();
                    self.copy(token.place.end);
                }
                _ => self.words.push(token),
            }
        }
        self.flush();
        self.copy(self.value.len());
        Some(self.out.trim_end().to_owned())
    }

    /// Writes words and comments as they stand, or anew if they are not ASCII.
    fn flush(&mut self) {
        let (words, comments) = (
            std::mem::take(&mut self.words),
            std::mem::take(&mut self.comments),
        );
        let ends = words.iter().chain(&comments).map(|token| token.place.end);
        let Some(end) = ends.max() else { return };
        if self.value[self.end..end].is_ascii() {
            self.copy(end);
            return;
        }
        if !words.is_empty() {
            let phrase = phrase(self.value, &words);
            self.push(&words::encode(&phrase));
        }
        for comment in comments {
            let text = words::decode(&unquoted(&self.value[comment.place]));
            self.push(&format!("({})", words::encode(&text)));
        }
        self.end = end;
        // RFC 2047 §5 (3): a blank stands on both sides of an encoded word.
        if !self.out.ends_with(')') && !self.value[end..].starts_with(' ') {
            self.out.push(' ');
        }
    }

    fn push(&mut self, text: &str) {
        if !self.out.is_empty() && !self.out.ends_with(' ') {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    fn replace(&mut self, place: &std::ops::Range<usize>, address: &str) {
        self.copy(place.start);
        if self.value[place.clone()].is_ascii() {
            self.copy(place.end);
        } else {
            self.out.push_str(address);
            self.end = place.end;
        }
    }

    fn copy(&mut self, end: usize) {
        self.out.push_str(&self.value[self.end..end]);
        self.end = end;
    }
}
