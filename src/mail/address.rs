//! Address lists (RFC 5322 §3.4, with the obsolete forms of §4.4 and the UTF-8 of RFC 6532), read whole or not at all.
//!
//! Who is not understood must not be dropped: a list that does not parse to its end is an error, never a shorter list.
//! Only the address identifies a person; the name beside it can be anything.

mod lexer;
mod parser;

use std::fmt::{self, Write as _};

use super::words;
use crate::json;
use lexer::is_atom_byte;
pub(super) use lexer::{Kind, Lexer};

/// Addresses in one list: no policy names more recipients.
pub const MAILBOXES_MAX: usize = crate::policy::RECIPIENTS_MAX;
/// Bytes of a list: no header block is longer.
pub const LIST_BYTES_MAX: usize = super::HEADER_BYTES_MAX;
/// Bytes of one address: 64 before the `@`, 255 behind it (RFC 5321 §4.5.3.1); the two limits are not
/// checked separately, since bounce addresses have long local parts.
const ADDRESS_BYTES_MAX: usize = 320;
/// Words and dots of one name.
const WORDS_MAX: usize = 1_024;
/// Characters of an offending text that an error shows.
const SHOWN_CHARS_MAX: usize = 60;

/// One mailbox of an address list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The name beside the address, with its encoded words decoded; the comment behind the address if there is no other.
    /// It may hold anything, controls too.
    pub name: Option<String>,
    /// `local@domain` without comments and blanks, the local part in quotes only where it needs them.
    pub address: String,
}

/// What is wrong with an address list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Longer than [`LIST_BYTES_MAX`].
    #[error("more than {LIST_BYTES_MAX} bytes")]
    TooLong,
    /// More than [`MAILBOXES_MAX`].
    #[error("more than {MAILBOXES_MAX} addresses")]
    TooMany,
    /// A name of very many words.
    #[error("a name of more than {WORDS_MAX} words")]
    TooManyWords,
    /// A character that cannot stand there.
    #[error("a character that cannot stand there")]
    Character,
    /// A quoted string without end.
    #[error("a quotation mark that is never closed")]
    UnclosedQuote,
    /// A comment without end.
    #[error("a parenthesis that is never closed")]
    UnclosedComment,
    /// Comments within comments within comments.
    #[error("more than {} comments within each other", lexer::COMMENT_DEPTH_MAX)]
    CommentDepth,
    /// A domain literal without end.
    #[error("a square bracket that is never closed")]
    UnclosedLiteral,
    /// A `<` without `>`.
    #[error("an angle bracket that is never closed")]
    UnclosedAngle,
    /// A group without `;`.
    #[error("a group without its `;`")]
    UnclosedGroup,
    /// A name and no address.
    #[error("no address")]
    NoAddress,
    /// Something behind an address that is no comma.
    #[error("a comma is missing")]
    NoComma,
    /// Not what can stand before the `@`.
    #[error("no local part before the `@`")]
    LocalPart,
    /// Not what can stand behind the `@`.
    #[error("no domain behind the `@`")]
    Domain,
    /// Of the shape of an address, and yet none.
    #[error("not an address")]
    NotAnAddress,
}

/// Why a list was not understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at byte {at}: `{text}`")]
pub struct AddressError {
    /// What is wrong.
    pub fault: AddressFault,
    /// In bytes from the beginning of the list.
    pub at: usize,
    /// What stands there, or its beginning.
    pub text: String,
}

impl AddressError {
    fn new(fault: AddressFault, list: &str, at: usize) -> Self {
        let text = list[at..].chars().take(SHOWN_CHARS_MAX).collect();
        Self { fault, at, text }
    }
}

/// All mailboxes of an address list, as it stands in a header field on one line. Groups give their members; an empty list
/// has none, and so do the empty elements that RFC 5322 §4.4 knows as obsolete.
///
/// # Errors
/// [`AddressError`] for a list that is not understood to its end.
pub fn parse_list(text: &str) -> Result<Vec<Mailbox>, AddressError> {
    parser::mailboxes(text)
}

/// Why a text is not one mail address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOneAddress {
    /// It cannot be read as a list of addresses.
    #[error(transparent)]
    Malformed(#[from] AddressError),
    /// There is no address in it.
    #[error("it contains no address")]
    Nobody,
    /// There are several in it.
    #[error("it is more than one address")]
    Several,
}

/// One address and nothing beside it but a name.
///
/// # Errors
/// [`NotOneAddress`].
pub fn parse_address(text: &str) -> Result<Mailbox, NotOneAddress> {
    let mut list = parse_list(text)?;
    match (list.pop(), list.is_empty()) {
        (Some(mailbox), true) => Ok(mailbox),
        (None, _) => Err(NotOneAddress::Nobody),
        (Some(_), false) => Err(NotOneAddress::Several),
    }
}

impl Mailbox {
    /// What stands before the last `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        split(&self.address).0
    }

    /// What stands behind the last `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        split(&self.address).1
    }

    /// The other address that the name looks like: people who see only the name are misled.
    #[must_use]
    pub fn poses_as(&self) -> Option<String> {
        // A quoted string is not decoded (RFC 2047 §5), but many programs show it so.
        let name = words::decode(self.name.as_deref()?).replace(is_at_lookalike, "@");
        let between = |letter: char| letter.is_whitespace() || "<>()[]\"',;:".contains(letter);
        let mut words = name.split(between).filter(|word| is_like_an_address(word));
        let other = words.find(|word| word.to_lowercase() != self.address.to_lowercase())?;
        Some(other.to_owned())
    }
}

fn split(address: &str) -> (&str, &str) {
    address.rsplit_once('@').expect("an address has its @")
}

fn is_at_lookalike(letter: char) -> bool {
    // Small and full-width commercial at.
    matches!(letter, '\u{FE6B}' | '\u{FF20}')
}

fn is_like_an_address(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

/// As it can stand in an address list of UTF-8; [`parse_list`] gives the same mailbox again.
impl fmt::Display for Mailbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => out.write_str(&self.address),
            Some(name) => write!(out, "{} <{}>", phrase_of(name), self.address),
        }
    }
}

/// A name as a phrase: words where they do, else in quotes, and controls only in encoded words.
fn phrase_of(name: &str) -> String {
    if !json::is_clean(name) {
        words::encode(name)
    } else if is_phrase(name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn is_phrase(name: &str) -> bool {
    let is_atom = |word: &str| !word.is_empty() && word.bytes().all(is_atom_byte);
    name.split(' ').all(is_atom) && !name.contains("=?")
}

/// RFC 5322 §3.2.4.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

/// `local@domain`, if that is an address; `email_address` has a say too.
fn address(local: &str, domain: &str) -> Option<String> {
    let dot_atom = |part: &str| !part.is_empty() && part.bytes().all(is_atom_byte);
    let mut address = if local.split('.').all(dot_atom) {
        local.to_owned()
    } else {
        quoted(local)
    };
    write!(address, "@{domain}").expect("a String never fails");
    let options = email_address::Options::default()
        .with_no_minimum_sub_domains()
        .with_long_local_parts()
        .without_display_text();
    let is_address = address.len() <= ADDRESS_BYTES_MAX
        && !address.chars().any(is_unfit)
        && email_address::EmailAddress::parse_with_options(&address, options).is_ok();
    is_address.then_some(address)
}

/// Whether a character is invisible in an address, or comes from wrong decoding.
fn is_unfit(character: char) -> bool {
    json::is_refused(character)
        || character == char::REPLACEMENT_CHARACTER
        || (character != ' ' && character.is_whitespace())
}

#[cfg(test)]
mod tests;
