//! The card of a gate: its keys and its address, signed by its root key. What people give to each other to name a gate.

mod url;

use serde::Serialize;

use super::log::{NoteKey, is_origin};
use crate::crypto::signing::{Purpose, RootId, SigningKey};
use crate::crypto::{Kem, PublicKey};
use crate::identity::carrier::{self, CONTENT_BYTES_MAX, Carried};
use crate::identity::{
    BareKey, CardError, CardKey, CardKeyLine, NAME_BYTES_MAX, VERSION, key_list, known_version,
};
use crate::json::{self, Error, Text};
use crate::policy::URL_BYTES_MAX;
use crate::time::Time;

pub use url::{GateUrl, NotAUrl};

/// How the card of a gate begins.
const PREFIX: &str = "encl-gate1:";

/// A gate's card is refused as a person's is.
pub type GateCardError = CardError;

/// The card of a gate, which was checked: form, signature and every key.
#[derive(Clone, PartialEq, Eq)]
pub struct GateCard {
    id: RootId,
    name: String,
    url: GateUrl,
    serial: u64,
    created: Time,
    log: NoteKey,
    keys: Vec<CardKey>,
    text: String,
}

/// What a new card of a gate shall say.
pub struct GateCardRequest<'a> {
    /// What people call the gate, at most 256 bytes.
    pub name: &'a str,
    /// Where it is reached.
    pub url: &'a GateUrl,
    /// The serial of the card before it; 0 if there is none.
    pub after: u64,
    /// When it is made.
    pub created: Time,
    /// The log that it writes, and the key that signs answers and checkpoints.
    pub log: &'a NoteKey,
    /// 1 to 16 X-Wing keys.
    pub keys: &'a [CardKey],
}

impl GateCard {
    /// Signs a card. Its serial is the time in seconds since 1970, or the one before it plus one if that is more.
    ///
    /// # Errors
    /// [`CardError::Line`] when name, log or keys are not fit for one.
    pub fn new(root: &SigningKey, request: &GateCardRequest<'_>) -> Result<Self, GateCardError> {
        let line = GateLine {
            gate: VERSION,
            id: root.id(),
            name: request.name,
            url: request.url.as_str(),
            serial: request.created.unix().max(request.after + 1),
            created: request.created,
            log: request.log.key,
            origin: &request.log.name,
            keys: request.keys.iter().map(CardKeyLine::of).collect(),
        };
        let line = serde_json::to_vec(&line).expect("it has only texts and numbers");
        let signature = root.sign(Purpose::GateCard, &[&line]);
        Self::from_text(carrier::write(PREFIX, &line, &signature).as_bytes())
    }

    /// Reads a card from text, however it was wrapped or quoted, and checks all of it.
    ///
    /// # Errors
    /// [`GateCardError`].
    pub fn from_text(text: &[u8]) -> Result<Self, GateCardError> {
        let Carried {
            line,
            signature,
            text,
        } = carrier::read(PREFIX, text)?;
        let (card, keys) = parse(&line)?;
        let verified = card.id.verify(Purpose::GateCard, &[&line], &signature);
        verified.map_err(|_| CardError::Signature)?;
        let keys = keys.into_iter().map(BareKey::checked);
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.iter().any(|key| key.public.kem() != Kem::XWing) {
            return Err(Error::malformed("a key that is not an X-Wing key").into());
        }
        Ok(Self { keys, text, ..card })
    }

    /// Says whether `text` begins like a card of a gate.
    #[must_use]
    pub fn is_text(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The gate's root key, which never changes.
    #[must_use]
    pub fn id(&self) -> RootId {
        self.id
    }

    /// What its operator calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is reached.
    #[must_use]
    pub fn url(&self) -> &GateUrl {
        &self.url
    }

    /// Rises with every card of a gate.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// When the card was made.
    #[must_use]
    pub fn created(&self) -> Time {
        self.created
    }

    /// The log that it writes, and the key that signs its answers and checkpoints.
    #[must_use]
    pub fn log_key(&self) -> &NoteKey {
        &self.log
    }

    /// Its KEM keys; slots of older envelopes are sealed to the older ones.
    #[must_use]
    pub fn keys(&self) -> &[CardKey] {
        &self.keys
    }

    /// The key that requests and new slots are sealed to: the one with the highest serial.
    #[must_use]
    pub fn newest_key(&self) -> &PublicKey {
        let newest = self.keys.iter().max_by_key(|key| key.serial);
        &newest.expect("a card has at least one key").public
    }

    /// One line of text, without a line feed.
    #[must_use]
    pub fn to_text(&self) -> &str {
        &self.text
    }

    /// Lines that no mail program wraps; the last one has no line feed.
    #[must_use]
    pub fn to_wrapped_text(&self) -> String {
        carrier::wrapped(PREFIX, &self.text)
    }
}

#[derive(Serialize)]
struct GateLine<'a> {
    gate: &'static str,
    id: RootId,
    name: &'a str,
    url: &'a str,
    serial: u64,
    created: Time,
    log: RootId,
    origin: &'a str,
    keys: Vec<CardKeyLine>,
}

/// A card without its text and keys.
fn parse(line: &[u8]) -> Result<(GateCard, Vec<BareKey>), Error> {
    let (mut version, mut id, mut title, mut url, mut serial) = (None, None, None, None, None);
    let (mut created, mut log, mut origin, mut keys) = (None, None, None, None);
    if line.len() > CONTENT_BYTES_MAX {
        return Err(Error::over_limit("the gate's card"));
    }
    Text::check(line)?.object(|name, value| {
        match name {
            "gate" => version = Some(known_version(value)?),
            "id" => id = Some(RootId(value.base64()?)),
            "name" => title = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "url" => url = Some(fit_url(&value.text(URL_BYTES_MAX)?)?),
            "serial" => serial = Some(value.number()?).filter(|serial| *serial > 0),
            "created" => created = Some(value.time()?),
            "log" => log = Some(log_key(value.base64()?)?),
            "origin" => origin = Some(fit_origin(&value.text(usize::MAX)?)?),
            "keys" => keys = Some(key_list(value)?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    version.ok_or_else(|| Error::missing("gate"))?;
    let card = GateCard {
        id: id.ok_or_else(|| Error::missing("id"))?,
        name: title.ok_or_else(|| Error::missing("name"))?,
        url: url.ok_or_else(|| Error::missing("url"))?,
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
        created: created.ok_or_else(|| Error::missing("created"))?,
        log: NoteKey {
            name: origin.ok_or_else(|| Error::missing("origin"))?,
            key: log.ok_or_else(|| Error::missing("log"))?,
        },
        keys: Vec::new(),
        text: String::new(),
    };
    Ok((card, keys.ok_or_else(|| Error::missing("keys"))?))
}

fn fit_url(text: &str) -> Result<GateUrl, Error> {
    GateUrl::parse(text).map_err(|_| Error::malformed("a `url` that is not an address of a gate"))
}

fn log_key(bytes: [u8; 32]) -> Result<RootId, Error> {
    let key = RootId(bytes);
    let is_fit = key.is_acceptable();
    is_fit
        .then_some(key)
        .ok_or_else(|| Error::malformed("a `log` that is not a key"))
}

fn fit_origin(text: &str) -> Result<String, Error> {
    let is_fit = is_origin(text) && json::is_clean(text);
    let owned = is_fit.then(|| text.to_owned());
    owned.ok_or_else(|| Error::malformed("an `origin` that is not fit for one"))
}

#[cfg(test)]
mod tests;
