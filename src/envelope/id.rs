//! The hashes of the manifest's lines.

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::crypto::sha256;

/// Line 1, without its line feed.
pub(super) const MAGIC: &[u8] = b"encl/1";

/// The envelope's id: SHA-256 of lines 1 and 2 with their line feeds, as `head -n 2 FILE | sha256sum` prints it.
///
/// Secrets, slots, payload and signature are bound to it, so a policy cannot be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct EnvelopeId(#[serde(serialize_with = "crate::json::b64")] pub [u8; 32]);

impl EnvelopeId {
    pub(super) fn of(policy_line: &[u8]) -> Self {
        Self(sha256(&[MAGIC, b"\n", policy_line, b"\n"]))
    }
}

impl fmt::Display for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// SHA-256 of lines 1 to 3: what line 4 authenticates.
/// The id and [`access_hash`]; the policy line, which both begin with, is hashed once.
pub(super) fn id_and_access_hash(policy_line: &[u8], access_line: &[u8]) -> (EnvelopeId, [u8; 32]) {
    let mut hash = Sha256::new();
    for part in [MAGIC, b"\n", policy_line, b"\n"] {
        hash.update(part);
    }
    let id = EnvelopeId(hash.clone().finalize().into());
    hash.update(access_line);
    hash.update(b"\n");
    (id, hash.finalize().into())
}

pub(super) fn access_hash(policy_line: &[u8], access_line: &[u8]) -> [u8; 32] {
    sha256(&[MAGIC, b"\n", policy_line, b"\n", access_line, b"\n"])
}
