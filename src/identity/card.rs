//! An identity's public half, signed by its root key: what people give to each other.

mod key;

use serde::Serialize;

use super::carrier::{self, CONTENT_BYTES_MAX, CarrierError};
use super::predecessor::{self, Predecessor, PredecessorLine};
use super::{
    ADDRESS_BYTES_MAX, ADDRESSES_MAX, Identity, NAME_BYTES_MAX, VERSION, distinct, known_version,
    serial_number,
};
use crate::crypto::KemError;
use crate::crypto::signing::{Purpose, RootId, Signature};
use crate::json::{Error, Text, Value};
use crate::time::Time;

pub use key::CardKey;
pub(crate) use key::{BareKey, CardKeyLine, list as key_list};

/// How a card begins, as a file, a line or a header.
pub(super) const PREFIX: &str = "encl-card1:";

/// A card that was checked: form, signature and every key.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    id: RootId,
    name: String,
    addresses: Vec<String>,
    serial: u32,
    created: Time,
    keys: Vec<CardKey>,
    replaces: Vec<Predecessor>,
    text: String,
}

/// What a new card shall say beside the keys.
pub struct CardRequest {
    /// The name, at most 256 bytes.
    pub name: String,
    /// 1 to 16 addresses.
    pub addresses: Vec<String>,
    /// Higher than that of every earlier card.
    pub serial: u32,
    /// When the card is made.
    pub created: Time,
}

/// Why a card is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// The text does not carry a card.
    #[error("{0}")]
    Carrier(#[from] CarrierError),
    /// The card is not as the format demands, or newer.
    #[error("{0}")]
    Line(#[from] Error),
    /// A key of the card cannot be sealed to.
    #[error("the key with serial {serial} is refused: {cause}")]
    Key {
        /// The key's serial.
        serial: u32,
        /// Why.
        cause: KemError,
    },
    /// The card was not signed by the identity that it describes, or changed.
    #[error("its signature is wrong: it was changed or forged")]
    Signature,
}

impl Card {
    /// Signs a card for `identity` with all its KEM keys.
    ///
    /// # Errors
    /// [`CardError::Line`] when name or addresses are not fit for a card.
    pub fn new(identity: &Identity, request: CardRequest) -> Result<Self, CardError> {
        Self::replacing(identity, request, &[])
    }

    /// Makes a card for an identity that replaces at most four others, like [`Card::new`].
    ///
    /// # Errors
    /// [`CardError::Line`] also when there are more or one stands twice, [`CardError::Signature`] when one did not sign.
    pub fn replacing(
        identity: &Identity,
        request: CardRequest,
        replaces: &[Predecessor],
    ) -> Result<Self, CardError> {
        let card = Self {
            id: identity.id(),
            name: request.name,
            addresses: request.addresses,
            serial: request.serial,
            created: request.created,
            keys: identity.keys().iter().map(CardKey::from).collect(),
            replaces: replaces.to_vec(),
            text: String::new(),
        };
        let line = card.to_line();
        let signature = identity.root().sign(Purpose::Card, &[&line]);
        Self::from_text(carrier::write(PREFIX, &line, &signature).as_bytes())
    }

    /// Reads a card from text, however it was wrapped or quoted, and checks all of it.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn from_text(text: &[u8]) -> Result<Self, CardError> {
        let carried = carrier::read(PREFIX, text)?;
        Ok(Self {
            text: carried.text,
            ..Self::checked(&carried.line, &carried.signature)?
        })
    }

    /// Checks a card's JSON line and signature.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn from_parts(line: &[u8], signature: &Signature) -> Result<Self, CardError> {
        Ok(Self {
            text: carrier::write(PREFIX, line, signature),
            ..Self::checked(line, signature)?
        })
    }

    /// A card without its text.
    fn checked(line: &[u8], signature: &Signature) -> Result<Self, CardError> {
        let mut keys = Vec::new();
        let mut card = parse(line, &mut keys)?;
        check(&card)?;
        card.id
            .verify(Purpose::Card, &[line], signature)
            .map_err(|_| CardError::Signature)?;
        for predecessor in &card.replaces {
            predecessor.is_signed_for(card.id)?;
        }
        let keys = keys.into_iter().map(BareKey::checked);
        card.keys = keys.collect::<Result<_, _>>()?;
        Ok(card)
    }

    /// Says whether `text` begins like a card.
    #[must_use]
    pub fn is_text(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The identity's root key.
    #[must_use]
    pub fn id(&self) -> RootId {
        self.id
    }

    /// The name that its owner chose.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 1 to 16 addresses, the first the usual one.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Rises with every card of an identity.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// When the card was made.
    #[must_use]
    pub fn created(&self) -> Time {
        self.created
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[CardKey] {
        &self.keys
    }

    /// The identities in whose place this one came; each of them signed that.
    #[must_use]
    pub fn replaces(&self) -> &[Predecessor] {
        &self.replaces
    }

    /// Whether the card may carry addresses that are known with this root key: it is that key, or its signed successor.
    #[must_use]
    pub fn may_carry_addresses_of(&self, owner: &RootId) -> bool {
        *owner == self.id() || self.is_successor_of(owner)
    }

    /// Whether this identity came in the place of that one.
    #[must_use]
    pub fn is_successor_of(&self, id: &RootId) -> bool {
        self.replaces
            .iter()
            .any(|predecessor| predecessor.id() == *id)
    }

    /// The key to seal to: the one with the highest serial that has not expired.
    #[must_use]
    pub fn current_key(&self, now: Time) -> Option<&CardKey> {
        CardKey::current(&self.keys, now)
    }

    /// The card as one line of text, without a line feed.
    #[must_use]
    pub fn to_text(&self) -> &str {
        &self.text
    }

    /// The text form in lines of at most 73 characters, which no mail program wraps; the last line has no line feed.
    #[must_use]
    pub fn to_wrapped_text(&self) -> String {
        carrier::wrapped(PREFIX, &self.text)
    }

    fn to_line(&self) -> Vec<u8> {
        let line = CardLine {
            card: VERSION,
            id: self.id,
            name: &self.name,
            addresses: &self.addresses,
            serial: self.serial,
            created: self.created,
            keys: self.keys.iter().map(CardKeyLine::of).collect(),
            replaces: self.replaces.iter().map(PredecessorLine::of).collect(),
        };
        serde_json::to_vec(&line).expect("a card has only texts, numbers and lists")
    }
}

#[derive(Serialize)]
struct CardLine<'a> {
    card: &'static str,
    id: RootId,
    name: &'a str,
    addresses: &'a [String],
    serial: u32,
    created: Time,
    keys: Vec<CardKeyLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replaces: Vec<PredecessorLine>,
}

fn parse(line: &[u8], keys: &mut Vec<BareKey>) -> Result<Card, Error> {
    let (mut version, mut id, mut person, mut addresses) = (None, None, None, None);
    let (mut serial, mut created, mut bare, mut replaces) = (None, None, None, None);
    if line.len() > CONTENT_BYTES_MAX {
        return Err(Error::over_limit("the card"));
    }
    Text::check(line)?.object(|name, value| {
        match name {
            "card" => version = Some(known_version(value)?),
            "id" => id = Some(RootId(value.base64()?)),
            "name" => person = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "addresses" => addresses = Some(value.array(ADDRESSES_MAX, address)?),
            "serial" => serial = Some(serial_number(value)?),
            "created" => created = Some(value.time()?),
            "keys" => bare = Some(key::list(value)?),
            "replaces" => replaces = Some(predecessor::list(value)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    version.ok_or_else(|| Error::missing("card"))?;
    *keys = bare.ok_or_else(|| Error::missing("keys"))?;
    Ok(Card {
        id: id.ok_or_else(|| Error::missing("id"))?,
        name: person.ok_or_else(|| Error::missing("name"))?,
        addresses: addresses.ok_or_else(|| Error::missing("addresses"))?,
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
        created: created.ok_or_else(|| Error::missing("created"))?,
        replaces: replaces.unwrap_or_default(),
        keys: Vec::new(),
        text: String::new(),
    })
}

/// Only what a policy can name is an address: one `@` with something on both sides, no blanks.
fn address(value: Value<'_>) -> Result<String, Error> {
    let text = value.text(ADDRESS_BYTES_MAX)?;
    let mut parts = text.split('@');
    let filled = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    let shape = filled(parts.next()) && filled(parts.next()) && parts.next().is_none();
    if shape && !text.contains(char::is_whitespace) {
        Ok(text.into_owned())
    } else {
        Err(Error::malformed("an address that is not like name@domain"))
    }
}

fn check(card: &Card) -> Result<(), Error> {
    let address = |address: &String| address.to_ascii_lowercase();
    distinct(
        card.addresses.iter().map(address),
        "an address twice, or none",
    )?;
    let people = card.replaces.iter().map(Predecessor::id);
    distinct(
        people.chain([card.id]),
        "somebody twice that it replaces, or itself",
    )
}

#[cfg(test)]
mod tests;
