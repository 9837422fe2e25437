//! How far a contact is trusted: the states, their records, and how a record is evaluated.
//!
//! A keystore's folder may be synchronised, restored from a backup or written to by others, so its content can lower
//! trust and never raise it. The rules, in order:
//!
//! 1. *blocked*, *revoked* and *changed* are in force if the contact's file or a decision of this machine says so; the stricter of both.
//! 2. A contact is verified if the last decision of this machine says so, whatever its file says; for the name and the addresses that
//!    its card had then. An older card than the newest that was seen is no card of theirs.
//! 3. Everything else is unverified.

use serde::Serialize;

use super::Keystore;
use super::contact_file::ContactFile;
use super::error::KeystoreError;
use super::state::{PersonFact, VerifiedAs};
use crate::crypto::Secret;
use crate::crypto::kdf;
use crate::crypto::signing::RootId;
use crate::json::{self, Error, Value};
use crate::time::Time;

/// How far a key is trusted to belong to the person on its card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// It is one of my own.
    Own,
    /// The fingerprints were never compared.
    Unverified,
    /// A record says *verified*, but this machine did not make it: it counts as unverified.
    Unproven,
    /// The owner and the user have compared the safety number.
    Verified(Verified),
    /// Another key was offered for an address of this contact, or another card with the serial of the known one.
    Changed {
        /// When that was.
        at: Time,
        /// The key that was offered; the contact's own if it was another card.
        offered: RootId,
    },
    /// The card of a contact that was verified is older than one that this machine has seen.
    Older {
        /// The serial of the card.
        serial: u32,
        /// The highest one that was seen.
        known: u32,
    },
    /// Its owner revoked it.
    Revoked {
        /// When the revocation was recorded here.
        at: Time,
    },
    /// The user blocked it.
    Blocked {
        /// Since when.
        at: Time,
    },
}

/// A verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// When it was.
    pub at: Time,
    /// How the two numbers were compared.
    pub how: Compared,
    /// The user's identity whose fingerprint is in the number.
    pub by: RootId,
}

/// How two numbers were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Compared {
    /// Two people looked at them, or read them out.
    ByEye,
    /// The other side's number was handed to the program.
    Code,
}

pub(super) const COMPARED: [(&str, Compared); 2] =
    [("by-eye", Compared::ByEye), ("code", Compared::Code)];

impl Compared {
    /// `by-eye` or `code`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ByEye => "by-eye",
            Self::Code => "code",
        }
    }
}

impl Trust {
    /// `own`, `unverified`, `verified`, `changed`, `revoked` or `blocked`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Unverified | Self::Unproven => "unverified",
            Self::Verified(_) => "verified",
            Self::Changed { .. } | Self::Older { .. } => "changed",
            Self::Revoked { .. } => "revoked",
            Self::Blocked { .. } => "blocked",
        }
    }

    /// Whether nothing may be sealed to this key until the user has decided about it.
    #[must_use]
    pub fn blocks_use(self) -> bool {
        self.severity() > 0
    }

    /// The order of the states. A stricter state is ended only by a decision of its own.
    fn severity(self) -> u8 {
        match self {
            Self::Own | Self::Unverified | Self::Unproven | Self::Verified(_) => 0,
            Self::Changed { .. } | Self::Older { .. } => 1,
            Self::Blocked { .. } => 2,
            Self::Revoked { .. } => 3,
        }
    }

    pub(super) fn stricter(self, other: Self) -> Self {
        match other.severity() > self.severity() {
            true => other,
            false => self,
        }
    }
}

/// What a record says about trust; that of a contact's file is to be judged by [`evaluate`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrustRecord {
    pub(super) trust: Trust,
    /// In files of earlier versions, for a verification.
    mac: Option<[u8; 32]>,
}

impl TrustRecord {
    pub(super) const UNVERIFIED: Self = Self::new(Trust::Unverified);

    pub(super) const fn new(trust: Trust) -> Self {
        Self { trust, mac: None }
    }

    /// The verification of this key, if an earlier version made it on the machine that has `key`.
    pub(super) fn authentic(&self, id: &RootId, key: &Secret<32>) -> Option<Trust> {
        let (Trust::Verified(verified), Some(mac)) = (&self.trust, &self.mac) else {
            return None;
        };
        let bytes = authenticated_bytes(id, verified);
        kdf::trust_mac_matches(key, &bytes, mac).then_some(self.trust)
    }
}

/// How far a contact with this `record` in its file is trusted, by the rules at the head of this module.
pub(super) fn evaluate(record: &TrustRecord, decided: Option<Trust>) -> Trust {
    let recorded = record.trust;
    let strictest = decided.map_or(recorded, |trust| trust.stricter(recorded));
    match (strictest, decided, recorded) {
        (strictest, _, _) if strictest.blocks_use() => strictest,
        (_, Some(verified @ Trust::Verified(_)), _) => verified,
        (_, _, Trust::Verified(_)) => Trust::Unproven,
        _ => Trust::Unverified,
    }
}

/// The bytes under the MAC. Each part has a fixed length.
pub(super) fn authenticated_bytes(id: &RootId, verified: &Verified) -> Vec<u8> {
    let how = match verified.how {
        Compared::ByEye => 0,
        Compared::Code => 1,
    };
    let at = verified.at.unix().to_be_bytes();
    [&id.0[..], &verified.by.0, &at, &[how]].concat()
}

impl Keystore {
    /// How far this key would be trusted if its card were added now: the saved decision about a person who may be no contact.
    ///
    /// # Errors
    /// [`KeystoreError`], when the decisions cannot be read.
    pub fn remembered_trust(&self, id: &RootId) -> Result<Trust, KeystoreError> {
        let decided = self.machine_state()?.decision(id)?;
        Ok(evaluate(&TrustRecord::UNVERIFIED, decided))
    }

    /// How far a contact with this record in its file is trusted.
    pub(super) fn judge(&self, id: &RootId, record: &TrustRecord) -> Result<Trust, KeystoreError> {
        Ok(evaluate(record, self.machine_state()?.decision(id)?))
    }

    /// How far a contact with this file and card is trusted, and what it was verified for. What the file says and nobody decided is
    /// noted, so that it holds when the file is changed back.
    pub(super) fn judge_contact(
        &self,
        file: &ContactFile,
        serial: u32,
    ) -> Result<(Trust, Option<VerifiedAs>), KeystoreError> {
        let fact = self.machine_state()?.person(&file.id)?;
        let trust = evaluate(&file.record, Some(fact.trust));
        if trust.blocks_use() && fact.trust != trust {
            self.note_person(&file.id, |fact| PersonFact {
                trust: fact.trust.stricter(trust),
                noted: true,
                ..fact
            })?;
        }
        let known = fact.serial;
        if fact.verified_as.is_some() && serial > known {
            self.note_person(&file.id, |fact| PersonFact {
                serial: fact.serial.max(serial),
                ..fact
            })?;
        }
        let is_older = fact.verified_as.is_some() && serial < known;
        let trust = match trust {
            Trust::Verified(_) if is_older => Trust::Older { serial, known },
            trust => trust,
        };
        Ok((trust, fact.verified_as))
    }
}

/// The members of a contact's first line that are about trust.
#[derive(Default)]
pub(super) struct Members {
    word: Option<&'static str>,
    since: Option<Time>,
    compared: Option<Compared>,
    by: Option<RootId>,
    offered: Option<RootId>,
    mac: Option<[u8; 32]>,
}

const WORDS: [(&str, &str); 5] = [
    ("unverified", "unverified"),
    ("verified", "verified"),
    ("changed", "changed"),
    ("revoked", "revoked"),
    ("blocked", "blocked"),
];

impl Members {
    /// Takes a member, or says that it is none of these.
    pub(super) fn take(&mut self, name: &str, value: Value<'_>) -> Result<bool, Error> {
        match name {
            "trust" => self.word = Some(word(value, &WORDS)?),
            "since" => self.since = Some(value.time()?),
            "compared" => self.compared = Some(word(value, &COMPARED)?),
            "by" => self.by = Some(RootId(value.base64()?)),
            "offered" => self.offered = Some(RootId(value.base64()?)),
            "mac" => self.mac = Some(value.base64()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn record(self) -> Result<TrustRecord, Error> {
        let at = self.since.ok_or_else(|| Error::missing("since"));
        let trust = match self.word.ok_or_else(|| Error::missing("trust"))? {
            "verified" => Trust::Verified(Verified {
                at: at?,
                how: self.compared.ok_or_else(|| Error::missing("compared"))?,
                by: self.by.ok_or_else(|| Error::missing("by"))?,
            }),
            "changed" => Trust::Changed {
                at: at?,
                offered: self.offered.ok_or_else(|| Error::missing("offered"))?,
            },
            "revoked" => Trust::Revoked { at: at? },
            "blocked" => Trust::Blocked { at: at? },
            _ => Trust::Unverified,
        };
        Ok(TrustRecord {
            trust,
            mac: self.mac,
        })
    }
}

/// The members of a contact's first line that are about trust, for writing.
#[derive(Serialize)]
pub(super) struct WrittenMembers {
    trust: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<Compared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<RootId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offered: Option<RootId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
}

impl WrittenMembers {
    pub(super) fn of(record: &TrustRecord) -> Self {
        let none = Self {
            trust: record.trust.word(),
            since: None,
            compared: None,
            by: None,
            offered: None,
            mac: record.mac.map(|mac| json::to_b64(&mac)),
        };
        match record.trust {
            Trust::Own | Trust::Unverified | Trust::Unproven | Trust::Older { .. } => none,
            Trust::Verified(Verified { at, how, by }) => Self {
                since: Some(at),
                compared: Some(how),
                by: Some(by),
                ..none
            },
            Trust::Changed { at, offered } => Self {
                since: Some(at),
                offered: Some(offered),
                ..none
            },
            Trust::Revoked { at } | Trust::Blocked { at } => Self {
                since: Some(at),
                ..none
            },
        }
    }
}

/// Reads one of the known words.
pub(super) fn word<T: Copy>(value: Value<'_>, known: &[(&str, T)]) -> Result<T, Error> {
    let text = value.text(usize::MAX)?;
    let found = known.iter().find(|(word, _)| *word == text);
    found
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| Error::newer(format!("word {text:?}")))
}

#[cfg(test)]
pub(super) mod tests;
