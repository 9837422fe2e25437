//! KEM keys as they stand on the cards of people and of gates.

use serde::Serialize;

use super::CardError;
use crate::crypto::{Kem, PublicKey};
use crate::identity::{KEYS_MAX, distinct, known_kem, serial_number};
use crate::json::{self, Error, Value};
use crate::time::Time;

/// A KEM key that a card certifies.
#[derive(Clone, PartialEq, Eq)]
pub struct CardKey {
    /// The key.
    pub public: PublicKey,
    /// Rises with every key of the identity.
    pub serial: u32,
    /// When it was made.
    pub created: Time,
    /// The time from which on nothing is sealed to it.
    pub expires: Option<Time>,
}

impl CardKey {
    /// The key to seal to, of a card's keys: the one with the highest serial that has not expired.
    #[must_use]
    pub fn current(keys: &[Self], now: Time) -> Option<&Self> {
        let fresh = keys
            .iter()
            .filter(|key| key.expires.is_none_or(|expires| now < expires));
        fresh.max_by_key(|key| key.serial)
    }
}

#[derive(Serialize)]
pub(crate) struct CardKeyLine {
    kem: &'static str,
    key: String,
    serial: u32,
    created: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
}

impl CardKeyLine {
    pub(crate) fn of(key: &CardKey) -> Self {
        Self {
            kem: key.public.kem().name(),
            key: json::to_b64(key.public.as_bytes()),
            serial: key.serial,
            created: key.created,
            expires: key.expires,
        }
    }
}

/// A key as it stands on the card, before it is checked as a key.
pub(crate) struct BareKey {
    kem: Kem,
    bytes: Vec<u8>,
    serial: u32,
    created: Time,
    expires: Option<Time>,
}

impl BareKey {
    /// Checks it as a key.
    pub(crate) fn checked(self) -> Result<CardKey, CardError> {
        let public = PublicKey::new(self.kem, &self.bytes);
        let public = public.map_err(|cause| CardError::Key {
            serial: self.serial,
            cause,
        })?;
        Ok(CardKey {
            public,
            serial: self.serial,
            created: self.created,
            expires: self.expires,
        })
    }
}

/// The keys of a card: at least one, no serial and no key twice.
pub(crate) fn list(value: Value<'_>) -> Result<Vec<BareKey>, Error> {
    let keys = value.array(KEYS_MAX, bare)?;
    let serials = keys.iter().map(|key| key.serial);
    distinct(serials, "a serial twice, or no key")?;
    distinct(keys.iter().map(|key| &key.bytes), "a key twice")?;
    Ok(keys)
}

fn bare(value: Value<'_>) -> Result<BareKey, Error> {
    let (mut kem, mut bytes, mut serial, mut created, mut expires) = (None, None, None, None, None);
    value.object(|name, value| {
        match name {
            "kem" => kem = Some(known_kem(value)?),
            "key" => bytes = Some(value.base64_of(&[32, 1216])?),
            "serial" => serial = Some(serial_number(value)?),
            "created" => created = Some(value.time()?),
            "expires" => expires = Some(value.time()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(BareKey {
        kem: kem.ok_or_else(|| Error::missing("kem"))?,
        bytes: bytes.ok_or_else(|| Error::missing("key"))?,
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
        created: created.ok_or_else(|| Error::missing("created"))?,
        expires,
    })
}
