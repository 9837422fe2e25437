//! The end of an identity, signed when the identity is made, so that it can be published when the key is gone.

use serde::Serialize;

use super::card::CardError;
use super::carrier::{self, Carried};
use super::{VERSION, known_version};
use crate::crypto::signing::{Purpose, RootId, SigningKey};
use crate::json::{Error, Text};
use crate::time::Time;

const PREFIX: &str = "encl-revocation1:";

/// A statement, signed by the root key, that an identity is to be used no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    id: RootId,
    created: Time,
    text: String,
}

impl Revocation {
    /// Signs the statement.
    #[must_use]
    pub fn new(root: &SigningKey, created: Time) -> Self {
        let line = RevocationLine {
            revocation: VERSION,
            id: root.id(),
            created,
        };
        let line = serde_json::to_vec(&line).expect("it has only texts");
        let text = carrier::write(PREFIX, &line, &root.sign(Purpose::Revocation, &[&line]));
        Self {
            id: root.id(),
            created,
            text,
        }
    }

    /// Reads and verifies a statement.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn from_text(text: &[u8]) -> Result<Self, CardError> {
        let Carried {
            line,
            signature,
            text,
        } = carrier::read(PREFIX, text)?;
        let (mut version, mut id, mut created) = (None, None, None);
        Text::check(&line)?.object(|name, value| {
            match name {
                "revocation" => version = Some(known_version(value)?),
                "id" => id = Some(RootId(value.base64()?)),
                "created" => created = Some(value.time()?),
                other => return Err(Error::unknown(other)),
            }
            Ok(())
        })?;
        version.ok_or_else(|| Error::missing("revocation"))?;
        let id = id.ok_or_else(|| Error::missing("id"))?;
        let created = created.ok_or_else(|| Error::missing("created"))?;
        id.verify(Purpose::Revocation, &[&line], &signature)
            .map_err(|_| CardError::Signature)?;
        Ok(Self { id, created, text })
    }

    /// The identity that ends.
    #[must_use]
    pub fn id(&self) -> RootId {
        self.id
    }

    /// When the statement was made.
    #[must_use]
    pub fn created(&self) -> Time {
        self.created
    }

    /// One line of text, without a line feed.
    #[must_use]
    pub fn to_text(&self) -> &str {
        &self.text
    }
}

#[derive(Serialize)]
struct RevocationLine {
    revocation: &'static str,
    id: RootId,
    created: Time,
}
