//! `people/ID`: what the user decided about the key of a contact.

use std::path::Path;

use serde::Serialize;

use super::super::KeystoreError;
use super::super::trust::{Members, Trust, TrustRecord, WrittenMembers};
use super::facts::Facts;
use crate::crypto::signing::RootId;
use crate::json::{Error, Text};

/// The decisions about keys of contacts. One is at most 200 bytes long.
pub(super) const PEOPLE: Facts<Trust> = Facts {
    folder: "people",
    bytes_max: 4 << 10,
    parse,
};

/// The line, as it is written.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    trust: WrittenMembers,
}

/// Writes a decision. The caller holds the lock.
pub(super) fn write(state: &Path, id: &RootId, trust: Trust) -> Result<(), KeystoreError> {
    let line = Line {
        trust: WrittenMembers::of(&TrustRecord::new(trust)),
    };
    PEOPLE.write(state, id, &line)
}

fn parse(line: &[u8]) -> Result<Trust, Error> {
    let mut trust = Members::default();
    Text::check(line)?.object(|name, value| match trust.take(name, value)? {
        true => Ok(()),
        false => Err(Error::unknown(name)),
    })?;
    Ok(trust.record()?.trust)
}
