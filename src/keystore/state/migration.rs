//! Decisions as earlier versions kept them: a file for each keystore, named by a hash of its path, and MACs in the keystores
//! under a key of this machine.
//!
//! All of them are moved into `people` at once; of two about one key the stricter is in force. They are removed only when
//! everything is in its new place, so a kill in between loses nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::{
    self,
    ErrorKind::{NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem},
};
use std::path::Path;

use super::super::contact_file::ContactFile;
use super::super::folder::StateLock;
use super::super::trust::Trust;
use super::super::{Keystore, KeystoreError, folder};
use super::backups::read_key;
use super::first_use::write_expected;
use super::people::{PEOPLE, PersonFact, VerifiedAs};
use super::{change_person, decision_list, has_version};
use crate::address::Address;
use crate::crypto::signing::RootId;
use crate::identity::Card;

const PLACES: &str = "trust";
/// A decision is at most 170 bytes long; 10,000 of them are a tenth of this.
const DECISIONS_BYTES_MAX: u64 = 16 << 20;

impl Keystore {
    /// Moves the decisions of an earlier version, if there are any. Returns those that could not be moved, since the folder
    /// cannot be written to.
    pub(super) fn migrate(&self, state: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
        let places = state.join(PLACES);
        if !places.is_dir() {
            return Ok(BTreeMap::new());
        }
        has_version(state)?; // of a later program, whose state is left alone
        match StateLock::take(state) {
            Ok(_lock) => {
                let earlier = self.earlier_decisions(state)?;
                match move_all(state, &earlier) {
                    Ok(()) => Ok(BTreeMap::new()),
                    Err(error) if error.is_read_only() => Ok(earlier),
                    Err(error) => Err(error),
                }
            }
            Err(error) if error.is_read_only() => self.earlier_decisions(state),
            Err(error) => Err(error),
        }
    }

    /// The decisions of all keystores, and the verifications of this one that have a MAC and no decision.
    fn earlier_decisions(&self, state: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
        let places = state.join(PLACES);
        let mut all: BTreeMap<RootId, Trust> = BTreeMap::new();
        for name in folder::names(&places)? {
            let is_place = name
                .to_str()
                .is_some_and(|name| name.parse::<RootId>().is_ok());
            if is_place {
                for (id, trust) in read_decisions(&places.join(name))? {
                    let known = all.get(&id).copied();
                    all.insert(id, known.map_or(trust, |known| stricter(known, trust)));
                }
            }
        }
        if let Some(key) = read_key(state)? {
            for id in self.contact_ids()? {
                // A file with a fault is reported where the contact is used.
                let Ok(Some(file)) = self.contact_file(&id) else {
                    continue;
                };
                if let Some(trust) = file.record.authentic(&id, &key) {
                    all.entry(id).or_insert(trust);
                }
            }
        }
        Ok(all)
    }
}

/// Who has an address: one person, or several.
type Owners = HashMap<Address, HashSet<RootId>>;

impl Keystore {
    /// Takes the names and addresses of contacts whom an earlier version verified without remembering them. Returns the addresses
    /// that others have too, and that are therefore verified for nobody. The caller holds the lock.
    pub(super) fn take_verified_names(&self, state: &Path) -> Result<Vec<String>, KeystoreError> {
        let mut pending = Vec::new();
        for id in self.contact_ids()? {
            let fact = PEOPLE.read(state, &id)?;
            pending.extend(fact.filter(PersonFact::is_pending).map(|fact| (id, fact)));
        }
        if pending.is_empty() {
            return Ok(Vec::new());
        }
        let owners = self.owners()?;
        let mut contested = Vec::new();
        for (id, fact) in pending {
            let Some((file, card)) = self.readable_contact(&id) else {
                continue;
            };
            let is_mine = |address: &String| {
                owners
                    .get(&Address::new(address))
                    .is_none_or(|owners| owners.len() == 1)
            };
            let (mine, others) = file.addresses.into_iter().partition(is_mine);
            contested.extend::<Vec<String>>(others);
            let verified_as = VerifiedAs {
                name: file.name,
                addresses: mine,
            };
            let serial = card.serial();
            change_person(state, &id, Some(fact), |fact| PersonFact {
                verified_as: Some(verified_as),
                serial,
                ..fact
            })?;
        }
        Ok(contested)
    }

    fn owners(&self) -> Result<Owners, KeystoreError> {
        let mut owners = Owners::new();
        let mut add = |id: RootId, addresses: &[String]| {
            for address in addresses {
                owners.entry(Address::new(address)).or_default().insert(id);
            }
        };
        for id in self.identity_ids()? {
            if let Ok(Some(card)) = self.identity_card(&id) {
                add(id, card.addresses());
            }
        }
        for id in self.contact_ids()? {
            if let Ok(Some(file)) = self.contact_file(&id) {
                add(id, &file.addresses);
            }
        }
        Ok(owners)
    }

    /// A contact's file with its card. One with a fault is reported where the contact is used.
    fn readable_contact(&self, id: &RootId) -> Option<(ContactFile, Card)> {
        let file = self.contact_file(id).ok()??;
        let card = self.card_of(&file).ok()?;
        Some((file, card))
    }
}

/// The stricter of two decisions; *unverified* was said on purpose, and is stricter than *verified*.
fn stricter(a: Trust, b: Trust) -> Trust {
    match a.stricter(b) {
        Trust::Verified(_) if b == Trust::Unverified => b,
        stricter => stricter,
    }
}

fn move_all(state: &Path, earlier: &BTreeMap<RootId, Trust>) -> Result<(), KeystoreError> {
    for (id, trust) in earlier {
        let known = PEOPLE.read(state, id)?;
        let decided = known
            .as_ref()
            .map_or(*trust, |known| known.trust.stricter(*trust));
        change_person(state, id, known, |fact| match fact.trust == decided {
            true => fact,
            false => fact.decided(decided),
        })?;
    }
    let places = state.join(PLACES);
    let names = folder::names(&places)?;
    let names = names.iter().filter_map(|name| name.to_str());
    write_expected(state, names.filter(|name| name.parse::<RootId>().is_ok()))?;
    fs::remove_dir_all(&places).map_err(|error| KeystoreError::system("remove", &places, error))?;
    folder::sync_folder(state)
}

fn read_decisions(path: &Path) -> Result<BTreeMap<RootId, Trust>, KeystoreError> {
    let Some(bytes) = folder::read_up_to(path, DECISIONS_BYTES_MAX)? else {
        return Ok(BTreeMap::new());
    };
    let damaged = |number: usize| KeystoreError::damaged(path, &format!("line {number}"));
    let text = std::str::from_utf8(&bytes).map_err(|_| damaged(1))?;
    let decisions = decision_list::from_text(text).map_err(damaged)?;
    // Earlier versions did not know for what a key was verified.
    let decisions = decisions.into_iter();
    Ok(decisions
        .map(|(id, decision)| (id, decision.trust))
        .collect())
}

impl KeystoreError {
    /// Whether nothing can be written, for a reason that stays.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        let source = match self {
            Self::System { source, .. } => Some(source),
            Self::File(error) => std::error::Error::source(error).and_then(|s| s.downcast_ref()),
            _ => None,
        };
        let kind = source.map(io::Error::kind);
        matches!(
            kind,
            Some(PermissionDenied | ReadOnlyFilesystem | NotFound | NotADirectory)
        )
    }
}
