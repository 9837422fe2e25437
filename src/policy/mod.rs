//! The rules of an envelope: who may read it, and under what conditions. Encoding, private keys and files are in other modules.

mod decide;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::crypto::KeyId;
use crate::crypto::passphrase::Cost;
use crate::crypto::signing::RootId;
use crate::time::Time;

pub use decide::{Conditions, Refusal};

/// Locks of one envelope.
pub const LOCKS_MAX: usize = 8;
/// Recipients of one envelope, over all its locks.
pub const RECIPIENTS_MAX: usize = 16_384;
/// Shares of one lock.
pub const SHARES_MAX: usize = 255;
/// Labels of one envelope.
pub const LABELS_MAX: usize = 64;
/// Bytes of a label's name.
pub const LABEL_NAME_BYTES_MAX: usize = 64;
/// Bytes of a label's value.
pub const LABEL_VALUE_BYTES_MAX: usize = 4_096;

/// The policy of an envelope: line 2 of the file, public, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Whether the author signed content and policy.
    pub signed: bool,
    /// Whether recipients and signer are sealed into the payload.
    pub private: bool,
    /// How the content's length is hidden.
    pub padding: Padding,
    /// When the envelope was made, according to its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Time>,
    /// When it may be opened.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// Public handling labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The author's key, when signed and not private.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<RootId>,
    /// The locks, all of which must be opened.
    pub locks: Vec<Lock>,
}

impl Policy {
    /// The public recipients of all locks.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.locks.iter().flat_map(Lock::recipients)
    }
}

/// A secret that has to be opened: by any one of its recipients, or by `need` of them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "recipients")]
pub struct Lock {
    /// How many shares open it; 1 when each recipient holds the secret itself.
    pub need: u8,
    /// SHA-256 of a label and the secret.
    #[serde(serialize_with = "crate::json::b64")]
    pub commit: [u8; 32],
    /// SHA-256 of a label and each share, share x at index x - 1; empty exactly when `need` is 1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Hash>,
    /// The cost of the passphrase, if a passphrase also opens this lock.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "cost_number"
    )]
    pub passphrase: Option<Cost>,
    /// SHA-256 of a label, the passphrase's salt, its key and the secret; `None` in envelopes of older programs too.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "commitment")]
    pub passphrase_commit: Option<[u8; 32]>,
    /// Who may open it; `None` when the envelope is private.
    #[serde(rename = "recipients", skip_serializing_if = "Option::is_none")]
    pub named: Option<Vec<Recipient>>,
}

impl Lock {
    /// Whether a passphrase opens it and nothing tells its slot from one that a reader put in its place.
    #[must_use]
    pub fn has_unrecorded_passphrase(&self) -> bool {
        self.passphrase.is_some() && self.passphrase_commit.is_none()
    }

    /// The recipients, if they are public.
    #[must_use]
    pub fn recipients(&self) -> &[Recipient] {
        self.named.as_deref().unwrap_or_default()
    }
}

/// A SHA-256 hash that is written as base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hash(#[serde(serialize_with = "crate::json::b64")] pub [u8; 32]);

/// One person named in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recipient {
    /// The name on the person's card, at most 256 bytes.
    pub name: String,
    /// The first address on the card, at most 320 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The person's root key.
    pub id: RootId,
    /// The key that the slot is sealed to.
    pub key: KeyId,
}

/// How the content's length is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// No padding.
    #[default]
    None,
    /// Padmé: the length grows by at most 12 %, and few lengths are possible.
    Padme,
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
fn cost_number<S: serde::Serializer>(cost: &Option<Cost>, out: S) -> Result<S::Ok, S::Error> {
    cost.map(Cost::log2_kib).serialize(out)
}

#[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
fn commitment<S: serde::Serializer>(commit: &Option<[u8; 32]>, out: S) -> Result<S::Ok, S::Error> {
    commit.map(Hash).serialize(out)
}
