//! `people/ID`: what the user decided about the key of a contact.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::trust::{Members, Trust, TrustRecord, WrittenMembers};
use super::super::{KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::json::{Error, Text};

const PEOPLE: &str = "people";
/// A decision is at most 200 bytes long.
const FILE_BYTES_MAX: u64 = 4 << 10;

/// The line, as it is written.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    trust: WrittenMembers,
}

/// The decision about a key, if there is one.
pub(super) fn read(state: &Path, id: &RootId) -> Result<Option<Trust>, KeystoreError> {
    let path = path(state, id);
    let Some(bytes) = folder::read_up_to(&path, FILE_BYTES_MAX)? else {
        return Ok(None);
    };
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let decided = parse(line).map_err(|error| KeystoreError::state_damaged(&path, &error))?;
    Ok(Some(decided))
}

/// All decisions.
pub(super) fn read_all(state: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
    let mut all = BTreeMap::new();
    for name in folder::names(&state.join(PEOPLE))? {
        if let Some(id) = name.to_str().and_then(|name| name.parse().ok()) {
            all.extend(read(state, &id)?.map(|trust| (id, trust)));
        }
    }
    Ok(all)
}

/// Writes a decision. The caller holds the lock.
pub(super) fn write(state: &Path, id: &RootId, trust: Trust) -> Result<(), KeystoreError> {
    folder::make_folder(&state.join(PEOPLE))?;
    let line = Line {
        trust: WrittenMembers::of(&TrustRecord::new(trust)),
    };
    let line = serde_json::to_string(&line).expect("it has only texts") + "\n";
    folder::write(&path(state, id), line.as_bytes(), Existing::Replace)
}

fn path(state: &Path, id: &RootId) -> PathBuf {
    state.join(PEOPLE).join(id.to_string())
}

fn parse(line: &[u8]) -> Result<Trust, Error> {
    let mut trust = Members::default();
    Text::check(line)?.object(|name, value| match trust.take(name, value)? {
        true => Ok(()),
        false => Err(Error::unknown(name)),
    })?;
    Ok(trust.record()?.trust)
}
