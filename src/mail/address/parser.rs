//! The grammar of address lists, one token at a time: nothing recurses, nothing is read twice.

use super::lexer::{Kind, Lexer, Token, unquoted};
use super::{AddressError, AddressFault, LIST_BYTES_MAX, MAILBOXES_MAX, Mailbox};
use super::{WORDS_MAX, address, words};

/// All mailboxes of the list.
pub(super) fn mailboxes(text: &str) -> Result<Vec<Mailbox>, AddressError> {
    if text.len() > LIST_BYTES_MAX {
        return Err(AddressError::new(AddressFault::TooLong, text, 0));
    }
    let mut parser = Parser {
        text,
        lexer: Lexer::new(text),
        next: None,
        mailboxes: Vec::new(),
        comment: None,
    };
    parser.advance()?;
    parser.list()?;
    Ok(parser.mailboxes)
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The token that is due; comments are put aside.
    next: Option<Token>,
    mailboxes: Vec<Mailbox>,
    /// The last comment behind what was read, which is a name where no other is.
    comment: Option<Token>,
}

impl Parser<'_> {
    /// `address-list`, with the empty elements of `obs-addr-list`.
    fn list(&mut self) -> Result<(), AddressError> {
        let mut group: Option<usize> = None;
        loop {
            self.comment = None;
            let words = self.words()?;
            match (self.special(), words.first()) {
                (Some(b'@' | b'<'), _) => {
                    self.mailbox(&words)?;
                    self.behind_an_element(&mut group)?;
                }
                (Some(b':'), Some(first)) if group.is_none() && is_word(first) => {
                    group = Some(first.place.start);
                    self.advance()?;
                }
                (Some(b','), None) => self.advance()?,
                (Some(b';'), None) if group.is_some() => self.behind_an_element(&mut group)?,
                (None, None) if self.next.is_none() => break,
                (_, None) => return Err(self.here(AddressFault::NoAddress)),
                (_, Some(first)) => return Err(self.at(AddressFault::NoAddress, first)),
            }
        }
        match group {
            Some(start) => Err(self.lexer.fault(AddressFault::UnclosedGroup, start)),
            None => Ok(()),
        }
    }

    /// `mailbox`, with the words before its `@` or `<`.
    fn mailbox(&mut self, before: &[Token]) -> Result<(), AddressError> {
        if self.mailboxes.len() == MAILBOXES_MAX {
            return Err(self.here(AddressFault::TooMany));
        }
        let mut mailbox = if self.special() == Some(b'<') {
            if let Some(first) = before.first().filter(|first| !is_word(first)) {
                return Err(self.at(AddressFault::Character, first));
            }
            let mut mailbox = self.angle()?;
            mailbox.name = self.phrase(before);
            mailbox
        } else {
            self.address(before)?
        };
        if mailbox.name.is_none() {
            let comment = self.comment.as_ref();
            let text = comment.map(|comment| unquoted(&self.text[comment.place.clone()]));
            mailbox.name = text.and_then(|text| named(&words::decode(&text)));
        }
        self.mailboxes.push(mailbox);
        Ok(())
    }

    /// `angle-addr`, with the route of `obs-angle-addr`, which means nothing any more.
    fn angle(&mut self) -> Result<Mailbox, AddressError> {
        let open = self.next.clone().expect("the bracket is due");
        self.advance()?;
        if matches!(self.special(), Some(b'@' | b',')) {
            self.route()?;
        }
        let words = self.words()?;
        if self.special() != Some(b'@') {
            return Err(self.at(AddressFault::NoAddress, &open));
        }
        let address = self.address(&words)?;
        if self.special() != Some(b'>') {
            return Err(self.at(AddressFault::UnclosedAngle, &open));
        }
        self.comment = None;
        self.advance()?;
        Ok(address)
    }

    /// `obs-route`: at least one `@domain`, commas between and before them, a colon behind.
    fn route(&mut self) -> Result<(), AddressError> {
        let (mut due, mut domains) = (true, 0);
        loop {
            match self.special() {
                Some(b',') => {
                    due = true;
                    self.advance()?;
                }
                Some(b'@') if due => {
                    (due, domains) = (false, domains + 1);
                    self.advance()?;
                    self.domain()?;
                }
                Some(b':') if domains > 0 => return self.advance(),
                _ => return Err(self.here(AddressFault::NoAddress)),
            }
        }
    }

    /// `addr-spec`, whose local part are `words` and whose `@` is due.
    fn address(&mut self, words: &[Token]) -> Result<Mailbox, AddressError> {
        let start = words.first().map(|first| first.place.start);
        let local = self.local_part(words);
        let (Some(start), Some(local)) = (start, local) else {
            let at = start.unwrap_or_else(|| self.start());
            return Err(self.lexer.fault(AddressFault::LocalPart, at));
        };
        self.advance()?;
        let domain = self.domain()?;
        let address = address(&local, &domain)
            .ok_or_else(|| self.lexer.fault(AddressFault::NotAnAddress, start))?;
        Ok(Mailbox {
            name: None,
            address,
        })
    }

    /// `obs-local-part`: words with a dot between each two, of which the others are special cases.
    fn local_part(&self, words: &[Token]) -> Option<String> {
        let mut local = String::new();
        for (at, token) in words.iter().enumerate() {
            if is_word(token) != at.is_multiple_of(2) {
                return None;
            }
            match token.kind {
                Kind::Quoted => local += &unquoted(&self.text[token.place.clone()]),
                _ => local += &self.text[token.place.clone()],
            }
        }
        words.last().is_some_and(is_word).then_some(local)
    }

    /// `domain`: a literal, or atoms with a dot between each two.
    fn domain(&mut self) -> Result<String, AddressError> {
        let mut domain = String::new();
        let mut literal = true;
        loop {
            let part = self.next.clone().filter(|token| match token.kind {
                Kind::Atom => true,
                Kind::Literal => literal,
                _ => false,
            });
            let Some(part) = part else {
                return Err(self.here(AddressFault::Domain));
            };
            domain += &self.text[part.place.clone()];
            self.comment = None;
            self.advance()?;
            if part.kind == Kind::Literal || self.special() != Some(b'.') {
                return Ok(domain);
            }
            literal = false;
            domain.push('.');
            self.advance()?;
        }
    }

    /// What must come behind a mailbox or the members of a group.
    fn behind_an_element(&mut self, group: &mut Option<usize>) -> Result<(), AddressError> {
        if self.special() == Some(b';') && group.take().is_some() {
            self.advance()?;
        }
        match self.special() {
            Some(b',') => self.advance(),
            None if self.next.is_none() => Ok(()),
            _ => Err(self.here(AddressFault::NoComma)),
        }
    }

    /// Atoms, quoted strings and dots.
    fn words(&mut self) -> Result<Vec<Token>, AddressError> {
        let mut words = Vec::new();
        while let Some(token) = &self.next {
            if !is_word(token) && token.kind != Kind::Special(b'.') {
                break;
            }
            if words.len() == WORDS_MAX {
                return Err(self.here(AddressFault::TooManyWords));
            }
            words.push(token.clone());
            self.advance()?;
        }
        Ok(words)
    }

    fn phrase(&self, words: &[Token]) -> Option<String> {
        named(&phrase(self.text, words))
    }

    /// Goes to the next token that is no comment.
    fn advance(&mut self) -> Result<(), AddressError> {
        loop {
            self.next = self.lexer.next()?;
            match &self.next {
                Some(token) if token.kind == Kind::Comment => self.comment.clone_from(&self.next),
                _ => return Ok(()),
            }
        }
    }

    fn special(&self) -> Option<u8> {
        match self.next.as_ref()?.kind {
            Kind::Special(byte) => Some(byte),
            _ => None,
        }
    }

    fn start(&self) -> usize {
        let next = self.next.as_ref();
        next.map_or(self.text.len(), |token| token.place.start)
    }

    fn here(&self, fault: AddressFault) -> AddressError {
        self.lexer.fault(fault, self.start())
    }

    fn at(&self, fault: AddressFault, token: &Token) -> AddressError {
        self.lexer.fault(fault, token.place.start)
    }
}

fn is_word(token: &Token) -> bool {
    matches!(token.kind, Kind::Atom | Kind::Quoted)
}

/// The text of a phrase: one space where its words stood apart, encoded words decoded unless they are in quotes.
fn phrase(text: &str, tokens: &[Token]) -> String {
    let (mut out, mut plain) = (String::new(), String::new());
    let mut end = None;
    for token in tokens {
        if end.is_some_and(|end| end < token.place.start) {
            plain.push(' ');
        }
        end = Some(token.place.end);
        let word = &text[token.place.clone()];
        if token.kind == Kind::Quoted {
            out += &words::decode(&plain);
            plain.clear();
            out += &unquoted(word);
        } else {
            plain += word;
        }
    }
    out + &words::decode(&plain)
}

/// A name of blanks is none.
fn named(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
