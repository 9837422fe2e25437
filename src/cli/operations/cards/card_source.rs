//! What `encl contact add` is given: a card or revocation alone, or a text or message that has a card in it.

use std::io::{self, Read};

use encl::address::is_same_address;
use encl::identity::{
    CARRIER_BYTES_MAX, Card, CardError, CardFinder, FoundCards, InvitationToken, Revocation,
};
use encl::json;
use encl::mail::{Decoder, Header, Nested, Part, ScanError, Visitor, parse_list, scan};

use crate::cli::context::Context;
use crate::cli::display::names::DisplayName;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::{Input, Source};
use crate::cli::terminal::safe;

const VERB: &str = "add the card in";
/// Bytes of a text or message: more than mail servers take.
const INPUT_BYTES_MAX: u64 = 64 << 20;
/// What is read of a text in one go.
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

/// What was found.
pub(crate) enum CardsFound {
    Card(Box<OfferedCard>),
    Revocation(Revocation),
}

/// A card, and the tokens beside it.
pub(crate) struct OfferedCard {
    pub(crate) card: Card,
    /// As they stand in an answer.
    pub(crate) answers: Vec<InvitationToken>,
    /// As they stand in an invitation, which an answer may quote.
    pub(crate) invitations: Vec<InvitationToken>,
}

/// Reads it.
pub(crate) fn read(input: &Input, context: &Context) -> Result<CardsFound, Failure> {
    if *input == Input::Stdin {
        context.passphrases.stdin_is_data();
    }
    let unreadable = |error: &io::Error| {
        let failure = input.cannot(VERB, Exit::Failed);
        failure.reason(io_message(error))
    };
    let mut source = input.open(VERB)?;
    let mut head = Vec::new();
    let limit = CARRIER_BYTES_MAX as u64 + 1;
    let read = (&mut source).take(limit).read_to_end(&mut head);
    read.map_err(|error| unreadable(&error))?;
    let alone = Card::from_text(&head);
    if let Ok(card) = alone {
        return Ok(CardsFound::Card(Box::new(OfferedCard {
            card,
            answers: Vec::new(),
            invitations: Vec::new(),
        })));
    }
    if let Ok(revocation) = Revocation::from_text(&head) {
        return Ok(CardsFound::Revocation(revocation));
    }
    let mut rest = Bounded::new(&head, source);
    let read = match is_message(&head) {
        true => in_message(&mut rest),
        false => in_text(&mut rest).map(|finder| (finder, None)),
    };
    if rest.is_over() {
        return Err(over_limit(input, "it is longer than 64 MiB"));
    }
    let (finder, header) = read.map_err(|error| match error {
        ScanError::Read(error) => unreadable(&error),
        limit @ ScanError::OverLimit { .. } => over_limit(input, &limit.to_string()),
    })?;
    let found = finder.finish();
    let mut found = found.map_err(|error| over_limit(input, &error.to_string()))?;
    let broken = alone.err().filter(|_| begins_like_a_card(&head));
    found.broken = broken.or(found.broken);
    let offered = chosen(found, input, context)?;
    if let Some(header) = header {
        check_sender(&offered.card, &header, input, context)?;
    }
    Ok(CardsFound::Card(Box::new(offered)))
}

/// The input from its first byte, and at most one more than is read of it.
struct Bounded<'a> {
    bytes: io::Take<io::Chain<&'a [u8], Source>>,
}

impl<'a> Bounded<'a> {
    fn new(head: &'a [u8], rest: Source) -> Self {
        Self {
            bytes: head.chain(rest).take(INPUT_BYTES_MAX + 1),
        }
    }

    fn is_over(&self) -> bool {
        self.bytes.limit() == 0
    }
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
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

/// The one card of somebody else. Whoever answers quotes what was written to them: cards of mine count only where no other is.
fn chosen(found: FoundCards, input: &Input, context: &Context) -> Result<OfferedCard, Failure> {
    let people = context.people()?;
    let (mut mine, mut others): (Vec<Card>, Vec<Card>) = found
        .cards
        .into_iter()
        .partition(|card| people.readers().any(|me| me.card.id() == card.id()));
    if let [one, other, ..] = &others[..] {
        return Err(input
            .cannot(VERB, Exit::Recipient)
            .reason("there are different cards in it:")
            .reason(one.display_name())
            .reason(other.display_name())
            .hint("save the one that you mean to a file of its own"));
    }
    let card = others.pop().or_else(|| mine.pop()).ok_or_else(|| {
        let exit = match &found.broken {
            Some(CardError::Line(json::Error::Newer(_))) => Exit::Newer,
            _ => Exit::Damaged,
        };
        let because = found.broken.map(|error| safe(&error.to_string()));
        let because = because.unwrap_or_else(|| "there is no card in it".to_owned());
        input.cannot(VERB, exit).reason(because)
    })?;
    Ok(OfferedCard {
        card,
        answers: found.answers,
        invitations: found.invitations,
    })
}

/// A message brings the card of whoever it says that it is from. This is no proof: anybody can write any From.
fn check_sender(
    card: &Card,
    header: &Header,
    input: &Input,
    context: &Context,
) -> Result<(), Failure> {
    let from = sender(header).map_err(|because| {
        let failure = input.cannot(VERB, Exit::Damaged).reason(because);
        failure.hint("save the card alone to a file, and add that")
    })?;
    let mut addresses = card.addresses().iter();
    let is_mine = || {
        context
            .people()
            .is_ok_and(|p| p.readers().any(|me| me.card == *card))
    };
    if addresses.any(|address| is_same_address(address, &from)) || is_mine() {
        return Ok(());
    }
    Err(input
        .cannot(VERB, Exit::Recipient)
        .reason(format!("the message says that it is from {}", safe(&from)))
        .reason(format!("and the card in it is for {}", addresses_of(card)))
        .hint("ask whose card it is by another way; saved alone to a file it can be added"))
}

fn addresses_of(card: &Card) -> String {
    let addresses = card.addresses().iter().map(|address| safe(address));
    addresses.collect::<Vec<_>>().join(", ")
}

/// The one address in the one field From.
fn sender(header: &Header) -> Result<String, String> {
    let mut fields = header.all("From");
    let (Some(field), None) = (fields.next(), fields.next()) else {
        let count = header.all("From").count();
        return Err(match count {
            0 => "the message does not say who it is from".to_owned(),
            _ => format!("the message has {count} fields From"),
        });
    };
    let list = parse_list(&field.text())
        .map_err(|error| format!("its From is not understood: {}", safe(&error.to_string())))?;
    match &list[..] {
        [one] => Ok(one.address.clone()),
        [] => Err("the message does not say who it is from".to_owned()),
        several => Err(format!("the message is from {} people", several.len())),
    }
}

fn over_limit(input: &Input, because: &str) -> Failure {
    let mut failure = input.cannot(VERB, Exit::Damaged).reason(because);
    failure.class = Some("over-limit");
    failure
}

#[cfg(test)]
mod tests;
