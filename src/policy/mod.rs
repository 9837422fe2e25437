//! The rules of an envelope: who may read it, and under what conditions. Encoding, private keys and files are in other modules.

mod decide;
mod gate;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::crypto::KeyId;
use crate::crypto::passphrase::Cost;
use crate::crypto::signing::RootId;
use crate::time::Time;

pub use decide::{Conditions, Refusal};
pub use gate::{
    GATES_MAX, Gate, GateKind, GateTerms, LEASE_SECONDS_MAX, OWNERS_MAX, TERMS_BYTES_MAX,
    URL_BYTES_MAX,
};

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

    /// The lock of gates with its number, which is the last; an envelope has at most one.
    #[must_use]
    pub fn gate(&self) -> Option<(u16, &GateTerms)> {
        let last = self.locks.len().checked_sub(1)?;
        let terms = self.locks[last].gate()?;
        Some((u16::try_from(last).ok()?, terms))
    }
}

/// A secret that has to be opened: by any one of its recipients, or by `need` of them together; or by gates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// How many shares open it; 1 when each recipient, or gate, holds the secret itself.
    pub need: u8,
    /// SHA-256 of a label and the secret.
    pub commit: [u8; 32],
    /// SHA-256 of a label and each share, share x at index x - 1; empty exactly when `need` is 1.
    pub shares: Vec<Hash>,
    /// Who opens it.
    pub opens: Opens,
}

/// Who opens a lock: its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opens {
    /// People, or whoever knows a passphrase.
    Recipients {
        /// The cost of the passphrase, if a passphrase also opens this lock.
        passphrase: Option<Cost>,
        /// SHA-256 of a label, the passphrase's salt, its key and the secret; `None` in envelopes of older programs too.
        passphrase_commit: Option<[u8; 32]>,
        /// Who may open it; `None` when the envelope is private.
        named: Option<Vec<Recipient>>,
    },
    /// Gates, which are asked when all other locks are open.
    Gates(Box<GateTerms>),
}

impl Lock {
    /// The cost of the passphrase, if a passphrase opens it as well.
    #[must_use]
    pub fn passphrase(&self) -> Option<Cost> {
        match self.opens {
            Opens::Recipients { passphrase, .. } => passphrase,
            Opens::Gates(_) => None,
        }
    }

    /// What the policy says of the passphrase's slot.
    #[must_use]
    pub fn passphrase_commit(&self) -> Option<[u8; 32]> {
        match self.opens {
            Opens::Recipients {
                passphrase_commit, ..
            } => passphrase_commit,
            Opens::Gates(_) => None,
        }
    }

    /// Whether a passphrase opens it and nothing tells its slot from one that a reader put in its place.
    #[must_use]
    pub fn has_unrecorded_passphrase(&self) -> bool {
        self.passphrase().is_some() && self.passphrase_commit().is_none()
    }

    /// The recipients, if they are public and the lock is not one of gates.
    #[must_use]
    pub fn named(&self) -> Option<&[Recipient]> {
        match &self.opens {
            Opens::Recipients { named, .. } => named.as_deref(),
            Opens::Gates(_) => None,
        }
    }

    /// The recipients, if they are public.
    #[must_use]
    pub fn recipients(&self) -> &[Recipient] {
        self.named().unwrap_or_default()
    }

    /// The terms, if it is a lock of gates.
    #[must_use]
    pub fn gate(&self) -> Option<&GateTerms> {
        match &self.opens {
            Opens::Recipients { .. } => None,
            Opens::Gates(terms) => Some(terms),
        }
    }
}

/// The lock as it stands in line 2.
impl Serialize for Lock {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let (kind, terms) = match &self.opens {
            Opens::Recipients { .. } => ("recipients", None),
            Opens::Gates(terms) => ("gate", Some(&**terms)),
        };
        Written {
            kind,
            need: self.need,
            commit: Hash(self.commit),
            shares: &self.shares,
            passphrase: self.passphrase().map(Cost::log2_kib),
            passphrase_commit: self.passphrase_commit().map(Hash),
            recipients: self.named(),
            terms,
        }
        .serialize(out)
    }
}

#[derive(Serialize)]
struct Written<'a> {
    kind: &'static str,
    need: u8,
    commit: Hash,
    #[serde(skip_serializing_if = "<[Hash]>::is_empty")]
    shares: &'a [Hash],
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passphrase_commit: Option<Hash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<&'a [Recipient]>,
    #[serde(flatten)]
    terms: Option<&'a GateTerms>,
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
