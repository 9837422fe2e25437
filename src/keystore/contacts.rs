//! Other people's cards, and how far they are trusted.

mod address_index;
pub(super) mod contact_file;

use std::cmp::Ordering;

use serde::Serialize;

pub(super) use address_index::AddressIndex;
use contact_file::ContactFile;
pub use contact_file::KnownAs;

use super::folder::WriteLock;
use super::trust::{Trust, TrustRecord};
use super::{Keystore, KeystoreError, Readable, VerifiedAs, folder};
use crate::crypto::signing::RootId;
use crate::identity::Card;
use crate::pipeline::parallel_map;
use crate::time::Time;

pub(super) const CONTACTS: &str = "contacts";
/// The number of contacts from which on their files are read in parallel.
const SHARED_FROM: usize = 64;

/// How a card came into the keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AddedBy {
    /// By `contact add`.
    Added,
    /// By its first use as a recipient.
    FirstUse,
}

/// Of contacts that came by first use since then only the first address counts (2026-11-30T00:00:00Z). Those from before keep
/// all that were taken then: an update bounces no mail.
const FIRST_ADDRESS_SINCE: u64 = 1_795_996_800;

impl AddedBy {
    /// How many of a contact's addresses count, from the first: nobody has seen the others at first use.
    #[must_use]
    pub fn counting(self, addresses: usize, added: Time) -> usize {
        match self {
            Self::FirstUse if added.unix() >= FIRST_ADDRESS_SINCE => addresses.min(1),
            Self::FirstUse | Self::Added => addresses,
        }
    }
}

/// A contact: a card, and what is known about it.
#[derive(Clone)]
pub struct Contact {
    /// The card.
    pub card: Card,
    /// How far it is trusted.
    pub trust: Trust,
    /// How it was added.
    pub added_by: AddedBy,
    /// When it was first added.
    pub added: Time,
    /// For which name and addresses it was verified.
    pub verified_as: Option<VerifiedAs>,
}

impl Contact {
    /// Whether no address of the card waits for being looked at. Of a verified contact only a comparison makes more of them count.
    #[must_use]
    pub fn has_all_counting(&self) -> bool {
        let known = self.known_as();
        self.verified_as.is_some() || known.counting == known.addresses.len()
    }

    /// What the contact is called here.
    #[must_use]
    pub fn known_as(&self) -> KnownAs {
        let addresses = self.card.addresses().to_vec();
        let counting = self.added_by.counting(addresses.len(), self.added);
        let name = self.card.name().to_owned();
        KnownAs::new(name, addresses, counting, self.verified_as.as_ref())
    }
}

/// What the first line of a contact's file says: enough to list and to find contacts without checking their cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactHead {
    /// The root key.
    pub id: RootId,
    /// The name on the card.
    pub name: String,
    /// The addresses on the card.
    pub addresses: Vec<String>,
    /// How far it is trusted.
    pub trust: Trust,
    /// How it was added.
    pub added_by: AddedBy,
    /// When it was first added.
    pub added: Time,
    /// For which name and addresses it was verified.
    pub verified_as: Option<VerifiedAs>,
}

impl ContactHead {
    /// What the contact is called here.
    #[must_use]
    pub fn known_as(&self) -> KnownAs {
        let counting = self.added_by.counting(self.addresses.len(), self.added);
        let (name, addresses) = (self.name.clone(), self.addresses.clone());
        KnownAs::new(name, addresses, counting, self.verified_as.as_ref())
    }
}

/// The result of accepting a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// A new contact.
    New,
    /// A newer card of a known contact.
    Updated,
    /// The card of a new key that replaces a known contact's key and is signed by it. A verification of the old key does not
    /// hold for the new one.
    Successor,
    /// The same card as before.
    Known,
}

impl Keystore {
    /// The heads of all contacts, in the order of their ids. Writes an index if there are many.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn contact_heads(&self) -> Result<Vec<ContactHead>, KeystoreError> {
        self.readable_contact_heads()?.all()
    }

    /// The heads of all contacts whose files can be read, as [`Keystore::contact_heads`], and what is wrong with the others.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn readable_contact_heads(&self) -> Result<Readable<ContactHead>, KeystoreError> {
        let ids = self.contact_ids()?;
        // The folder's state is read before its files are listed.
        let Some(index) = self.begin_index(ids.len()) else {
            return self.heads(ids);
        };
        let heads = self.heads(self.contact_ids()?)?;
        if heads.faults.is_empty() {
            self.finish_index(index, &heads.found);
        }
        Ok(heads)
    }

    pub(super) fn contact_ids(&self) -> Result<Vec<RootId>, KeystoreError> {
        let names = self.names_in(CONTACTS)?;
        let ids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        Ok(ids.collect())
    }

    fn heads(&self, ids: Vec<RootId>) -> Result<Readable<ContactHead>, KeystoreError> {
        // What is wrong with the state of this machine is wrong with everybody.
        let head = |id| match self.contact_file(&id) {
            Ok(Some(file)) => self.head(file).map(|head| Ok(Some(head))),
            Ok(None) => Ok(Ok(None)),
            Err(fault) => Ok(Err(fault)),
        };
        let read = parallel_map(ids, SHARED_FROM, head).into_iter();
        let read = read.collect::<Result<Vec<_>, KeystoreError>>()?;
        Ok(Readable::of(read))
    }

    /// Whether there is a contact with this root key.
    #[must_use]
    pub fn has_contact(&self, id: &RootId) -> bool {
        self.contact_path(id).exists()
    }

    /// A contact with its card, if there is one with this root key.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn contact(&self, id: &RootId) -> Result<Option<Contact>, KeystoreError> {
        let Some(file) = self.contact_file(id)? else {
            return Ok(None);
        };
        let card = self.card_of(&file)?;
        let (trust, verified_as) = self.judge_contact(&file, card.serial())?;
        Ok(Some(Contact {
            card,
            trust,
            added_by: file.added_by,
            added: file.added,
            verified_as,
        }))
    }

    pub(super) fn card_of(&self, file: &ContactFile) -> Result<Card, KeystoreError> {
        let damaged = |what: &dyn std::fmt::Display| {
            KeystoreError::damaged(&self.contact_path(&file.id), what)
        };
        let card = Card::from_text(&file.card).map_err(|error| damaged(&error))?;
        if file.is_about(&card) {
            Ok(card)
        } else {
            Err(damaged(&"its two lines are about different people"))
        }
    }

    /// Adds a card to the contacts, or updates a contact. From a card that is [`AddedBy::Added`] all addresses count.
    ///
    /// # Errors
    /// [`KeystoreError::Naming`]; [`KeystoreError::OwnCard`]; [`KeystoreError::KeyChanged`] when one of its addresses is known with another root
    /// key; [`KeystoreError::OlderCard`] and [`KeystoreError::OtherCard`] against the known card of the same root key;
    /// and what the system refuses. A card that was [`AddedBy::Added`] on purpose and has another key, or differs from the known
    /// one with its serial, makes the known contact [`Trust::Changed`].
    pub fn accept(
        &self,
        card: &Card,
        added_by: AddedBy,
        now: Time,
    ) -> Result<AcceptOutcome, KeystoreError> {
        let accepted = self.accept_all(std::slice::from_ref(card), added_by, now)?;
        Ok(accepted[0])
    }

    /// Accepts many cards and reads the keystore once for all of them. Returns the result for each card.
    ///
    /// # Errors
    /// As [`Keystore::accept`], for the first card that is refused; those before it are stored.
    pub fn accept_all(
        &self,
        cards: &[Card],
        added_by: AddedBy,
        now: Time,
    ) -> Result<Vec<AcceptOutcome>, KeystoreError> {
        let lock = self.lock()?;
        let mut addresses = self.address_index()?;
        let mut accept = |card: &Card| {
            self.refuse(card, &addresses)?;
            let accepted = self.accept_unchanged(&lock, card, added_by, now)?;
            let accepted = self.apply_successor(&lock, card)?.unwrap_or(accepted);
            let file = self.contact_file(&card.id())?;
            let head = file.map(|file| self.head(file)).transpose()?;
            addresses.add_counting(head.iter());
            Ok(accepted)
        };
        let mut all = Vec::with_capacity(cards.len());
        for card in cards {
            let accepted = accept(card);
            if let (Err(refused), AddedBy::Added) = (&accepted, added_by) {
                self.mark_refused(&lock, card, refused, now)?;
            }
            all.push(accepted?);
        }
        Ok(all)
    }

    /// Refuses the cards that [`Keystore::accept_all`] refuses, and stores nothing: for a keystore that cannot be written.
    ///
    /// # Errors
    /// As [`Keystore::accept_all`].
    pub fn check_all(&self, cards: &[Card]) -> Result<(), KeystoreError> {
        let mut addresses = self.address_index()?;
        for card in cards {
            self.refuse(card, &addresses)?;
            if let Ok(Some(known)) = self.contact_file(&card.id()) {
                refuse_older(&known, self.card_of(&known)?.serial(), card)?;
            }
            addresses.add(card.id(), card.addresses());
        }
        Ok(())
    }

    fn refuse(&self, card: &Card, addresses: &AddressIndex) -> Result<(), KeystoreError> {
        card.naming_fault().map_or(Ok(()), Err)?;
        self.refuse_successor_of_blocked_key(card)?;
        addresses.refuse_changed(self, card)
    }

    fn mark_refused(
        &self,
        lock: &WriteLock,
        card: &Card,
        refused: &KeystoreError,
        now: Time,
    ) -> Result<(), KeystoreError> {
        let known = match refused {
            KeystoreError::OtherCard { .. } => card.id(),
            KeystoreError::KeyChanged { known, .. } if self.own_card(known)?.is_none() => *known,
            _ => return Ok(()),
        };
        // A contact that was blocked and then removed; or an old card of a contact with a newer, signed key.
        let Some(contact) = self.contact(&known)? else {
            return Ok(());
        };
        if contact.card.is_successor_of(&card.id()) {
            return Ok(());
        }
        self.mark_changed(lock, &known, card.id(), now)
    }

    fn accept_unchanged(
        &self,
        lock: &WriteLock,
        card: &Card,
        added_by: AddedBy,
        now: Time,
    ) -> Result<AcceptOutcome, KeystoreError> {
        let known = match self.contact_file(&card.id()) {
            // What cannot be read is replaced; what was decided about the key is remembered.
            Err(KeystoreError::Damaged { .. }) => None,
            known => known?,
        };
        let Some(known) = known else {
            folder::make_folder(&self.root.join(CONTACTS))?;
            // A contact that was blocked and removed is still blocked when it is added again.
            let trust = self.remembered_trust(&card.id())?;
            let record = match trust.blocks_use() {
                true => TrustRecord::new(trust),
                false => TrustRecord::UNVERIFIED,
            };
            self.write_contact(&ContactFile::new(card, record, added_by, now))?;
            return Ok(AcceptOutcome::New);
        };
        let serial = self.card_of(&known)?.serial();
        refuse_older(&known, serial, card)?;
        if serial == card.serial() {
            if (known.added_by, added_by) == (AddedBy::FirstUse, AddedBy::Added) {
                // All addresses were shown now.
                self.write_contact(&ContactFile { added_by, ..known })?;
            }
            return Ok(AcceptOutcome::Known);
        }
        let added_by = match added_by {
            AddedBy::Added => added_by,
            AddedBy::FirstUse => known.added_by,
        };
        self.note_newer_card(lock, card)?;
        // The trust in a key holds for all its cards.
        let (record, added) = (known.record, known.added);
        self.write_contact(&ContactFile::new(card, record, added_by, added))?;
        Ok(AcceptOutcome::Updated)
    }

    /// Refuses a card that replaces a revoked or blocked key: that key may be stolen, and cannot name its successor.
    pub(super) fn refuse_successor_of_blocked_key(&self, card: &Card) -> Result<(), KeystoreError> {
        for predecessor in card.replaces() {
            let known = predecessor.id();
            let trust = match self.contact(&known)? {
                Some(contact) => contact.trust,
                None => self.remembered_trust(&known)?,
            };
            if matches!(trust, Trust::Blocked { .. } | Trust::Revoked { .. }) {
                let address = card.addresses()[0].clone();
                let offered = card.id();
                return Err(KeystoreError::KeyChanged {
                    address,
                    known,
                    offered,
                });
            }
        }
        Ok(())
    }

    /// Removes the contacts that this card replaces, from the groups first: after a kill in between, the step can be repeated.
    fn apply_successor(
        &self,
        lock: &WriteLock,
        card: &Card,
    ) -> Result<Option<AcceptOutcome>, KeystoreError> {
        let mut followed = None;
        for predecessor in card.replaces() {
            if self.has_contact(&predecessor.id()) {
                self.replace_in_groups(lock, &predecessor.id(), &card.id())?;
                folder::remove(&self.contact_path(&predecessor.id()))?;
                followed = Some(AcceptOutcome::Successor);
            }
        }
        Ok(followed)
    }

    /// Removes a contact. Groups keep its id, and cannot be used as recipients until it is added again or taken out of
    /// them. A verification is deleted as well, also that of a key which the contact replaced, and that of a contact who is gone
    /// from the keystore; a blocked or revoked contact is so again when its card is added again.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn remove_contact(&self, id: &RootId) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        let mut was_known = self.verified_as(id)?.is_some();
        let mut predecessors = Vec::new();
        if let Some(file) = self.contact_file(id)? {
            self.forget(&lock, &file)?;
            predecessors.extend(
                self.card_of(&file)
                    .map_or_else(|_| Vec::new(), |card| card.replaces().to_vec()),
            );
        } else {
            self.forget_verified(&lock, id)?;
        }
        for predecessor in predecessors {
            let gone = predecessor.id();
            if !self.has_contact(&gone) {
                self.forget_verified(&lock, &gone)?;
            }
        }
        was_known |= folder::remove(&self.contact_path(id))?;
        match was_known {
            true => Ok(()),
            false => Err(KeystoreError::Unknown("contact")),
        }
    }
}

/// Refuses a card that is older than that of a contact, whose serial is `serial`, and another one with the same serial.
fn refuse_older(known: &ContactFile, serial: u32, card: &Card) -> Result<(), KeystoreError> {
    let offered = card.serial();
    match serial.cmp(&offered) {
        Ordering::Greater => Err(KeystoreError::OlderCard {
            known: serial,
            offered,
        }),
        Ordering::Equal if known.card() != card.to_text().as_bytes() => {
            Err(KeystoreError::OtherCard { serial })
        }
        _ => Ok(()),
    }
}
