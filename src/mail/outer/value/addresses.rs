//! Address lists outside: every address that is one, with its name where that can be written, and nothing else.

use super::super::fold::LINE_CHARS_MAX;
use super::{Missing, Value};
use crate::json;
use crate::mail::address::{Kind, Lexer, Mailbox, parse_address, parse_list};
use crate::mail::words;

/// Pieces of one list that are no list themselves and are looked at again. Reading goes over the rest of the list for each.
const FAULTS_MAX: usize = 100;
/// The longest name, in characters without a blank: its line has an address too.
const NAME_CHARS_MAX: usize = LINE_CHARS_MAX / 2;

/// The addresses in a value. A list that is understood whole is given whole; of another one each piece between two commas that
/// is an address.
pub(super) fn written(value: &str) -> Option<Value> {
    let text: String = value.chars().map(readable).collect();
    let mut missing = Missing::Nothing;
    let list = parse_list(&text).unwrap_or_else(|_| {
        missing = Missing::Text;
        pieces(&text)
    });
    let mut written = Vec::with_capacity(list.len());
    for mailbox in &list {
        match address(mailbox) {
            None => missing = missing.max(Missing::Address),
            Some(address) => {
                let name = mailbox.name.as_deref().map(|name| named(name, &address));
                if name == Some(None) {
                    missing = missing.max(Missing::Name);
                }
                written.push(name.flatten().unwrap_or(address));
            }
        }
    }
    (!written.is_empty() || missing != Missing::Text).then(|| Value {
        text: written.join(", "),
        missing,
    })
}

/// What is unreadable, invisible, or reorders others costs the name it stands in, not the address beside it.
fn readable(character: char) -> char {
    match json::is_refused(character) {
        true => char::REPLACEMENT_CHARACTER,
        false => character,
    }
}

/// `Name <address>` in ASCII, if the name can be written.
fn named(name: &str, address: &str) -> Option<String> {
    // An encoded word that we cannot decode may mean anything to others.
    let is_readable = !name.contains(char::REPLACEMENT_CHARACTER) && !name.contains("=?");
    let named = match name.is_ascii() {
        true => Mailbox {
            name: Some(name.to_owned()),
            address: address.to_owned(),
        }
        .to_string(),
        false => format!("{} <{address}>", words::encode(name)),
    };
    let is_foldable = named.split(' ').all(|word| word.len() <= NAME_CHARS_MAX);
    (is_readable && is_foldable).then_some(named)
}

/// The address with its domain as A-labels (RFC 5890); a local part has no such form.
fn address(mailbox: &Mailbox) -> Option<String> {
    if mailbox.address.is_ascii() {
        return Some(mailbox.address.clone());
    }
    let local = mailbox.local_part();
    let domain = idna::domain_to_ascii(mailbox.domain()).ok()?;
    local.is_ascii().then(|| format!("{local}@{domain}"))
}

/// The mailboxes of a list that is not understood whole.
fn pieces(text: &str) -> Vec<Mailbox> {
    let mut mailboxes = Vec::new();
    let (mut start, mut faults) = (0, 0);
    while start < text.len() && faults < FAULTS_MAX {
        let end = piece_end(&text[start..]).map_or(text.len(), |end| start + end);
        let piece = text[start..end].trim();
        if let Ok(list) = parse_list(piece) {
            mailboxes.extend(list);
        } else {
            faults += 1;
            mailboxes.extend(address_in(piece));
        }
        start = end + 1;
    }
    mailboxes
}

/// Up to the next comma, semicolon or colon that stands for itself; in text that has no tokens the next comma of all.
fn piece_end(text: &str) -> Option<usize> {
    let mut lexer = Lexer::new(text);
    loop {
        match lexer.next() {
            Ok(None) => return None,
            Ok(Some(token)) if matches!(token.kind, Kind::Special(b',' | b';' | b':')) => {
                return Some(token.place.start);
            }
            Ok(Some(_)) => {}
            Err(_) => return text.find(','),
        }
    }
}

/// The address in angle brackets at the end of a piece, whatever name stands before it; else the one at its beginning. If it
/// begins with another address, readers differ which of them is meant, and it is neither.
fn address_in(piece: &str) -> Option<Mailbox> {
    let (before, address) = match piece
        .strip_suffix('>')
        .and_then(|piece| piece.rsplit_once('<'))
    {
        Some((before, address)) => (before.trim(), address),
        None => ("", piece.split(' ').next()?),
    };
    let is_certain = !before.contains('@') || before.eq_ignore_ascii_case(address);
    let mailbox = parse_address(address).ok()?;
    (is_certain && mailbox.name.is_none()).then_some(mailbox)
}
