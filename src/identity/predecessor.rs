//! The identity in whose place another came, and its word for that.

use serde::Serialize;

use super::Identity;
use super::card::CardError;
use crate::crypto::signing::{Purpose, RootId, Signature};
use crate::json::{self, Error, Value};

/// Identities that one replaces.
const PREDECESSORS_MAX: usize = 4;

/// An identity in whose place another came, and its signature under that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predecessor {
    id: RootId,
    signature: Signature,
}

impl Predecessor {
    /// Signs that `successor` takes the place of `identity`.
    #[must_use]
    pub fn new(identity: &Identity, successor: RootId) -> Self {
        Self {
            id: identity.id(),
            signature: identity.root().sign(Purpose::Succession, &[&successor.0]),
        }
    }

    /// The root key that was replaced.
    #[must_use]
    pub fn id(&self) -> RootId {
        self.id
    }

    /// What stood on a card; the card checks it.
    pub(super) fn signed(id: RootId, signature: Signature) -> Self {
        Self { id, signature }
    }

    pub(super) fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Checks the signature.
    pub(super) fn is_signed_for(&self, successor: RootId) -> Result<(), CardError> {
        let signed = self
            .id
            .verify(Purpose::Succession, &[&successor.0], &self.signature);
        signed.map_err(|_| CardError::Signature)
    }
}

#[derive(Serialize)]
pub(super) struct PredecessorLine {
    id: RootId,
    sig: String,
}

impl PredecessorLine {
    pub(super) fn of(predecessor: &Predecessor) -> Self {
        Self {
            id: predecessor.id,
            sig: json::to_b64(&predecessor.signature.0),
        }
    }
}

/// The list as it is written on a card; an empty list is not written.
pub(super) fn list(value: Value<'_>) -> Result<Vec<Predecessor>, Error> {
    let listed = value.array(PREDECESSORS_MAX, predecessor)?;
    if listed.is_empty() {
        Err(Error::malformed("a list of nobody that it replaces"))
    } else {
        Ok(listed)
    }
}

fn predecessor(value: Value<'_>) -> Result<Predecessor, Error> {
    let (mut id, mut signature) = (None, None);
    value.object(|name, value| {
        match name {
            "id" => id = Some(RootId(value.base64()?)),
            "sig" => signature = Some(Signature(value.base64()?)),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    Ok(Predecessor {
        id: id.ok_or_else(|| Error::missing("id"))?,
        signature: signature.ok_or_else(|| Error::missing("sig"))?,
    })
}
