//! A check of a keystore, file by file, for unreadable, unexpected and contradictory files. Nothing is changed.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::contacts::CONTACTS;
use super::invitations::INVITATIONS;
use super::secret_file::StoredSecret;
use super::{Keystore, KeystoreError, folder};
use crate::address::Address;
use crate::atomic_file::is_temporary;
use crate::crypto::signing::RootId;
use crate::identity::is_group_name;
use crate::pipeline::parallel_map;

/// The files of a keystore beside those in its folders.
const FILES: [&str; 5] = ["backed-up", "clock", "contacts.index", "default", "lock"];
const IDENTITIES: &str = "identities";
const GROUPS: &str = "groups";
const FOLDERS: [&str; 4] = [IDENTITIES, CONTACTS, GROUPS, INVITATIONS];
/// The most bytes of one of these files, which have one line.
const FILE_BYTES_MAX: u64 = 64 << 10;
const INDEX_BYTES_MAX: u64 = 64 << 20;
const OF_IDENTITY: [&str; 4] = ["card", "ended", "revocation", "secret"];
/// The number of contacts from which on they are checked in parallel.
const SHARED_FROM: usize = 64;

/// Something that is not as it should be.
#[derive(Debug)]
pub enum Finding {
    /// A file is damaged, or others can read it.
    Fault(KeystoreError),
    /// A temporary file that a killed run left; it can be removed.
    Leftover(PathBuf),
    /// A file that does not belong to a keystore.
    Unexpected(PathBuf),
    /// Several people have this address.
    SharedAddress {
        /// The address, in small letters.
        address: String,
        /// Their root keys.
        ids: Vec<RootId>,
    },
    /// A group has a member who is no contact.
    MissingMember {
        /// The group.
        group: String,
        /// The root key of its member.
        id: RootId,
    },
}

impl Keystore {
    /// Checks every file. A keystore that does not exist has no findings.
    #[must_use]
    pub fn examine(&self) -> Vec<Finding> {
        let mut found = Findings::default();
        match folder::check_root(&self.root) {
            Ok(()) => {}
            // What others can read can still be looked through.
            Err(error @ KeystoreError::OpenToOthers { .. }) => found.0.push(Finding::Fault(error)),
            Err(error) => return vec![Finding::Fault(error)],
        }
        let known = |name: &OsStr| FILES.iter().chain(&FOLDERS).any(|known| name == *known);
        for path in found.entries(&self.root) {
            let name = path.file_name().unwrap_or_default();
            if found.is_unexpected(&path, known) || FOLDERS.iter().any(|folder| name == *folder) {
                continue;
            }
            let max = match name == "contacts.index" {
                true => INDEX_BYTES_MAX,
                false => FILE_BYTES_MAX,
            };
            found.check(folder::read_up_to(&path, max));
        }
        let mut owners = self.check_identities(&mut found);
        let contacts = self.check_contacts(&mut found);
        let ids: BTreeSet<RootId> = owners.iter().chain(&contacts).map(|(id, _)| *id).collect();
        owners.extend(contacts);
        found.shared_addresses(&owners);
        self.check_groups(&ids, &mut found);
        self.check_invitations(&mut found);
        let state = self.machine_state().and_then(|machine| machine.people());
        found.check(state);
        found.0
    }

    /// Returns the addresses of each identity in use.
    fn check_identities(&self, found: &mut Findings) -> Vec<(RootId, Vec<String>)> {
        let mut owners = Vec::new();
        for path in found.folder(self, IDENTITIES) {
            let id = path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok());
            let Some(id) = id.filter(|_| path.is_dir()) else {
                // Made or removed only in part.
                let hidden = path.file_name().and_then(OsStr::to_str);
                let hidden = hidden.and_then(|name| name.strip_prefix('.')?.parse::<RootId>().ok());
                match hidden {
                    Some(_) => found.0.push(Finding::Leftover(path)),
                    None => drop(found.is_unexpected(&path, |_| false)),
                }
                continue;
            };
            self.check_identity(&id, &path, found);
        }
        if let Some(identities) = found.check(self.identities()) {
            for one in identities {
                if one.standing == super::Standing::Active {
                    owners.push((one.card.id(), one.card.addresses().to_vec()));
                }
            }
        }
        owners
    }

    fn check_identity(&self, id: &RootId, path: &Path, found: &mut Findings) {
        for file in found.entries(path) {
            found.is_unexpected(&file, |name| OF_IDENTITY.iter().any(|known| name == *known));
        }
        let gone = |name: &str| KeystoreError::damaged(&path.join(name), &"it is not there");
        match self.identity_card(id) {
            Ok(Some(_)) => {}
            Ok(None) => found.0.push(Finding::Fault(gone("card"))),
            Err(error) => found.0.push(Finding::Fault(error)),
        }
        match self.revocation(id) {
            Err(KeystoreError::Unknown(_)) => found.0.push(Finding::Fault(gone("revocation"))),
            revocation => drop(found.check(revocation)),
        }
        found.check(self.standing(id));
        match self.secret(id) {
            Err(KeystoreError::Unknown(_)) => found.0.push(Finding::Fault(gone("secret"))),
            Ok(StoredSecret::Locked(locked)) => drop(found.check(locked.envelope())),
            secret => drop(found.check(secret)),
        }
    }

    fn check_contacts(&self, found: &mut Findings) -> Vec<(RootId, Vec<String>)> {
        let mut ids = Vec::new();
        for path in found.folder(self, CONTACTS) {
            match path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok())
            {
                Some(id) => ids.push(id),
                None => drop(found.is_unexpected(&path, |_| false)),
            }
        }
        let look = |id: RootId| self.contact(&id);
        let mut owners = Vec::new();
        for contact in parallel_map(ids, SHARED_FROM, look) {
            if let Some(contact) = found.check(contact).flatten() {
                let mut known = contact.known_as();
                known.addresses.truncate(known.counting);
                owners.push((contact.card.id(), known.addresses));
            }
        }
        owners
    }

    fn check_invitations(&self, found: &mut Findings) {
        for path in found.folder(self, INVITATIONS) {
            match path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok())
            {
                Some(place) => drop(found.check(self.invitation_at(&place))),
                None => drop(found.is_unexpected(&path, |_| false)),
            }
        }
    }

    fn check_groups(&self, known: &BTreeSet<RootId>, found: &mut Findings) {
        for path in found.folder(self, GROUPS) {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if !is_group_name(name) {
                found.is_unexpected(&path, |_| false);
                continue;
            }
            let group = found.check(self.group(name)).flatten().unwrap_or_default();
            let lost = group.members.into_iter().filter(|id| !known.contains(id));
            found.0.extend(lost.map(|id| Finding::MissingMember {
                group: name.to_owned(),
                id,
            }));
        }
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// Records the error, if there is one.
    fn check<T>(&mut self, result: Result<T, KeystoreError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(Finding::Fault(error));
                None
            }
        }
    }

    /// The entries of one of the keystore's folders, if it exists and is private.
    fn folder(&mut self, keystore: &Keystore, name: &str) -> Vec<PathBuf> {
        match self.check(keystore.folder(name)).flatten() {
            Some(_) => self.entries(&keystore.root.join(name)),
            None => Vec::new(),
        }
    }

    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                let error = KeystoreError::system("read", folder, error);
                self.0.push(Finding::Fault(error));
                return Vec::new();
            }
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    }

    /// Whether the file does not belong here; then it is recorded.
    fn is_unexpected(&mut self, path: &Path, known: impl Fn(&OsStr) -> bool) -> bool {
        let name = path.file_name().unwrap_or_default();
        if known(name) {
            return false;
        }
        let path = path.to_owned();
        self.0
            .push(match is_temporary(path.file_name().unwrap_or_default()) {
                true => Finding::Leftover(path),
                false => Finding::Unexpected(path),
            });
        true
    }

    fn shared_addresses(&mut self, owners: &[(RootId, Vec<String>)]) {
        let mut of_address: HashMap<Address, BTreeSet<RootId>> = HashMap::new();
        for (id, addresses) in owners {
            for address in addresses {
                let ids = of_address.entry(Address::new(address)).or_default();
                ids.insert(*id);
            }
        }
        let shared = of_address.into_iter().filter(|(_, ids)| ids.len() > 1);
        let mut shared: Vec<_> = shared
            .map(|(address, ids)| (address.to_string().to_lowercase(), ids))
            .collect();
        shared.sort();
        self.0.extend(
            shared
                .into_iter()
                .map(|(address, ids)| Finding::SharedAddress {
                    address,
                    ids: ids.into_iter().collect(),
                }),
        );
    }
}

#[cfg(test)]
mod tests;
