//! Cards, group cards and tokens of invitations in what people write to each other: anywhere in a text, wrapped and quoted, with words around
//! them.
//!
//! Text passes by in pieces of any size. Memory is constant and time linear, whatever the text is.

use super::card::{self, Card, CardError};
use super::carrier::{self, CHECK, CONTENT_BYTES_MAX, CarrierError, GROUP};
use super::group_card::{self, GroupCard};
use super::invitation::{ANSWER, INVITATION, InvitationToken, TOKEN_CHARS};

/// Places at which cards or tokens begin, in all texts that go together, beside those of a group's members. Long threads quote less.
const PLACES_MAX: usize = 128;
/// The maximum number of different cards, beside those of a group's members, and of different tokens, that are collected.
const KEPT_MAX: usize = 16;
/// Characters of the longest card or group card behind its prefix: its content in base64url, and the check characters of each group.
const CARD_CHARS_MAX: usize =
    ((CONTENT_BYTES_MAX * 4).div_ceil(3)).div_ceil(GROUP) * (GROUP + CHECK);

/// What a prefix announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Card,
    Group,
    Invitation,
    Answer,
}

const KINDS: [(&str, Kind); 4] = [
    (card::PREFIX, Kind::Card),
    (group_card::PREFIX, Kind::Group),
    (INVITATION, Kind::Invitation),
    (ANSWER, Kind::Answer),
];

/// Looks for cards and tokens in texts.
#[derive(Default)]
pub struct CardFinder {
    found: FoundCards,
    places: usize,
    /// The last characters in front of what comes next, as many as a prefix has.
    tail: Vec<u8>,
    open: Option<Open>,
}

/// What was found, each once and in the order of the texts.
#[derive(Default)]
pub struct FoundCards {
    /// Complete cards, each of them verified.
    pub cards: Vec<Card>,
    /// Complete group cards, each of them verified.
    pub groups: Vec<GroupCard>,
    /// What is wrong with the first card that is not.
    pub broken: Option<CardError>,
    /// What is wrong with the first group card that is not.
    pub broken_group: Option<CardError>,
    /// Tokens as they stand in an invitation.
    pub invitations: Vec<InvitationToken>,
    /// Tokens as they stand in an answer.
    pub answers: Vec<InvitationToken>,
}

/// More than any real message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it has more than {KEPT_MAX} different cards, or {PLACES_MAX} places at which one begins")]
pub struct TooManyCards;

/// What stands behind a prefix so far, without blanks and quoting.
struct Open {
    kind: Kind,
    text: Vec<u8>,
    is_at_line_start: bool,
}

/// The one card in a text as people keep it: with a byte order mark, or with words around it.
///
/// # Errors
/// What is wrong with the text as a card; [`CarrierError::Utf16`].
pub fn only_card(text: &[u8]) -> Result<Card, CardError> {
    if is_utf16(text) {
        return Err(CarrierError::Utf16.into());
    }
    Card::from_text(text).or_else(|error| {
        let mut finder = CardFinder::default();
        finder.push(text);
        match finder.finish() {
            Ok(mut found) if found.cards.len() == 1 => Ok(found.cards.remove(0)),
            Ok(FoundCards {
                broken: Some(broken),
                ..
            }) => Err(broken),
            _ => Err(error),
        }
    })
}

/// Whether a text begins with a byte order mark of UTF-16.
#[must_use]
pub fn is_utf16(text: &[u8]) -> bool {
    text.starts_with(b"\xFF\xFE") || text.starts_with(b"\xFE\xFF")
}

impl CardFinder {
    /// The next bytes of a text.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_over() {
            let Some(open) = &mut self.open else {
                bytes = self.look(bytes);
                continue;
            };
            let taken = open.take(bytes);
            bytes = &bytes[taken..];
            let Some(next) = bytes.first() else {
                return;
            };
            if let Some(mut open) = self.open.take() {
                // The prefix that follows at once was taken for the end of this.
                if *next == b':' {
                    let name_chars = self.begin(&open.text);
                    open.text.truncate(open.text.len() - name_chars);
                    bytes = &bytes[1..];
                }
                self.judge(&open);
            }
        }
    }

    /// The text is over; what comes next is another one.
    pub fn end_text(&mut self) {
        self.tail.clear();
        if let Some(open) = self.open.take() {
            self.judge(&open);
        }
    }

    /// What was found in all of them.
    ///
    /// # Errors
    /// [`TooManyCards`].
    pub fn finish(mut self) -> Result<FoundCards, TooManyCards> {
        self.end_text();
        // Behind a group card that is broken come more cards than elsewhere.
        match self.is_over() && self.found.broken_group.is_none() {
            true => Err(TooManyCards),
            false => Ok(self.found),
        }
    }

    fn is_over(&self) -> bool {
        let FoundCards {
            cards,
            groups,
            invitations,
            answers,
            broken: _,
            broken_group: _,
        } = &self.found;
        // The first group card says how many cards come with it.
        let members = groups.first().map_or(0, |group| group.members().len());
        let found = [groups.len(), invitations.len(), answers.len()];
        self.places > PLACES_MAX + members
            || cards.len() > KEPT_MAX + members
            || found.iter().any(|count| *count > KEPT_MAX)
    }

    /// Goes on behind the next prefix, or to the end.
    fn look<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = INVITATION.len();
        for colon in memchr::memchr_iter(b':', bytes) {
            let begun = match colon.checked_sub(room) {
                // Every prefix ends in this, and hardly anything else does: most colons cost one look.
                Some(_) if !bytes[..colon].ends_with(b"1") => 0,
                Some(from) if !bytes[from..colon].contains(&b'-') => 0,
                Some(from) => self.begin(&bytes[from..colon]),
                None => self.begin(&[&self.tail, &bytes[..colon]].concat()),
            };
            if begun > 0 {
                self.tail.clear();
                return &bytes[colon + 1..];
            }
        }
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(room)..]);
        let excess = self.tail.len().saturating_sub(room);
        self.tail.drain(..excess);
        &[]
    }

    /// Begins what the prefix says that `before` ends in, but for its colon. Gives the length of what there is of it.
    fn begin(&mut self, before: &[u8]) -> usize {
        let name = |prefix: &'static str| &prefix.as_bytes()[..prefix.len() - 1];
        let mut kinds = KINDS.iter();
        let Some((prefix, kind)) = kinds.find(|(prefix, _)| before.ends_with(name(prefix))) else {
            return 0;
        };
        self.places += 1;
        self.open = Some(Open {
            kind: *kind,
            text: Vec::new(),
            is_at_line_start: false,
        });
        prefix.len() - 1
    }

    fn judge(&mut self, open: &Open) {
        let found = &mut self.found;
        match open.kind {
            Kind::Card => {
                let card = begun_by(card::PREFIX, &open.text, Card::from_text);
                keep_whole(card, &open.text, &mut found.cards, &mut found.broken);
            }
            Kind::Group => {
                let group = begun_by(group_card::PREFIX, &open.text, GroupCard::from_text);
                keep_whole(
                    group,
                    &open.text,
                    &mut found.groups,
                    &mut found.broken_group,
                );
            }
            Kind::Invitation => keep_token(INVITATION, &open.text, &mut found.invitations),
            Kind::Answer => keep_token(ANSWER, &open.text, &mut found.answers),
        }
    }
}

impl Open {
    /// Takes what belongs to it, and says how many bytes that are: less than all if it is over.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let room = match self.kind {
            Kind::Card | Kind::Group => CARD_CHARS_MAX,
            Kind::Invitation | Kind::Answer => TOKEN_CHARS,
        };
        for (at, byte) in bytes.iter().enumerate() {
            if self.text.len() == room {
                return at;
            }
            match byte {
                b'\n' => self.is_at_line_start = true,
                b' ' | b'\t' | b'\r' => {}
                b'>' if self.is_at_line_start => {}
                byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') => {
                    self.is_at_line_start = false;
                    self.text.push(*byte);
                }
                _ => return at,
            }
        }
        bytes.len()
    }
}

/// What `text` begins with behind its prefix; the words behind it may look like a part of it.
fn begun_by<T>(
    prefix: &str,
    text: &[u8],
    from_text: fn(&[u8]) -> Result<T, CardError>,
) -> Result<T, CardError> {
    let read = |length: usize| from_text(&[prefix.as_bytes(), &text[..length]].concat());
    read(text.len()).or_else(|error| {
        let mut ends = carrier::ends(text).into_iter();
        ends.find_map(|length| read(length).ok()).ok_or(error)
    })
}

fn keep_whole<T: PartialEq>(
    one: Result<T, CardError>,
    text: &[u8],
    found: &mut Vec<T>,
    broken: &mut Option<CardError>,
) {
    match one {
        Ok(one) => keep(one, found),
        // Less than a group of characters is ordinary text that mentions cards.
        Err(error) if text.len() > GROUP + CHECK => {
            broken.get_or_insert(error);
        }
        Err(_) => {}
    }
}

/// A token that does not parse is ordinary text that mentions tokens.
fn keep_token(prefix: &'static str, text: &[u8], found: &mut Vec<InvitationToken>) {
    let text = [prefix.as_bytes(), text].concat();
    if let Ok(token) = InvitationToken::carried(prefix, &text) {
        keep(token, found);
    }
}

fn keep<T: PartialEq>(one: T, found: &mut Vec<T>) {
    if !found.contains(&one) {
        found.push(one);
    }
}

#[cfg(test)]
mod tests;
