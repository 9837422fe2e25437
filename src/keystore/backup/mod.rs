//! A backup: a whole keystore as one stream, and reading that stream.
//!
//! It is a tar archive (POSIX ustar) of the keystore's folder, so that any tar can unpack it once its envelope is open:
//!
//! ```text
//! encl-backup                 `encl-backup/1` and the time
//! identities/ID/…             card, revocation, perhaps ended, and last secret: private keys behind a passphrase stay there
//! trust                       every decision about people, as this machine judges it (see the module `state::decision_list`)
//! contacts/ID
//! groups/NAME
//! invitations/HASH
//! gates/ID
//! gate-sealed/TICKET
//! default
//! proof/MAC/                  a folder, by which the machine that made the backup knows it again
//! ```
//!
//! The stream is not encrypted and has to be sealed at once. Hints, locks and the key of this machine's state folder are not in
//! it. Decisions are in `trust`; restoring decides whether they are accepted. Earlier versions wrote no proof, and read a backup
//! that has one.

mod parts;
mod proof;

use std::collections::BTreeMap;
use std::io::{self, Read};

use tar::{EntryType, Header};
use zeroize::{Zeroize, Zeroizing};

use super::contacts::CONTACTS;
use super::gates::{GATES, SEALED, SEALED_BYTES_MAX};
use super::identities::line;
use super::invitations::INVITATIONS;
use super::state::decision_list::{self, Decision};
use super::trust::Trust;
use super::{Keystore, KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::crypto::{CryptoRng, Secret};
use crate::envelope::Ticket;
use crate::time::Time;

pub use parts::{BackedUpContact, BackupError, Decisions, Part, read_parts};
pub use proof::BackupProof;
use proof::Parts;

/// The media type of what is in the envelope of a backup.
pub const BACKUP_TYPE: &str = "application/vnd.encl.backup+tar";

const HEAD: &str = "encl-backup";
const MAGIC: &str = "encl-backup/1";
const TRUST: &str = "trust";
const DEFAULT: &str = "default";
const IDENTITIES: &str = "identities";
const GROUPS: &str = "groups";
/// The file with the time of the last backup.
const NOTED: &str = "backed-up";
/// Tar counts in blocks.
const BLOCK: usize = 512;
/// Room for the longest file with secrets from the start: a buffer that grows leaves copies of them behind.
const BUFFER_BYTES: usize = 512 << 10;

/// What a backup contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupCounts {
    /// My identities, ended ones too.
    pub identities: usize,
    /// Contacts.
    pub contacts: usize,
    /// Groups.
    pub groups: usize,
    /// Gates.
    pub gates: usize,
}

impl BackupCounts {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identities + self.contacts + self.groups + self.gates == 0
    }
}

/// A keystore as a stream of bytes; its files are read while it is read. A contact or group that is removed meanwhile is left
/// out; each file is whole, since all are replaced atomically.
pub struct Backup {
    keystore: Keystore,
    now: Time,
    entries: std::vec::IntoIter<Entry>,
    counts: BackupCounts,
    parts: Parts,
    /// The key of this machine; none where nothing can be kept.
    key: Option<Secret<32>>,
    buffer: Zeroizing<Vec<u8>>,
    /// How much of the buffer was read.
    at: usize,
    has_ended: bool,
}

enum Entry {
    Head,
    Folder(&'static str),
    Identity(RootId),
    Trust,
    Contact(RootId),
    Group(String),
    Invitation(RootId),
    Gate(RootId),
    Sealed(Ticket),
    Default,
    Proof,
}

impl Keystore {
    /// All of this keystore as one stream. The first time, this machine gets a key for the proof.
    ///
    /// # Errors
    /// [`KeystoreError`]. While it is read, an error of the keystore comes as an [`io::Error`] that holds it.
    pub fn backup(&self, now: Time, rng: &mut dyn CryptoRng) -> Result<Backup, KeystoreError> {
        let identities = self.identities()?;
        // Nothing is left out without a word.
        let set_aside = &self.machine_state()?.set_aside;
        let is_listed = |id: &RootId| {
            set_aside.contains(id) || identities.iter().any(|one| one.card.id() == *id)
        };
        if let Some(id) = self.identity_ids()?.iter().find(|id| !is_listed(id)) {
            let path = self.identity_folder(id).join("card");
            return Err(KeystoreError::damaged(&path, &"it is not there"));
        }
        let contacts = self.contact_ids()?;
        let groups = self.groups()?;
        let counts = BackupCounts {
            identities: identities.len(),
            contacts: contacts.len(),
            groups: groups.len(),
            gates: self.gate_ids()?.len(),
        };
        let mut entries = vec![Entry::Head, Entry::Folder(IDENTITIES)];
        // The oldest first: a replaced identity comes before its successor.
        let mut cards: Vec<_> = identities.into_iter().map(|known| known.card).collect();
        cards.sort_by_key(|card| (card.created(), card.id()));
        entries.extend(cards.iter().map(|card| Entry::Identity(card.id())));
        entries.extend([Entry::Trust, Entry::Folder(CONTACTS)]);
        entries.extend(contacts.into_iter().map(Entry::Contact));
        entries.push(Entry::Folder(GROUPS));
        entries.extend(groups.into_iter().map(Entry::Group));
        entries.push(Entry::Folder(INVITATIONS));
        entries.extend(self.invitation_places()?.into_iter().map(Entry::Invitation));
        let gates = self.gate_ids()?.into_iter().map(Entry::Gate);
        entries.extend(gates);
        let sealed = self.sealed_tickets()?.into_iter().map(Entry::Sealed);
        entries.extend(sealed);
        entries.extend([Entry::Default, Entry::Proof]);
        let key = match counts.is_empty() {
            true => None,
            false => self.backup_key(rng)?,
        };
        Ok(Backup {
            keystore: self.clone(),
            now,
            entries: entries.into_iter(),
            counts,
            parts: Parts::default(),
            key,
            buffer: Zeroizing::new(Vec::with_capacity(BUFFER_BYTES)),
            at: 0,
            has_ended: false,
        })
    }

    /// Takes note that all of this keystore was backed up at this time.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn note_backup(&self, at: Time) -> Result<(), KeystoreError> {
        folder::write(
            &self.root.join(NOTED),
            &line(&at.to_string()),
            Existing::Replace,
        )
    }

    /// When all of this keystore was backed up last, as far as that was noted.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn last_backup(&self) -> Result<Option<Time>, KeystoreError> {
        let text = folder::read(&self.root.join(NOTED))?;
        // It is a hint: whatever else stands there was no backup.
        Ok(text.and_then(|text| std::str::from_utf8(&text).ok()?.trim_end().parse().ok()))
    }

    /// What is in force about everybody: the judgement on every contact, and what is remembered of those who are none.
    fn decisions(&self) -> Result<BTreeMap<RootId, Decision>, KeystoreError> {
        let people = self.machine_state()?.people()?.into_iter();
        let mut decisions: BTreeMap<_, _> = people
            .map(|(id, fact)| {
                let (trust, verified_as) = (fact.trust, fact.verified_as);
                (id, Decision { trust, verified_as })
            })
            .collect();
        for head in self.contact_heads()? {
            let (trust, verified_as) = (head.trust, head.verified_as);
            decisions.insert(head.id, Decision { trust, verified_as });
        }
        decisions.retain(|_, decision| {
            matches!(decision.trust, Trust::Verified(_)) || decision.trust.blocks_use()
        });
        Ok(decisions)
    }
}

impl Backup {
    /// What is going to be in it.
    #[must_use]
    pub fn counts(&self) -> BackupCounts {
        self.counts
    }

    /// Puts the next entry into the buffer; `false` after the last one.
    fn fill(&mut self) -> Result<bool, KeystoreError> {
        self.buffer.zeroize();
        self.at = 0;
        while self.buffer.is_empty() {
            match self.entries.next() {
                Some(entry) => self.write(entry)?,
                None if self.has_ended => return Ok(false),
                None => {
                    self.has_ended = true;
                    self.buffer.resize(2 * BLOCK, 0);
                }
            }
        }
        Ok(true)
    }

    fn write(&mut self, entry: Entry) -> Result<(), KeystoreError> {
        let keystore = self.keystore.clone();
        match entry {
            Entry::Head => {
                let text = line(&format!("{MAGIC} {}", self.now));
                self.file(HEAD, &text);
            }
            Entry::Folder(name) => self.folder(name),
            Entry::Identity(id) => self.identity(&id)?,
            Entry::Trust => {
                let text = decision_list::text(&keystore.decisions()?);
                self.file(TRUST, text.as_bytes());
            }
            Entry::Contact(id) => {
                if let Some(text) = folder::read(&keystore.contact_path(&id))? {
                    self.file(&format!("{CONTACTS}/{id}"), &text);
                }
            }
            Entry::Group(name) => {
                if let Some(group) = keystore.group(&name)? {
                    self.file(&format!("{GROUPS}/{name}"), &group.to_text());
                }
            }
            Entry::Invitation(place) => {
                if let Some(text) = folder::read(&keystore.invitation_path(&place))? {
                    self.file(&format!("{INVITATIONS}/{place}"), &text);
                }
            }
            Entry::Gate(id) => {
                if let Some(gate) = keystore.gate(&id)? {
                    self.file(&format!("{GATES}/{id}"), &gate.to_text());
                }
            }
            Entry::Sealed(ticket) => {
                let path = keystore.sealed_path(ticket);
                if let Some(text) = folder::read_up_to(&path, SEALED_BYTES_MAX)? {
                    self.file(&format!("{SEALED}/{}", RootId(ticket.0)), &text);
                }
            }
            Entry::Default => {
                if let Some(first) = keystore.identities()?.iter().find(|one| one.is_default) {
                    self.file(DEFAULT, &line(&first.card.id().to_string()));
                }
            }
            Entry::Proof => {
                if let Some(folder) = self.key.as_ref().map(|key| self.parts.folder(key)) {
                    self.folder(&folder);
                }
            }
        }
        Ok(())
    }

    fn identity(&mut self, id: &RootId) -> Result<(), KeystoreError> {
        let transfer = self.keystore.export_identity(id)?;
        if transfer.check().is_err() {
            let path = self.keystore.secret_path(id);
            return Err(KeystoreError::damaged(&path, &"it holds no private keys"));
        }
        let folder = format!("{IDENTITIES}/{id}");
        self.folder(&folder);
        for (name, bytes) in transfer.files() {
            self.file(&format!("{folder}/{name}"), &bytes);
        }
        Ok(())
    }

    fn folder(&mut self, path: &str) {
        self.header(&format!("{path}/"), EntryType::Directory, 0o700, 0);
    }

    fn file(&mut self, path: &str, bytes: &[u8]) {
        self.parts.add(path, bytes);
        self.header(path, EntryType::Regular, 0o600, bytes.len());
        self.buffer.extend_from_slice(bytes);
        let blocks = self.buffer.len().next_multiple_of(BLOCK);
        self.buffer.resize(blocks, 0);
    }

    fn header(&mut self, path: &str, kind: EntryType, mode: u32, bytes: usize) {
        let mut header = Header::new_ustar();
        header
            .set_path(path)
            .expect("the keystore's paths are at most 86 bytes of ASCII");
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(self.now.unix());
        header.set_size(bytes as u64);
        header.set_cksum();
        self.buffer.extend_from_slice(header.as_bytes());
    }
}

impl Read for Backup {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() && !self.fill().map_err(io::Error::other)? {
            return Ok(0);
        }
        let rest = &self.buffer[self.at..];
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
