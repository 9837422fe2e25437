//! My identities.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::WriteLock;
use super::secret_file::{self, Protection};
use super::{Keystore, KeystoreError, Readable, folder};
use crate::address::is_same_address;
use crate::atomic_file::Existing;
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::identity::{Card, Identity, Revocation};

const IDENTITIES: &str = "identities";

/// One of my identities as it stands in the keystore, its private keys untouched.
#[derive(Clone)]
pub struct StoredIdentity {
    /// Its public half.
    pub card: Card,
    /// Whether it signs when nothing else is said.
    pub is_default: bool,
    /// Whether it is still used.
    pub standing: Standing,
}

/// Whether an identity is still used: to sign, and to be sealed to. One that is not still opens what was sealed to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is used.
    Active,
    /// Its revocation was published.
    Revoked,
    /// Another identity of the user replaces it.
    Replaced(RootId),
}

/// Whose an identity is that is put into the keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// The user's own. The first one is the default.
    Own,
    /// The user's own, of a backup, which says itself what the default is.
    Restored,
    /// Perhaps somebody else's: if it is not known as an own one, it waits to be adopted. It is never the default.
    Foreign,
}

/// The file that an active identity does not have.
pub(super) const ENDED: &str = "ended";
/// What stands in it.
pub(super) const REVOKED: &str = "revoked";

impl Keystore {
    /// All my identities: the default one first, then by age, and last those that are not used any more.
    ///
    /// # Errors
    /// [`KeystoreError`], when a file is not private or not what the keystore writes.
    pub fn identities(&self) -> Result<Vec<StoredIdentity>, KeystoreError> {
        self.readable_identities()?.all()
    }

    /// All my identities whose cards can be read, as [`Keystore::identities`], and what is wrong with the others.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn readable_identities(&self) -> Result<Readable<StoredIdentity>, KeystoreError> {
        let mut mine = Vec::new();
        for id in self.identity_ids()? {
            if self.is_own(&id)? {
                mine.push(id);
            }
        }
        let cards = Readable::of(mine.iter().map(|id| self.identity_card(id)));
        Ok(Readable {
            found: self.in_order(&cards.found)?,
            faults: cards.faults,
        })
    }

    fn in_order(&self, cards: &[Card]) -> Result<Vec<StoredIdentity>, KeystoreError> {
        // The successor's card says so, and nothing else: it comes into being in one step.
        let successor = |id: &RootId| cards.iter().find(|other| other.is_successor_of(id));
        let stored = |card: &Card| -> Result<_, KeystoreError> {
            let ended = self.standing(&card.id())?;
            Ok(StoredIdentity {
                standing: match successor(&card.id()) {
                    Some(other) if ended == Standing::Active => Standing::Replaced(other.id()),
                    _ => ended,
                },
                card: card.clone(),
                is_default: false,
            })
        };
        let mut identities = cards
            .iter()
            .map(stored)
            .collect::<Result<Vec<_>, KeystoreError>>()?;
        let mut chosen = self.default_here(cards)?;
        for _ in cards {
            let next = chosen.as_ref().and_then(successor).map(Card::id);
            chosen = next.or(chosen);
        }
        identities.sort_by_key(|StoredIdentity { card, standing, .. }| {
            let has_ended = *standing != Standing::Active;
            let (id, created) = (card.id(), card.created());
            (has_ended, Some(id) != chosen, created, id)
        });
        if let Some(first) = identities.first_mut() {
            first.is_default = first.standing == Standing::Active;
        }
        Ok(identities)
    }

    /// The ids of all identity folders, whatever is in them.
    pub(super) fn identity_ids(&self) -> Result<Vec<RootId>, KeystoreError> {
        let names = self.names_in(IDENTITIES)?;
        let ids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        Ok(ids.collect())
    }

    pub(super) fn standing(&self, id: &RootId) -> Result<Standing, KeystoreError> {
        let path = self.ended_path(id);
        let Some(text) = folder::read(&path)? else {
            return Ok(Standing::Active);
        };
        match std::str::from_utf8(&text).map(str::trim_end) {
            // Nobody else can end an identity: its own signature says that it has ended.
            Ok(REVOKED) => self.revocation(id).map(|_| Standing::Revoked),
            _ => Err(KeystoreError::damaged(&path, &"it says nothing known")),
        }
    }

    /// The revocation of one of the user's identities, which was made together with it.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`] when there is none, and what the system refuses.
    pub fn revocation(&self, id: &RootId) -> Result<Revocation, KeystoreError> {
        let path = self.revocation_path(id);
        let text = folder::read(&path)?.ok_or(KeystoreError::Unknown("revocation"))?;
        let revocation = Revocation::from_text(&text);
        let revocation = revocation.map_err(|error| KeystoreError::damaged(&path, &error))?;
        if revocation.id() == *id {
            Ok(revocation)
        } else {
            Err(KeystoreError::damaged(&path, &"it is somebody else's"))
        }
    }

    /// From now on an identity is not used any more. Its keys stay, to open what was sealed to them.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn mark_revoked(&self, id: &RootId) -> Result<(), KeystoreError> {
        let _lock = self.lock()?;
        self.own_card(id)?
            .ok_or(KeystoreError::Unknown("identity"))?;
        folder::write(&self.ended_path(id), &line(REVOKED), Existing::Replace)
    }

    pub(super) fn revocation_path(&self, id: &RootId) -> PathBuf {
        self.identity_folder(id).join("revocation")
    }

    pub(super) fn ended_path(&self, id: &RootId) -> PathBuf {
        self.identity_folder(id).join(ENDED)
    }

    /// The card of one of my identities, if it is one.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn own_card(&self, id: &RootId) -> Result<Option<Card>, KeystoreError> {
        match self.is_own(id)? {
            true => self.identity_card(id),
            false => Ok(None),
        }
    }

    /// The card of an identity in the keystore's folder, whether it is the user's own or not.
    pub(super) fn identity_card(&self, id: &RootId) -> Result<Option<Card>, KeystoreError> {
        let path = self.identity_folder(id).join("card");
        let Some(text) = folder::read(&path)? else {
            return Ok(None);
        };
        let card = Card::from_text(&text).map_err(|error| KeystoreError::damaged(&path, &error))?;
        if card.id() == *id {
            Ok(Some(card))
        } else {
            Err(KeystoreError::damaged(&path, &"it is somebody else's card"))
        }
    }

    /// Stores a new identity. It is complete and on disk when this returns.
    ///
    /// # Errors
    /// [`KeystoreError::AddressTaken`] when an identity has one of the card's addresses, and what the system refuses.
    pub fn add_identity(
        &self,
        identity: &Identity,
        card: &Card,
        revocation: &Revocation,
        protection: Protection<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), KeystoreError> {
        let secret = secret_file::bytes(identity, protection, rng)?;
        let files = [
            ("secret", &secret[..]),
            ("card", &line(card.to_text())),
            ("revocation", &line(revocation.to_text())),
        ];
        let lock = self.lock()?;
        self.refuse_taken_addresses(card)?;
        self.place_identity(&lock, card, &files, Adoption::Own)
    }

    /// Makes the folder of an identity with all its files at once. One of the user's own is remembered as that before: after a
    /// kill in between it is not here.
    pub(super) fn place_identity(
        &self,
        lock: &WriteLock,
        card: &Card,
        files: &[(&str, &[u8])],
        adoption: Adoption,
    ) -> Result<(), KeystoreError> {
        let id = &card.id();
        if adoption != Adoption::Foreign {
            self.remember_own(lock, card)?;
        }
        let is_first = !self.identities()?.iter().any(|known| known.is_default);
        let folder = self.root.join(IDENTITIES);
        folder::make_folder(&folder)?;
        remove_unfinished(&folder)?;
        let (hidden, place) = (folder.join(unfinished_name(id)), self.identity_folder(id));
        folder::make_folder(&hidden)?;
        for (name, bytes) in files {
            folder::write(&hidden.join(name), bytes, Existing::Keep)?;
        }
        fs::rename(&hidden, &place)
            .map_err(|error| KeystoreError::system("name", &place, error))?;
        folder::sync_folder(&folder)?;
        self.remember_place(lock, id)?;
        self.reload_state();
        let has_ended = files.iter().any(|(name, _)| *name == ENDED);
        if is_first && !has_ended && adoption == Adoption::Own {
            // Two made in one second have no other order.
            self.choose_default(lock, id)?;
        }
        Ok(())
    }

    /// Finds out whether an identity has one of a new card's addresses.
    ///
    /// # Errors
    /// [`KeystoreError::AddressTaken`], and what the system refuses.
    pub fn refuse_taken_addresses(&self, card: &Card) -> Result<(), KeystoreError> {
        let mut known = self.identities()?;
        // One of the two came in the place of the other, whichever is here first.
        known.retain(
            |StoredIdentity {
                 card: known,
                 standing,
                 ..
             }| {
                *standing == Standing::Active
                    && !card.is_successor_of(&known.id())
                    && !known.is_successor_of(&card.id())
            },
        );
        for StoredIdentity { card: known, .. } in known {
            if let Some(address) = shared_address(known.addresses(), card.addresses()) {
                return Err(KeystoreError::AddressTaken {
                    address,
                    id: known.id(),
                });
            }
        }
        Ok(())
    }

    /// Makes an identity the one that signs when nothing else is said.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn set_default(&self, id: &RootId) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        self.own_card(id)?
            .ok_or(KeystoreError::Unknown("identity"))?;
        self.choose_default(&lock, id)
    }

    pub(super) fn choose_default(
        &self,
        lock: &WriteLock,
        id: &RootId,
    ) -> Result<(), KeystoreError> {
        self.remember_default(lock, id)?;
        let path = self.root.join("default");
        folder::write(&path, &line(&id.to_string()), Existing::Replace)
    }

    /// Removes an identity with its private keys, for good. One that is gone already is not missed any more.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn remove_identity(&self, id: &RootId) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let was_missed = self.is_missed(id)?;
        self.forget_own(&lock, id)?;
        let place = self.identity_folder(id);
        let folder = self.root.join(IDENTITIES);
        let hidden = folder.join(unfinished_name(id));
        // First the name: there is never an identity with only some of its files.
        match fs::rename(&place, &hidden) {
            Ok(()) => folder::sync_folder(&folder)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && was_missed => {
                return Ok(());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(KeystoreError::Unknown("identity"));
            }
            Err(error) => return Err(KeystoreError::system("remove", &place, error)),
        }
        remove_unfinished(&folder)?;
        self.reload_state();
        Ok(())
    }

    pub(super) fn identity_folder(&self, id: &RootId) -> PathBuf {
        self.root.join(IDENTITIES).join(id.to_string())
    }

    pub(super) fn chosen_default(&self) -> Result<Option<RootId>, KeystoreError> {
        let text = folder::read(&self.root.join("default"))?;
        // Whatever else stands there chooses nothing.
        Ok(text.and_then(|text| std::str::from_utf8(&text).ok()?.trim_end().parse().ok()))
    }
}

/// An address that both have.
pub(super) fn shared_address(known: &[String], offered: &[String]) -> Option<String> {
    let is_known = |address: &&String| {
        let mut known = known.iter();
        known.any(|other| is_same_address(other, address))
    };
    offered.iter().find(is_known).cloned()
}

fn unfinished_name(id: &RootId) -> String {
    format!(".{id}")
}

/// Removes identities that a kill left between making or removing and done. The caller holds the lock.
fn remove_unfinished(folder: &Path) -> Result<(), KeystoreError> {
    let failed = |error| KeystoreError::system("clean", folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix('.')?.parse::<RootId>().ok());
        if id.is_some() {
            fs::remove_dir_all(entry.path()).map_err(failed)?;
        }
    }
    folder::sync_folder(folder)
}

pub(super) fn line(text: &str) -> Vec<u8> {
    format!("{text}\n").into_bytes()
}
