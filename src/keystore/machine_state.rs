//! The state of this machine, which is no part of a keystore: a key, and the decisions of the user about contacts.
//!
//! ```text
//! key               32 bytes in base64: under it are the MACs of verifications, in all keystores of this user
//! trust/PLACE       `encl-trust/1`, then one decision a line; PLACE is a hash of the keystore's path
//! ```
//!
//! Both are in a folder of their own that is no part of any keystore, so write access to a keystore is not enough to undo a
//! decision. A keystore that was moved is recognised by the MACs in it; *blocked* is recorded in its own files too.

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
const DECISIONS_BYTES_MAX: u64 = 16 << 20;
/// 44 digits and a line feed.
const KEY_BYTES_MAX: u64 = 64;
const MAGIC: &str = "encl-trust/1";

/// The key, if there is one yet, and the decisions. Empty for a keystore without a state folder.
#[derive(Default)]
pub(super) struct MachineState {
    key: Option<Secret<32>>,
    decisions: BTreeMap<RootId, Trust>,
}

impl MachineState {
    pub(super) fn key(&self) -> Option<&Secret<32>> {
        self.key.as_ref()
    }

    /// All decisions.
    pub(super) fn decisions(&self) -> &BTreeMap<RootId, Trust> {
        &self.decisions
    }

    /// The last decision about this key, if there is one.
    pub(super) fn decision(&self, id: &RootId) -> Option<Trust> {
        self.decisions.get(id).copied()
    }
}

impl Keystore {
    /// This keystore, with the decisions of its user saved in `folder`, which belongs to this machine and is not synchronised.
    /// The folder is made with the first decision.
    #[must_use]
    pub fn with_state(self, folder: impl Into<PathBuf>) -> Self {
        Self {
            state: Some(folder.into()),
            machine_state: Arc::default(),
            ..self
        }
    }

    /// The state of this machine, read once.
    pub(super) fn machine_state(&self) -> Result<Arc<MachineState>, KeystoreError> {
        let known = self
            .machine_state
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = &*known {
            return Ok(Arc::clone(machine));
        }
        drop(known);
        self.read_machine_state()
    }

    /// Reads the state of this machine from the disk, even if it was read before.
    fn read_machine_state(&self) -> Result<Arc<MachineState>, KeystoreError> {
        let mut machine = MachineState::default();
        if let Some(state) = &self.state {
            folder::check_root(state)?;
            machine.key = read_key(&state.join("key"))?;
            if let Some(path) = self.decisions_path(state)? {
                machine.decisions = read_decisions(&path)?;
            }
        }
        Ok(self.known(machine))
    }

    fn known(&self, machine: MachineState) -> Arc<MachineState> {
        let machine = Arc::new(machine);
        let mut known = self
            .machine_state
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&machine));
        machine
    }

    /// Saves a decision about a key before the contact's own file is written: after a kill in between, the stricter of both is
    /// in force. Does nothing for a keystore without a state folder.
    pub(super) fn save_decision(
        &self,
        lock: &WriteLock,
        id: &RootId,
        trust: Trust,
    ) -> Result<(), KeystoreError> {
        self.save_decisions(lock, &BTreeMap::from([(*id, trust)]))
    }

    /// Saves decisions about many keys at once, like [`Keystore::save_decision`].
    pub(super) fn save_decisions(
        &self,
        _lock: &WriteLock,
        decisions: &BTreeMap<RootId, Trust>,
    ) -> Result<(), KeystoreError> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let before = self.read_machine_state()?;
        let mut all = before.decisions.clone();
        all.extend(decisions);
        if all == before.decisions {
            return Ok(());
        }
        make_state(state)?;
        folder::make_folder(&state.join("trust"))?;
        let path = self.decisions_path(state)?;
        let path = path.ok_or(KeystoreError::Unknown("keystore"))?;
        let text = text(&all);
        if text.len() as u64 > DECISIONS_BYTES_MAX {
            // It could not be read again.
            let error = std::io::Error::from(std::io::ErrorKind::FileTooLarge);
            return Err(KeystoreError::system("write", &path, error));
        }
        folder::write(&path, text.as_bytes(), Existing::Replace)?;
        self.read_machine_state().map(drop)
    }

    /// The state with its key, which is made if there is none yet.
    pub(super) fn machine_key(
        &self,
        rng: &mut dyn CryptoRng,
    ) -> Result<Arc<MachineState>, KeystoreError> {
        let state = self.state.as_ref().ok_or(KeystoreError::NoState)?;
        let machine = self.read_machine_state()?;
        if machine.key.is_some() {
            return Ok(machine);
        }
        make_state(state)?;
        let line = json::to_b64(Secret::<32>::random(rng).expose()) + "\n";
        match folder::write(&state.join("key"), line.as_bytes(), Existing::Keep) {
            // Another keystore's user made it in this moment: one key is enough.
            Ok(()) | Err(KeystoreError::File(AtomicFileError::Exists(_))) => {
                self.read_machine_state()
            }
            Err(error) => Err(error),
        }
    }

    /// The file with the decisions about this keystore; `None` if the keystore does not exist.
    fn decisions_path(&self, state: &Path) -> Result<Option<PathBuf>, KeystoreError> {
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

fn read_decisions(path: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
    let Some(bytes) = folder::read_up_to(path, DECISIONS_BYTES_MAX)? else {
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
pub(super) fn text(decisions: &BTreeMap<RootId, Trust>) -> String {
    let mut text = format!("{MAGIC}\n");
    for (id, trust) in decisions {
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
