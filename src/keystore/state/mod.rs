//! The state of this machine: what it remembers of keys, for all keystores of the user.
//!
//! ```text
//! version           `encl-state/2`; written last: without it this machine remembers no identities
//! index/PLACE       the names of all contacts of a keystore, see the module `index`
//! clock             a hint: the latest time at which a keystore was used; may be removed at any time
//! own/ID            an identity of the user: whether it was removed or chosen as the default, where it was seen, and the highest
//!                   serial of its cards, one line of JSON
//! people/ID         what the user decided about the key of a contact, and for which name and addresses it was verified
//! addresses/HASH    the keys that were verified for an address; HASH is of the address
//! names/HASH        the keys that were verified with a name
//! groups/NAME       a group as each keystore of the user has it, by this machine's or the user's decision
//! group-cards/HASH  the latest card of a group that was taken or given; HASH is of its keeper and its name
//! gates/ID          a gate that the user trusts: the latest serial of its card, and its address
//! gate-logs/ID      the latest checkpoint that was seen of a gate's log
//! gate-evidence/ID/H  what shows that the gate ID lied; H is its hash
//! key               a secret of this machine, made with the first backup: it shows which backups this machine made
//! backups/HASH      a backup that the user took as his own, by the hash of its parts, one line of JSON
//! lock              held by the process that writes
//! places            keystores that an earlier version knew and this one has not met, one PLACE a line
//! trust/PLACE       decisions as earlier versions kept them, for each keystore; read once, see the module `migration`
//! ```
//!
//! The folder is no part of any keystore and is not synchronised, and what is in it is believed: write access to a keystore is
//! not enough to undo a decision. Nothing in it depends on where a keystore is, so that moving or copying one changes nothing.
//! Each fact is a file of its own, replaced atomically; a run reads the facts about those whom it meets.

mod backups;
pub(super) mod decision_list;
mod facts;
mod first_use;
mod group_facts;
mod migration;
mod mine;
mod own;
mod people;
mod verified_for;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::folder::{self, StateLock, WriteLock};
use super::trust::Trust;
use super::{Keystore, KeystoreError};
use crate::atomic_file::Existing;
use crate::crypto::kdf;
use crate::crypto::signing::RootId;

pub use backups::KnownBackup;
pub(super) use facts::Facts;
pub use first_use::Acquaintance;
pub use group_facts::{GroupStanding, LatestGroupCard};
use own::{Own, OwnFault};
use people::PEOPLE;
pub(super) use people::PersonFact;
pub use people::VerifiedAs;

const VERSION: &str = "version";
const MAGIC: &str = "encl-state/2";
/// The magic and a line feed are 13 bytes.
const VERSION_BYTES_MAX: u64 = 64;

/// What this machine remembers. Nothing for a keystore without a state folder.
pub(super) struct MachineState {
    pub(super) folder: Option<PathBuf>,
    /// Decisions of an earlier version that could not be moved, since nothing can be written.
    earlier: BTreeMap<RootId, Trust>,
    /// What is remembered of identities; `None` where nothing can be remembered, and all in the keystore are the user's own.
    own: Option<BTreeMap<RootId, Own>>,
    pub(super) acquaintance: Acquaintance,
    /// Addresses of contacts whom an earlier version verified, and that others have too: verified for nobody.
    contested: Vec<String>,
    /// Identities in the keystore that are not the user's own.
    pub(super) set_aside: Vec<RootId>,
    /// What is wrong with the user's own.
    faults: Vec<OwnFault>,
}

impl MachineState {
    /// The last decision about this key, if there is one.
    pub(super) fn decision(&self, id: &RootId) -> Result<Option<Trust>, KeystoreError> {
        Ok(self.remembered(id)?.map(|fact| fact.trust))
    }

    /// What is known about this key: nothing decided, if there is nothing.
    pub(super) fn person(&self, id: &RootId) -> Result<PersonFact, KeystoreError> {
        let remembered = self.remembered(id)?;
        Ok(remembered.unwrap_or_else(|| PersonFact::new(Trust::Unverified)))
    }

    fn remembered(&self, id: &RootId) -> Result<Option<PersonFact>, KeystoreError> {
        let Some(folder) = &self.folder else {
            return Ok(None);
        };
        let earlier = || self.earlier.get(id).copied().map(PersonFact::new);
        Ok(PEOPLE.read(folder, id)?.or_else(earlier))
    }

    /// The folder of what can be remembered of others; `None` where nothing can be.
    pub(super) fn memory(&self) -> Option<&Path> {
        self.own.as_ref()?;
        self.folder.as_deref()
    }

    /// Begins the memory, if the keystore can be remembered. The caller holds the lock.
    pub(super) fn begin(&self, state: &Path) -> Result<(), KeystoreError> {
        match self.own {
            Some(_) => make_version(state),
            None => Ok(()),
        }
    }

    /// All that is known about keys of contacts.
    pub(super) fn people(&self) -> Result<BTreeMap<RootId, PersonFact>, KeystoreError> {
        let earlier = self.earlier.iter();
        let mut all: BTreeMap<_, _> = earlier
            .map(|(id, trust)| (*id, PersonFact::new(*trust)))
            .collect();
        if let Some(folder) = &self.folder {
            all.extend(PEOPLE.read_all(folder)?);
        }
        Ok(all)
    }
}

impl Keystore {
    /// This keystore, with what is decided about it remembered in `folder`, which belongs to this machine and is not
    /// synchronised. The folder is made with the first decision.
    #[must_use]
    pub fn with_state(self, folder: impl Into<PathBuf>) -> Self {
        Self {
            state: Some(folder.into()),
            machine_state: Arc::default(),
            ..self
        }
    }

    /// The state of this machine, prepared once: what an earlier version left is moved into it.
    pub(super) fn machine_state(&self) -> Result<Arc<MachineState>, KeystoreError> {
        let known = self
            .machine_state
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = &*known {
            return Ok(Arc::clone(machine));
        }
        drop(known);
        let machine = Arc::new(self.prepare_state()?);
        let mut known = self
            .machine_state
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&machine));
        Ok(machine)
    }

    /// Reads the state again when it is asked for: what it says about identities has changed.
    pub(super) fn reload_state(&self) {
        let mut known = self
            .machine_state
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = None;
    }

    fn prepare_state(&self) -> Result<MachineState, KeystoreError> {
        let folder = match &self.state {
            Some(state) if can_be(state)? => Some(state.clone()),
            _ => None,
        };
        let mut machine = MachineState {
            folder,
            earlier: BTreeMap::new(),
            own: None,
            acquaintance: Acquaintance::Known,
            contested: Vec::new(),
            set_aside: Vec::new(),
            faults: Vec::new(),
        };
        if let Some(state) = &machine.folder {
            machine.earlier = self.migrate(state)?;
        }
        self.make_acquaintance(&mut machine)?;
        self.note_own(&mut machine)?;
        Ok(machine)
    }

    /// Where the keystore is, as a hash of its path; `None` if it does not exist.
    pub(super) fn place(&self) -> Option<RootId> {
        let path = fs::canonicalize(&self.root).ok()?;
        Some(RootId(kdf::keystore_place(path.as_os_str().as_bytes())))
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

    /// Saves decisions about many keys, like [`Keystore::save_decision`].
    pub(super) fn save_decisions(
        &self,
        lock: &WriteLock,
        decisions: &BTreeMap<RootId, Trust>,
    ) -> Result<(), KeystoreError> {
        for (id, trust) in decisions {
            self.change_person(lock, id, |fact| fact.decided(*trust))?;
        }
        Ok(())
    }

    /// Changes what is known about a key, like [`Keystore::save_decision`].
    pub(super) fn change_person(
        &self,
        _lock: &WriteLock,
        id: &RootId,
        change: impl FnOnce(PersonFact) -> PersonFact,
    ) -> Result<(), KeystoreError> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let before = self.machine_state()?.remembered(id)?;
        change_person(state, id, before, change)
    }

    /// Notes what a file of the keystore says about a key, unless another process is writing. What cannot be noted now is noted by a
    /// later run.
    pub(super) fn note_person(
        &self,
        id: &RootId,
        change: impl FnOnce(PersonFact) -> PersonFact,
    ) -> Result<(), KeystoreError> {
        let machine = self.machine_state()?;
        let (Some(state), Some(_)) = (&machine.folder, &machine.own) else {
            return Ok(());
        };
        let noted = || -> Result<(), KeystoreError> {
            let Some(_lock) = StateLock::try_take(state)? else {
                return Ok(());
            };
            change_person(state, id, machine.remembered(id)?, change)
        };
        let _ = noted();
        Ok(())
    }
}

fn change_person(
    state: &Path,
    id: &RootId,
    before: Option<PersonFact>,
    change: impl FnOnce(PersonFact) -> PersonFact,
) -> Result<(), KeystoreError> {
    let known = before.clone();
    let fact = change(known.unwrap_or_else(|| PersonFact::new(Trust::Unverified)));
    if before.as_ref() == Some(&fact) {
        return Ok(());
    }
    let before = before.and_then(|known| known.verified_as);
    people::write(state, id, before.as_ref(), &fact)
}

/// Whether there is, or could be, a folder at this path: not below a file, or in a folder that is closed to this user. One that
/// is there must be private, and this user's.
fn can_be(state: &Path) -> Result<bool, KeystoreError> {
    let metadata = match fs::metadata(state) {
        Ok(metadata) => metadata,
        Err(error) => {
            let closed = [ErrorKind::NotADirectory, ErrorKind::PermissionDenied];
            return Ok(!closed.contains(&error.kind()));
        }
    };
    folder::check_folder(state, &metadata)?;
    match metadata.uid() == rustix::process::geteuid().as_raw() {
        true => Ok(true),
        false => Err(KeystoreError::OfAnother {
            path: state.to_owned(),
            uid: metadata.uid(),
        }),
    }
}

/// Whether this machine remembers anything yet.
pub(super) fn has_version(state: &Path) -> Result<bool, KeystoreError> {
    let path = state.join(VERSION);
    let Some(text) = folder::read_up_to(&path, VERSION_BYTES_MAX)? else {
        return Ok(false);
    };
    match std::str::from_utf8(&text).map(str::trim_end) {
        Ok(MAGIC) => Ok(true),
        _ => Err(KeystoreError::state_damaged(
            &path,
            &"it names no version that is known",
        )),
    }
}

/// Begins the memory, unless it has begun. The caller holds the lock.
fn make_version(state: &Path) -> Result<(), KeystoreError> {
    if has_version(state)? {
        return Ok(());
    }
    let line = format!("{MAGIC}\n");
    folder::write(&state.join(VERSION), line.as_bytes(), Existing::Replace)
}

#[cfg(test)]
mod tests;
