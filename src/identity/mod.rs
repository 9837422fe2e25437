//! Keys as people handle them: an identity and its card.
//!
//! An identity is one Ed25519 root key, whose public half is its id and never changes, and the KEM keys that envelopes
//! are sealed to. The card is its public half, signed by the root key. (FORMAT.md, "Cards", "Identity files".)

mod card;
pub(crate) mod carrier;
mod finder;
mod fingerprint;
mod group_card;
mod invitation;
mod naming;
mod paper;
mod predecessor;
mod revocation;

use serde::Serialize;
use zeroize::{Zeroize, Zeroizing};

pub(crate) use card::{BareKey, CardKeyLine, key_list};
pub use card::{Card, CardError, CardKey, CardRequest};
pub use carrier::{CARRIER_BYTES_MAX, CarrierError};
pub(crate) use carrier::{CONTENT_BYTES_MAX, carried, carry};
pub use finder::{CardFinder, FoundCards, TooManyCards, is_utf16, only_card};
pub use fingerprint::{
    FINGERPRINT_DIGITS, fingerprint, fingerprint_digits, parse_fingerprint, short_fingerprint,
};
pub use group_card::{
    GROUP_MEMBERS_MAX, GroupCard, GroupCardRequest, is_group_address, is_group_name,
};
pub use invitation::{InvitationToken, NotAToken};
pub use naming::{NamingFault, drawn, drawn_name, folded_name, name_fault};
pub use paper::{
    PAPER_BYTES_MAX, PAPER_LINES_MAX, Paper, PaperError, PaperLines, is_code, serial_ahead,
};
pub use predecessor::Predecessor;
pub use revocation::Revocation;

use crate::crypto::signing::{RootId, SigningKey};
use crate::crypto::{CryptoRng, Kem, KeyId, PrivateKey, PublicKey, Secret};
use crate::json::{self, Error, Text, Value};
use crate::time::Time;

/// Bytes of a person's name.
pub const NAME_BYTES_MAX: usize = 256;
/// Bytes of an address.
pub const ADDRESS_BYTES_MAX: usize = 320;
/// The most addresses on a card.
pub const ADDRESSES_MAX: usize = 16;
/// KEM keys of one identity.
pub const KEYS_MAX: usize = 16;

/// The private keys of one person.
pub struct Identity {
    root: SigningKey,
    keys: Vec<KemKey>,
}

/// A private KEM key, with what its card says about it.
pub struct KemKey {
    /// The key.
    pub private: PrivateKey,
    /// Rises with every key of the identity, from 1.
    pub serial: u32,
    /// When it was made.
    pub created: Time,
    /// The time from which on nothing is sealed to it. It still opens older envelopes.
    pub expires: Option<Time>,
}

/// Why bytes are not an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not the identity line of FORMAT.md.
    #[error("not an identity: {0}")]
    Line(#[from] Error),
    /// The id is not the public half of the seed.
    #[error("the identity's id does not belong to its key")]
    Id,
    /// Two files of one identity have different keys with this serial: both were rotated.
    #[error("the two have different keys with the serial {0}")]
    Differs(u32),
    /// No more keys fit in.
    #[error("it has {KEYS_MAX} keys, which is as many as an identity can have")]
    Full,
}

impl Identity {
    /// Draws a root key and one KEM key.
    #[must_use]
    pub fn generate(
        kem: Kem,
        created: Time,
        expires: Option<Time>,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        let root = SigningKey::generate(rng);
        let private = PrivateKey::generate(kem, rng);
        Self {
            root,
            keys: vec![KemKey {
                private,
                serial: 1,
                created,
                expires,
            }],
        }
    }

    /// Adds a KEM key. Senders with a later card seal to it; the older keys stay, to open what was sealed to them.
    ///
    /// # Errors
    /// [`IdentityError::Full`].
    pub fn rotate(
        &mut self,
        kem: Kem,
        created: Time,
        expires: Option<Time>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), IdentityError> {
        if self.keys.len() >= KEYS_MAX {
            return Err(IdentityError::Full);
        }
        let last = self.keys.iter().map(|key| key.serial).max().unwrap_or(0);
        self.keys.push(KemKey {
            private: PrivateKey::generate(kem, rng),
            serial: last.checked_add(1).ok_or(IdentityError::Full)?,
            created,
            expires,
        });
        Ok(())
    }

    /// Takes out the oldest KEM key if as many are there as fit in, so that there is room for a new one. Whoever calls this keeps it:
    /// older envelopes are sealed to it.
    pub fn make_room(&mut self) -> Option<PrivateKey> {
        if self.keys.len() < KEYS_MAX {
            return None;
        }
        let numbered = self.keys.iter().enumerate();
        let oldest = numbered.min_by_key(|(_, key)| key.serial);
        let oldest = oldest.map(|(number, _)| number)?;
        Some(self.keys.remove(oldest).private)
    }

    /// Takes the keys of the same identity from elsewhere, and says whether there were any that it had not.
    ///
    /// # Errors
    /// [`IdentityError::Id`] if it is another identity, [`IdentityError::Differs`] if the two have different keys with one
    /// serial, [`IdentityError::Full`].
    pub fn merge(&mut self, other: Self) -> Result<bool, IdentityError> {
        if other.id() != self.id() {
            return Err(IdentityError::Id);
        }
        let before = self.keys.len();
        for key in other.keys {
            let id = |key: &KemKey| key.private.public_key().key_id();
            match self.keys.iter().find(|known| known.serial == key.serial) {
                None => self.keys.push(key),
                Some(known) if id(known) == id(&key) => {}
                Some(_) => return Err(IdentityError::Differs(key.serial)),
            }
        }
        self.keys.sort_by_key(|key| key.serial);
        if self.keys.len() > KEYS_MAX {
            return Err(IdentityError::Full);
        }
        Ok(self.keys.len() > before)
    }

    /// Changes when the newest KEM key expires, for the next card.
    pub fn renew(&mut self, expires: Option<Time>) {
        if let Some(key) = self.keys.iter_mut().max_by_key(|key| key.serial) {
            key.expires = expires;
        }
    }

    /// The public half of the root key, which is the id of this identity.
    #[must_use]
    pub fn id(&self) -> RootId {
        self.root.id()
    }

    /// The root key.
    #[must_use]
    pub fn root(&self) -> &SigningKey {
        &self.root
    }

    /// All KEM keys, the old ones too.
    #[must_use]
    pub fn keys(&self) -> &[KemKey] {
        &self.keys
    }

    /// The private key with this id, if it is one of this identity's.
    #[must_use]
    pub fn private_key(&self, id: KeyId) -> Option<&PrivateKey> {
        self.keys
            .iter()
            .map(|key| &key.private)
            .find(|key| key.public_key().key_id() == id)
    }

    /// Writes the identity line, without a line feed. The line gives its reader the private keys.
    #[must_use]
    pub fn to_line(&self) -> Zeroizing<Vec<u8>> {
        let line = IdentityLine {
            identity: VERSION,
            id: self.id(),
            seed: self.root.seed().expose(),
            keys: self.keys.iter().map(KeyLine::of).collect(),
        };
        // Room for all keys from the start: a buffer that grows leaves copies behind.
        let mut text = Zeroizing::new(Vec::with_capacity(256 + KEYS_MAX * 256));
        serde_json::to_writer(&mut *text, &line).expect("a Vec takes every write");
        text
    }

    /// Reads an identity line, without its line feed.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn from_line(line: &[u8]) -> Result<Self, IdentityError> {
        let (mut version, mut id, mut seed, mut keys) = (None, None, None, None);
        Text::check(line)?.object(|name, value| {
            match name {
                "identity" => version = Some(known_version(value)?),
                "id" => id = Some(RootId(value.base64()?)),
                "seed" => seed = Some(secret(value)?),
                "keys" => keys = Some(value.array(KEYS_MAX, kem_key)?),
                other => return Err(Error::unknown(other)),
            }
            Ok(())
        })?;
        version.ok_or_else(|| Error::missing("identity"))?;
        let root = SigningKey::new(seed.ok_or_else(|| Error::missing("seed"))?);
        let keys: Vec<KemKey> = keys.ok_or_else(|| Error::missing("keys"))?;
        distinct(
            keys.iter().map(|key| key.serial),
            "a serial twice, or no key",
        )?;
        distinct(
            keys.iter().map(|key| key.private.secret().expose()),
            "a key twice",
        )?;
        if id.ok_or_else(|| Error::missing("id"))? == root.id() {
            Ok(Self { root, keys })
        } else {
            Err(IdentityError::Id)
        }
    }
}

/// What `card`, `identity` and `revocation` say in this version.
pub(crate) const VERSION: &str = "encl/1";

#[derive(Serialize)]
struct IdentityLine<'a> {
    identity: &'static str,
    id: RootId,
    #[serde(serialize_with = "json::b64")]
    seed: &'a [u8; 32],
    keys: Vec<KeyLine<'a>>,
}

#[derive(Serialize)]
struct KeyLine<'a> {
    kem: &'static str,
    #[serde(serialize_with = "json::b64")]
    secret: &'a [u8; 32],
    serial: u32,
    created: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Time>,
}

impl<'a> KeyLine<'a> {
    fn of(key: &'a KemKey) -> Self {
        Self {
            kem: key.private.kem().name(),
            secret: key.private.secret().expose(),
            serial: key.serial,
            created: key.created,
            expires: key.expires,
        }
    }
}

fn kem_key(value: Value<'_>) -> Result<KemKey, Error> {
    let (mut kem, mut private, mut serial, mut created, mut expires) =
        (None, None, None, None, None);
    value.object(|name, value| {
        match name {
            "kem" => kem = Some(known_kem(value)?),
            "secret" => private = Some(secret(value)?),
            "serial" => serial = Some(serial_number(value)?),
            "created" => created = Some(value.time()?),
            "expires" => expires = Some(value.time()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    let kem = kem.ok_or_else(|| Error::missing("kem"))?;
    Ok(KemKey {
        private: PrivateKey::new(kem, private.ok_or_else(|| Error::missing("secret"))?),
        serial: serial.ok_or_else(|| Error::missing("serial"))?,
        created: created.ok_or_else(|| Error::missing("created"))?,
        expires,
    })
}

fn secret(value: Value<'_>) -> Result<Secret<32>, Error> {
    let mut bytes: [u8; 32] = value.base64()?;
    let secret = Secret::new(bytes);
    bytes.zeroize();
    Ok(secret)
}

pub(crate) fn known_version(value: Value<'_>) -> Result<(), Error> {
    match &*value.text(usize::MAX)? {
        VERSION => Ok(()),
        other => Err(Error::newer(format!("version {other:?}"))),
    }
}

fn known_kem(value: Value<'_>) -> Result<Kem, Error> {
    let name = value.text(usize::MAX)?;
    Kem::from_name(&name).ok_or_else(|| Error::newer(format!("kind of key {name:?}")))
}

fn serial_number(value: Value<'_>) -> Result<u32, Error> {
    let number = u32::try_from(value.number()?)
        .ok()
        .filter(|number| *number > 0);
    number.ok_or_else(|| Error::malformed("a serial that is not 1 to 4,294,967,295"))
}

/// At least one item, and none twice.
pub(crate) fn distinct<T: Ord>(items: impl Iterator<Item = T>, fault: &str) -> Result<(), Error> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    let all_differ = items.windows(2).all(|pair| pair[0] != pair[1]);
    if items.is_empty() || !all_differ {
        Err(Error::malformed(fault))
    } else {
        Ok(())
    }
}

/// The public half of a KEM key with its certificate's data, as cards carry it.
impl From<&KemKey> for CardKey {
    fn from(key: &KemKey) -> Self {
        let public: PublicKey = key.private.public_key();
        Self {
            public,
            serial: key.serial,
            created: key.created,
            expires: key.expires,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(kem: Kem) -> Identity {
        let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
        Identity::generate(kem, "2026-11-24T06:24:00Z".parse().unwrap(), None, &mut rng)
    }

    #[test]
    fn an_identity_comes_back_from_its_line() {
        for kem in [Kem::X25519, Kem::XWing] {
            let made = identity(kem);
            let read = Identity::from_line(&made.to_line()).unwrap();
            assert_eq!(read.id(), made.id());
            let key = made.keys()[0].private.public_key().key_id();
            assert!(read.private_key(key).is_some());
            assert_eq!(*read.to_line(), *made.to_line());
        }
    }

    #[test]
    fn what_is_no_identity_is_refused() {
        let line = String::from_utf8(identity(Kem::X25519).to_line().to_vec()).unwrap();
        let other = identity(Kem::X25519).id();
        let id = json::to_b64(&identity_id(&line).0);
        for (changed, newer) in [
            (line.replace("encl/1", "encl/2"), true),
            (line.replace("x25519", "x448"), true),
            (line.replace("\"serial\":1", "\"serial\":0"), false),
            (line.replace("\"serial\":1", "\"serial\":4294967296"), false),
            (
                line.replace("\"serial\":1", "\"serial\":1,\"note\":1"),
                true,
            ),
            (line.replace("\"identity\":\"encl/1\",", ""), false),
            (
                line.replace(
                    "\"created\":\"2026-11-24T06:24:00Z\"",
                    "\"created\":\"2026-11-24\"",
                ),
                false,
            ),
        ] {
            let Err(IdentityError::Line(error)) = Identity::from_line(changed.as_bytes()) else {
                panic!("{changed}")
            };
            assert_eq!(matches!(error, Error::Newer(_)), newer, "{changed}");
        }
        let stolen = line.replace(&id, &json::to_b64(&other.0));
        assert_eq!(
            Identity::from_line(stolen.as_bytes()).err(),
            Some(IdentityError::Id)
        );
    }

    fn identity_id(line: &str) -> RootId {
        Identity::from_line(line.as_bytes()).unwrap().id()
    }
}
