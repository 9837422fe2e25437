//! What this machine keeps to itself about a keystore: a key, and the decisions of its user.
//!
//! ```text
//! key               32 bytes in base64: under it are the MACs of verifications, in all keystores of this user
//! trust/PLACE       `encl-trust/1`, then one decision a line; PLACE is a hash of the keystore's path
//! ```
//!
//! Both lie in a folder of their own that is no part of any keystore, so whoever can write to a keystore cannot undo what was
//! decided. A keystore that was moved is known by the MACs in it; what was blocked stands in its own files too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::folder::WriteLock;
use super::trust::{COMPARED, Trust, Verified};
use super::{Keystore, KeystoreError, folder};
use crate::atomic_file::{AtomicFileError, Existing};
use crate::crypto::signing::RootId;
use crate::crypto::{CryptoRng, Secret, kdf};
use crate::json;

/// A decision is at most 170 bytes long; 10,000 of them are a tenth of this.
const MEMORY_BYTES_MAX: u64 = 16 << 20;
/// 44 digits and a line feed.
const KEY_BYTES_MAX: u64 = 64;
const MAGIC: &str = "encl-trust/1";

/// The key, if there is one yet, and what was decided. Empty for a keystore without a state folder.
#[derive(Default)]
pub(super) struct Local {
    key: Option<Secret<32>>,
    memory: BTreeMap<RootId, Trust>,
}

impl Local {
    pub(super) fn key(&self) -> Option<&Secret<32>> {
        self.key.as_ref()
    }

    /// Everything that was decided.
    pub(super) fn memory(&self) -> &BTreeMap<RootId, Trust> {
        &self.memory
    }

    /// What was decided about this key last, if anything ever was.
    pub(super) fn remembered(&self, id: &RootId) -> Option<Trust> {
        self.memory.get(id).copied()
    }
}

impl Keystore {
    /// The same keystore, whose user's decisions are remembered in `folder`: one that belongs to this machine and is not
    /// synchronised. It is made when something is decided.
    #[must_use]
    pub fn with_state(self, folder: impl Into<PathBuf>) -> Self {
        Self {
            state: Some(folder.into()),
            local: Arc::default(),
            ..self
        }
    }

    /// What this machine knows, read once.
    pub(super) fn local(&self) -> Result<Arc<Local>, KeystoreError> {
        let known = self.local.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(local) = &*known {
            return Ok(Arc::clone(local));
        }
        drop(known);
        self.read_local()
    }

    /// The same as it is now.
    fn read_local(&self) -> Result<Arc<Local>, KeystoreError> {
        let mut local = Local::default();
        if let Some(state) = &self.state {
            folder::check_root(state)?;
            local.key = read_key(&state.join("key"))?;
            if let Some(path) = self.memory_path(state)? {
                local.memory = read_memory(&path)?;
            }
        }
        Ok(self.known(local))
    }

    fn known(&self, local: Local) -> Arc<Local> {
        let local = Arc::new(local);
        let mut known = self.local.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&local));
        local
    }

    /// Writes down what was decided about a key, before the contact's own file says so: a kill in between leaves the graver of
    /// both. A keystore without a state folder remembers nothing.
    pub(super) fn remember(
        &self,
        lock: &WriteLock,
        id: &RootId,
        trust: Trust,
    ) -> Result<(), KeystoreError> {
        self.remember_all(lock, &BTreeMap::from([(*id, trust)]))
    }

    /// The same for many keys at once.
    pub(super) fn remember_all(
        &self,
        _lock: &WriteLock,
        decisions: &BTreeMap<RootId, Trust>,
    ) -> Result<(), KeystoreError> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let before = self.read_local()?;
        let mut memory = before.memory.clone();
        memory.extend(decisions);
        if memory == before.memory {
            return Ok(());
        }
        make_state(state)?;
        folder::make_folder(&state.join("trust"))?;
        let path = self.memory_path(state)?;
        let path = path.ok_or(KeystoreError::Unknown("keystore"))?;
        let text = text(&memory);
        if text.len() as u64 > MEMORY_BYTES_MAX {
            // It could not be read again.
            let error = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
            return Err(KeystoreError::system("write", &path, error));
        }
        folder::write(&path, text.as_bytes(), Existing::Replace)?;
        self.read_local().map(drop)
    }

    /// The key, made if there is none yet.
    pub(super) fn local_key(&self, rng: &mut dyn CryptoRng) -> Result<Arc<Local>, KeystoreError> {
        let state = self.state.as_ref().ok_or(KeystoreError::NoState)?;
        let local = self.read_local()?;
        if local.key.is_some() {
            return Ok(local);
        }
        make_state(state)?;
        let line = json::to_b64(Secret::<32>::random(rng).expose()) + "\n";
        match folder::write(&state.join("key"), line.as_bytes(), Existing::Keep) {
            // Another keystore's user made it in this moment: one key is enough.
            Ok(()) | Err(KeystoreError::File(AtomicFileError::Exists(_))) => self.read_local(),
            Err(error) => Err(error),
        }
    }

    /// Where the memory of this keystore is, if the keystore is there.
    fn memory_path(&self, state: &Path) -> Result<Option<PathBuf>, KeystoreError> {
        match fs::canonicalize(&self.root) {
            Ok(path) => {
                let place = RootId(kdf::keystore_place(path.as_os_str().as_bytes()));
                Ok(Some(state.join("trust").join(place.to_string())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeystoreError::system("find", &self.root, error)),
        }
    }
}

fn make_state(state: &Path) -> Result<(), KeystoreError> {
    if let Some(parent) = state.parent() {
        fs::create_dir_all(parent).map_err(|error| KeystoreError::system("make", parent, error))?;
    }
    folder::make_folder(state)
}

fn read_key(path: &Path) -> Result<Option<Secret<32>>, KeystoreError> {
    let Some(bytes) = folder::read_up_to(path, KEY_BYTES_MAX)? else {
        return Ok(None);
    };
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let key = json::from_b64(line).map_err(|error| KeystoreError::damaged(path, &error))?;
    Ok(Some(Secret::new(key)))
}

fn read_memory(path: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
    let Some(bytes) = folder::read_up_to(path, MEMORY_BYTES_MAX)? else {
        return Ok(BTreeMap::new());
    };
    let damaged = |number: usize| KeystoreError::damaged(path, &format!("line {number}"));
    let text = std::str::from_utf8(&bytes).map_err(|_| damaged(1))?;
    from_text(text).map_err(damaged)
}

/// Reads decisions, or says in which line there is none.
pub(super) fn from_text(text: &str) -> Result<BTreeMap<RootId, Trust>, usize> {
    let mut lines = (1..).zip(text.lines());
    if lines.next().is_none_or(|(_, line)| line != MAGIC) {
        return Err(1);
    }
    lines
        .map(|(number, line)| decision(line).ok_or(number))
        .collect()
}

fn decision(line: &str) -> Option<(RootId, Trust)> {
    let words: Vec<&str> = line.split(' ').collect();
    let (id, rest) = words.split_first()?;
    let trust = match *rest {
        ["unverified"] => Trust::Unverified,
        ["blocked", at] => Trust::Blocked {
            at: at.parse().ok()?,
        },
        ["revoked", at] => Trust::Revoked {
            at: at.parse().ok()?,
        },
        ["changed", at, offered] => Trust::Changed {
            at: at.parse().ok()?,
            offered: offered.parse().ok()?,
        },
        ["verified", at, how, by] => Trust::Verified(Verified {
            at: at.parse().ok()?,
            how: COMPARED.iter().find(|(word, _)| *word == how)?.1,
            by: by.parse().ok()?,
        }),
        _ => return None,
    };
    Some((id.parse().ok()?, trust))
}

/// Writes decisions as [`from_text`] reads them.
pub(super) fn text(memory: &BTreeMap<RootId, Trust>) -> String {
    let mut text = format!("{MAGIC}\n");
    for (id, trust) in memory {
        let word = trust.word();
        write!(text, "{id} {word}").expect("a String never fails");
        let rest = match trust {
            Trust::Own | Trust::Unverified | Trust::Unproven => String::new(),
            Trust::Blocked { at } | Trust::Revoked { at } => format!(" {at}"),
            Trust::Changed { at, offered } => format!(" {at} {offered}"),
            Trust::Verified(Verified { at, how, by }) => format!(" {at} {} {by}", how.word()),
        };
        text.push_str(&rest);
        text.push('\n');
    }
    text
}
