//! Finding what somebody sent: a card or revocation alone, or a text or message that has a card or a group in it.

use std::io::{self, Read};

use super::group::FoundGroup;
use crate::address::is_same_address;
use crate::directory::Names;
use crate::file_kind::has_private_keys;
use crate::identity::{
    CARRIER_BYTES_MAX, Card, CardError, CardFinder, CarrierError, FoundCards, InvitationToken,
    Revocation, TooManyCards, is_utf16,
};
use crate::keystore::{Keystore, KeystoreError};
use crate::mail::{
    AddressError, Decoder, Header, Nested, Part, ScanError, Visitor, parse_list, scan,
};

/// Bytes of a text or message: more than mail servers take.
const INPUT_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a text that are read at once.
const BUFFER_BYTES: usize = 64 << 10;
/// Fields that only messages have; any of them in a block of fields at the very beginning makes a message.
const MESSAGE_FIELDS: [&str; 8] = [
    "From",
    "Date",
    "Message-ID",
    "Received",
    "Return-Path",
    "Delivered-To",
    "DKIM-Signature",
    "MIME-Version",
];

/// What an input contains.
pub enum CardsFound {
    /// One card.
    Card(Box<FoundCard>),
    /// A revocation alone.
    Revocation(Revocation),
    /// A group, with the cards of its members.
    Group(Box<FoundGroup>),
}

/// A card, and the tokens of invitations beside it.
pub struct FoundCard {
    /// The card.
    pub card: Card,
    /// Tokens as they stand in an answer.
    pub answers: Vec<InvitationToken>,
    /// Tokens as they stand in an invitation, which an answer may quote.
    pub invitations: Vec<InvitationToken>,
}

/// Why an input does not give one card.
#[derive(Debug, thiserror::Error)]
pub enum CardSourceError {
    /// It could not be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It has more bytes than are read.
    #[error("it is longer than {} MiB", INPUT_BYTES_MAX >> 20)]
    TooLong,
    /// A message that is larger in some way than is looked at.
    #[error(transparent)]
    Message(ScanError),
    /// It has more cards than any real message.
    #[error(transparent)]
    TooManyCards(#[from] TooManyCards),
    /// It has cards of different people.
    #[error("there are different cards in it")]
    Several {
        /// The first of them.
        first: Box<Names>,
        /// The second.
        second: Box<Names>,
    },
    /// It has several group cards.
    #[error("there are {0} group cards in it")]
    SeveralGroups(usize),
    /// It has no card.
    #[error("there is no card in it")]
    NoCard,
    /// It is, or holds, an exported identity.
    #[error("it holds the private keys of an identity")]
    PrivateKeys,
    /// Its only card is not valid.
    #[error(transparent)]
    Card(#[from] CardError),
    /// A message that does not say clearly who it is from.
    #[error(transparent)]
    Sender(#[from] SenderError),
    /// A message from somebody else than the owner of the card.
    #[error("the message is from {from}, who is not on the card")]
    OtherSender {
        /// The address in From.
        from: String,
        /// Who is on the card in the message.
        card: Box<Names>,
    },
    /// My identities could not be read.
    #[error("the keystore cannot be read")]
    Keystore(#[from] KeystoreError),
}

/// Why the sender of a message is not clear.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// It has no From, or an empty one.
    #[error("the message does not say who it is from")]
    Missing,
    /// It has From several times.
    #[error("the message has {0} fields From")]
    Fields(usize),
    /// From is not a list of addresses.
    #[error("its From is not understood: {0}")]
    Address(#[from] AddressError),
    /// From has several addresses.
    #[error("the message is from {0} people")]
    People(usize),
}

/// Finds the one card in an input, or the group with its members' cards. Cards of the keystore's own identities count only where there is no other.
///
/// A message has to come from an address on the card. That is no proof: anybody can write any From.
///
/// # Errors
/// [`CardSourceError`].
pub fn find_card(mut input: impl Read, keystore: &Keystore) -> Result<CardsFound, CardSourceError> {
    let mut head = Vec::new();
    let limit = CARRIER_BYTES_MAX as u64 + 1;
    let read = input.by_ref().take(limit).read_to_end(&mut head);
    read.map_err(CardSourceError::Read)?;
    if is_utf16(&head) {
        return Err(CardSourceError::Card(CarrierError::Utf16.into()));
    }
    // Its card could be added; but nobody should have such a file of somebody else, and not notice it.
    if has_private_keys(&String::from_utf8_lossy(&head)) {
        return Err(CardSourceError::PrivateKeys);
    }
    let alone = Card::from_text(&head);
    if let Ok(card) = alone {
        return Ok(CardsFound::Card(Box::new(FoundCard {
            card,
            answers: Vec::new(),
            invitations: Vec::new(),
        })));
    }
    if let Ok(revocation) = Revocation::from_text(&head) {
        return Ok(CardsFound::Revocation(revocation));
    }
    let mut all = head.chain(input).take(INPUT_BYTES_MAX + 1);
    let read = match is_message(&head) {
        true => in_message(&mut all),
        false => in_text(&mut all).map(|finder| (finder, None)),
    };
    if all.limit() == 0 {
        return Err(CardSourceError::TooLong);
    }
    let (finder, header) = read.map_err(|error| match error {
        ScanError::Read(error) => CardSourceError::Read(error),
        limit @ ScanError::OverLimit { .. } => CardSourceError::Message(limit),
    })?;
    let mut found = finder.finish()?;
    let broken = alone.err().filter(|_| begins_like_a_card(&head));
    found.broken = broken.or(found.broken);
    if let (true, Some(broken)) = (found.groups.is_empty(), found.broken_group.take()) {
        return Err(broken.into());
    }
    if let Some(group) = group_in(&mut found)? {
        if let Some(header) = header {
            check_keeper(&group, &header, keystore)?;
        }
        return Ok(CardsFound::Group(Box::new(group)));
    }
    let own = keystore.identities()?;
    let own: Vec<Card> = own.into_iter().map(|identity| identity.card).collect();
    let found = choose(found, &own)?;
    if let Some(header) = header {
        check_sender(&found.card, &header, &own)?;
    }
    Ok(CardsFound::Card(Box::new(found)))
}

/// The one group card, with the cards beside it.
fn group_in(found: &mut FoundCards) -> Result<Option<FoundGroup>, CardSourceError> {
    match (found.groups.pop(), found.groups.len()) {
        (None, _) => Ok(None),
        (Some(card), 0) => Ok(Some(FoundGroup {
            card,
            cards: std::mem::take(&mut found.cards),
        })),
        (Some(_), more) => Err(CardSourceError::SeveralGroups(more + 1)),
    }
}

/// Checks that the keeper of a group sent the message, as [`check_sender`] does for the owner of a card.
fn check_keeper(
    group: &FoundGroup,
    header: &Header,
    keystore: &Keystore,
) -> Result<(), CardSourceError> {
    let keeper = group.card.keeper();
    let own = keystore.identities()?.into_iter().map(|mine| mine.card);
    let own: Vec<Card> = own.collect();
    let known = keystore.contact(&keeper)?.map(|contact| contact.card);
    let mut cards = own.iter().chain(&known).chain(&group.cards);
    match cards.find(|card| card.id() == keeper) {
        Some(card) => check_sender(card, header, &own),
        // Who keeps it is not known: that is told when it is compared.
        None => Ok(()),
    }
}

fn begins_like_a_card(text: &[u8]) -> bool {
    let quoting = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
    let begin = text.iter().position(|byte| !quoting(byte));
    let text = &text[begin.unwrap_or(0)..];
    let prefix = &text[..text.len().min(32)];
    Card::is_text(&String::from_utf8_lossy(prefix))
}

/// Whether it begins with a block of fields, behind at most the line that begins a message in an mbox.
fn is_message(mut head: &[u8]) -> bool {
    if head.starts_with(b"From ") {
        let line = head.iter().position(|byte| *byte == b'\n');
        head = &head[line.map_or(head.len(), |end| end + 1)..];
    }
    let mut bytes = head;
    let Ok(header) = Header::read(&mut bytes) else {
        return false;
    };
    let begins = |header: &Header| {
        let first = header.fields().next();
        first.is_some_and(|field| head.starts_with(field.raw))
    };
    begins(&header)
        && MESSAGE_FIELDS
            .iter()
            .any(|name| header.first(name).is_some())
}

fn in_text(text: &mut dyn Read) -> Result<CardFinder, ScanError> {
    let mut finder = CardFinder::default();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match text.read(&mut buffer) {
            Ok(0) => return Ok(finder),
            Ok(count) => finder.push(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn in_message(message: &mut dyn Read) -> Result<(CardFinder, Option<Header>), ScanError> {
    let mut parts = PartsWithCards::default();
    let structure = scan(message, Nested::Enter, &mut parts)?;
    Ok((parts.finder, Some(structure.header)))
}

/// Looks into every part, decoded.
#[derive(Default)]
struct PartsWithCards {
    finder: CardFinder,
    decoder: Option<Decoder>,
    decoded: Vec<u8>,
    is_in_tag: bool,
}

impl Visitor for PartsWithCards {
    fn body(&mut self, part: &Part, bytes: &[u8]) {
        let decoder = self
            .decoder
            .get_or_insert_with(|| Decoder::new(part.encoding));
        decoder.push(bytes, &mut self.decoded);
        self.look(part);
    }

    fn leaf_ended(&mut self, part: &Part) {
        if let Some(mut decoder) = self.decoder.take() {
            decoder.finish(&mut self.decoded);
        }
        self.look(part);
        self.finder.end_text();
        self.is_in_tag = false;
    }
}

impl PartsWithCards {
    fn look(&mut self, part: &Part) {
        if part.media_type == "text/html" {
            let is_in_tag = &mut self.is_in_tag;
            self.decoded.retain(|byte| is_text(*byte, is_in_tag));
        }
        self.finder.push(&self.decoded);
        self.decoded.clear();
    }
}

/// Whether it stands between the tags of HTML, which break the lines of a card there.
fn is_text(byte: u8, is_in_tag: &mut bool) -> bool {
    let was_in_tag = *is_in_tag;
    *is_in_tag = byte == b'<' || (was_in_tag && byte != b'>');
    !was_in_tag && !*is_in_tag
}

/// Chooses the one card of somebody else. An answer quotes what was written to its author: my own cards count only where no
/// other is.
fn choose(found: FoundCards, own: &[Card]) -> Result<FoundCard, CardSourceError> {
    let is_own = |card: &Card| own.iter().any(|mine| mine.id() == card.id());
    let (mut mine, mut others): (Vec<Card>, Vec<Card>) = found.cards.into_iter().partition(is_own);
    if let [first, second, ..] = &others[..] {
        return Err(CardSourceError::Several {
            first: Box::new(Names::of_card(first)),
            second: Box::new(Names::of_card(second)),
        });
    }
    let card = others.pop().or_else(|| mine.pop());
    let card = card.ok_or_else(|| {
        let broken = found.broken.map(CardSourceError::Card);
        broken.unwrap_or(CardSourceError::NoCard)
    })?;
    Ok(FoundCard {
        card,
        answers: found.answers,
        invitations: found.invitations,
    })
}

/// Checks that the card belongs to the sender of the message, or is one of mine.
fn check_sender(card: &Card, header: &Header, own: &[Card]) -> Result<(), CardSourceError> {
    let from = sender(header)?;
    let mut addresses = card.addresses().iter();
    if addresses.any(|address| is_same_address(address, &from)) || own.contains(card) {
        return Ok(());
    }
    Err(CardSourceError::OtherSender {
        from,
        card: Box::new(Names::of_card(card)),
    })
}

/// The one address in the one field From.
fn sender(header: &Header) -> Result<String, SenderError> {
    let mut fields = header.all("From");
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(match header.all("From").count() {
            0 => SenderError::Missing,
            count => SenderError::Fields(count),
        });
    };
    let list = parse_list(&field.text())?;
    match &list[..] {
        [one] => Ok(one.address.clone()),
        [] => Err(SenderError::Missing),
        several => Err(SenderError::People(several.len())),
    }
}

#[cfg(test)]
mod tests;
