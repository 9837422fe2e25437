//! How far a name can be relied on.

use serde::Serialize;

use crate::identity::{Card, CardKey};
use crate::keystore;
use crate::time::Time;

/// How far a name can be relied on, in one word: what the keystore knows, without its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// One of my identities.
    #[serde(rename = "own")]
    Me,
    /// A contact whose key was never compared.
    Unverified,
    /// Unverified here, though a record that this machine did not make says otherwise.
    #[serde(rename = "unverified")]
    Unproven,
    /// A contact whose key was compared.
    Verified,
    /// Another key was offered for the contact, and nobody has decided yet.
    Changed,
    /// The card of a verified contact is older than one that this machine has seen.
    #[serde(rename = "changed")]
    Older,
    /// No key on the card can be encrypted to any more. Never said of signatures.
    Expired,
    /// The owner revoked the key.
    Revoked,
    /// I blocked the contact.
    Blocked,
    /// No card of this key is in the keystore.
    Unknown,
}

impl From<keystore::Trust> for Trust {
    fn from(trust: keystore::Trust) -> Self {
        match trust {
            keystore::Trust::Own => Self::Me,
            keystore::Trust::Verified(_) => Self::Verified,
            keystore::Trust::Unproven => Self::Unproven,
            keystore::Trust::Changed { .. } => Self::Changed,
            keystore::Trust::Older { .. } => Self::Older,
            keystore::Trust::Revoked { .. } => Self::Revoked,
            keystore::Trust::Blocked { .. } => Self::Blocked,
            keystore::Trust::Unverified => Self::Unverified,
        }
    }
}

impl Trust {
    /// The trust in a contact with its card: *expired* where nothing worse is known.
    #[must_use]
    pub fn of_card(trust: keystore::Trust, card: &Card, now: Time) -> Self {
        let trust = Self::from(trust);
        let has_expired = !trust.blocks_use() && CardKey::current(card.keys(), now).is_none();
        if has_expired { Self::Expired } else { trust }
    }

    /// Whether nothing may be encrypted to this key, and nothing that it signed counts as signed by a known person.
    #[must_use]
    pub fn blocks_use(self) -> bool {
        matches!(
            self,
            Self::Changed | Self::Older | Self::Revoked | Self::Blocked
        )
    }
}
