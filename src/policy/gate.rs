//! The terms of a gate lock: which servers and people open it, when, and for whom.

use serde::Serialize;

use super::{Conditions, Hash};
use crate::crypto::KeyId;
use crate::crypto::signing::RootId;

/// Gates of one lock.
pub const GATES_MAX: usize = 8;
/// Owners of one lock.
pub const OWNERS_MAX: usize = 16;
/// Bytes of the lock's object in line 2.
pub const TERMS_BYTES_MAX: usize = 8_192;
/// Bytes of the address of a gate.
pub const URL_BYTES_MAX: usize = 255;
/// Seconds of a lease: 30 days.
pub const LEASE_SECONDS_MAX: u32 = 2_592_000;

/// What a gate lock has instead of recipients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateTerms {
    /// The gates, of which the gate at index j holds share j + 1.
    pub gates: Vec<Gate>,
    /// Hashes of the root keys that may restrict access and read the log.
    pub owners: Vec<Hash>,
    /// The key of whoever opened all other locks.
    pub holder: RootId,
    /// The key of the passes; `None` where everybody who opened all other locks is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<RootId>,
    /// When it may be opened, by the clocks of the gates.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// For how many seconds a reader may keep what a gate answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<u32>,
}

/// One gate of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// A server, which is asked, or a person, who approves.
    pub kind: GateKind,
    /// Its root key.
    pub id: RootId,
    /// The key that its slot is sealed to.
    pub key: KeyId,
    /// What it is called, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the author reached it, for people: programs take the address from the reader's contacts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What answers for a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GateKind {
    /// A server, which decides, logs and answers by itself.
    Server,
    /// A person, who helps where no server does.
    Person,
}
