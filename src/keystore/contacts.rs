//! Other people's cards, and how far they are trusted.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::contact_file::ContactFile;
use super::folder::WriteLock;
use super::trust::{Claim, Trust, judge};
use super::{Keystore, KeystoreError, folder};
use crate::crypto::signing::RootId;
use crate::identity::Card;
use crate::pipeline::parallel_map;
use crate::time::Time;

pub(super) const CONTACTS: &str = "contacts";
/// From so many contacts on their files are read by several threads.
const SHARED_FROM: usize = 64;

/// How a card came into the keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum How {
    /// By `contact add`.
    Added,
    /// By its first use as a recipient.
    FirstUse,
}

/// A contact: a card, and what is known about it.
#[derive(Clone)]
pub struct Contact {
    /// The card.
    pub card: Card,
    /// How far it is trusted.
    pub trust: Trust,
    /// How it came here.
    pub how: How,
    /// When it came here first.
    pub added: Time,
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
    /// How it came here.
    pub how: How,
    /// When it came here first.
    pub added: Time,
}

/// What became of a card that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// A new contact.
    New,
    /// A newer card of a known contact.
    Updated,
    /// The card of a new key in the place of a known contact's, who signed for it with the old one. A verification of the old
    /// key says nothing about this one.
    Successor,
    /// The very card that was known.
    Known,
}

impl Keystore {
    /// The heads of all contacts, in the order of their ids. Leaves an index behind where there are many.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn contact_heads(&self) -> Result<Vec<ContactHead>, KeystoreError> {
        let ids = self.contact_ids()?;
        // The folder is looked at before its files are listed.
        let Some(index) = self.begin_index(ids.len()) else {
            return self.heads(ids);
        };
        let heads = self.heads(self.contact_ids()?)?;
        self.finish_index(index, &heads);
        Ok(heads)
    }

    pub(super) fn contact_ids(&self) -> Result<Vec<RootId>, KeystoreError> {
        let names = self.names_in(CONTACTS)?;
        let ids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        Ok(ids.collect())
    }

    fn heads(&self, ids: Vec<RootId>) -> Result<Vec<ContactHead>, KeystoreError> {
        let local = self.local()?;
        let head = |id| Ok(self.contact_file(&id)?.map(|file| file.head(&local)));
        let heads = parallel_map(ids, SHARED_FROM, head).into_iter();
        heads.filter_map(Result::transpose).collect()
    }

    /// A contact with its card, if there is one with this root key.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn contact(&self, id: &RootId) -> Result<Option<Contact>, KeystoreError> {
        let Some(file) = self.contact_file(id)? else {
            return Ok(None);
        };
        Ok(Some(Contact {
            card: self.card_of(&file)?,
            trust: judge(id, &file.claim, &*self.local()?),
            how: file.how,
            added: file.added,
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

    /// Takes a card into the contacts, or brings a contact up to date.
    ///
    /// # Errors
    /// [`KeystoreError::OwnCard`]; [`KeystoreError::KeyChanged`] when one of its addresses is known with another root
    /// key; [`KeystoreError::OlderCard`] and [`KeystoreError::OtherCard`] against the known card of the same root key;
    /// and what the system refuses. A card that was [`How::Added`] on purpose and has another key, or differs from the known
    /// one with its serial, makes the known contact [`Trust::Changed`].
    pub fn accept(&self, card: &Card, how: How, now: Time) -> Result<Accepted, KeystoreError> {
        let accepted = self.accept_all(std::slice::from_ref(card), how, now)?;
        Ok(accepted[0])
    }

    /// Takes many cards, reading the keystore once for all of them. Says for each what became of it.
    ///
    /// # Errors
    /// As [`Keystore::accept`], for the first card that is refused; those before it are stored.
    pub fn accept_all(
        &self,
        cards: &[Card],
        how: How,
        now: Time,
    ) -> Result<Vec<Accepted>, KeystoreError> {
        let lock = self.lock()?;
        let mut owners = self.owners()?;
        let mut accept = |card: &Card| {
            self.refuse_successor_of_stopped(card)?;
            owners.refuse_changed(card)?;
            let accepted = self.accept_unchanged(card, how, now)?;
            let accepted = self.follow(card)?.unwrap_or(accepted);
            owners.add(card.id(), card.addresses());
            Ok(accepted)
        };
        let mut all = Vec::with_capacity(cards.len());
        for card in cards {
            let accepted = accept(card);
            if let (Err(refused), How::Added) = (&accepted, how) {
                self.mark_refused(&lock, card, refused, now)?;
            }
            all.push(accepted?);
        }
        Ok(all)
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
        // Blocked, and removed since; or an old card of somebody who has a new key by a signature.
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
        card: &Card,
        how: How,
        now: Time,
    ) -> Result<Accepted, KeystoreError> {
        let Some(known) = self.contact_file(&card.id())? else {
            folder::make_folder(&self.root.join(CONTACTS))?;
            // Whoever was blocked and removed is blocked when they come back.
            let trust = self.remembered_trust(&card.id())?;
            let claim = match trust.stops() {
                true => Claim::new(&card.id(), trust, None),
                false => Claim::UNVERIFIED,
            };
            self.write_contact(&ContactFile::new(card, claim, how, now))?;
            return Ok(Accepted::New);
        };
        let (offered, serial) = (card.serial(), self.card_of(&known)?.serial());
        match serial.cmp(&offered) {
            Ordering::Greater => Err(KeystoreError::OlderCard {
                known: serial,
                offered,
            }),
            Ordering::Equal if known.card() == card.to_text().as_bytes() => Ok(Accepted::Known),
            Ordering::Equal => Err(KeystoreError::OtherCard { serial }),
            // What was found out about the key is so for all its cards.
            Ordering::Less => {
                let (claim, how, added) = (known.claim, known.how, known.added);
                self.write_contact(&ContactFile::new(card, claim, how, added))?;
                Ok(Accepted::Updated)
            }
        }
    }

    /// A key that was revoked or blocked may be in wrong hands, and cannot name who takes its place.
    pub(super) fn refuse_successor_of_stopped(&self, card: &Card) -> Result<(), KeystoreError> {
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

    /// Whoever signed that this one takes their place goes, from the groups first: a kill leaves something to be done again.
    fn follow(&self, card: &Card) -> Result<Option<Accepted>, KeystoreError> {
        let mut followed = None;
        for predecessor in card.replaces() {
            if self.contact_path(&predecessor.id()).exists() {
                self.replace_in_groups(&predecessor.id(), &card.id())?;
                folder::remove(&self.contact_path(&predecessor.id()))?;
                followed = Some(Accepted::Successor);
            }
        }
        Ok(followed)
    }

    pub(super) fn owners(&self) -> Result<Owners, KeystoreError> {
        let mut owners = Owners::default();
        for own in self.identities()? {
            owners.mine.insert(own.card.id());
            owners.add(own.card.id(), own.card.addresses());
        }
        for head in self.heads(self.contact_ids()?)? {
            owners.add(head.id, &head.addresses);
        }
        Ok(owners)
    }

    /// Removes a contact. Groups keep its id, and cannot be wrapped for until it is back or taken out. A verification is
    /// forgotten with it; whoever was blocked or revoked is so again when the card comes back.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn remove_contact(&self, id: &RootId) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        if let Some(file) = self.contact_file(id)? {
            self.forget(&lock, &file)?;
        }
        if folder::remove(&self.contact_path(id))? {
            Ok(())
        } else {
            Err(KeystoreError::Unknown("contact"))
        }
    }
}

/// Whose each known address is, without regard to ASCII case.
#[derive(Default)]
pub(super) struct Owners {
    mine: HashSet<RootId>,
    of_address: HashMap<String, RootId>,
}

impl Owners {
    pub(super) fn add(&mut self, id: RootId, addresses: &[String]) {
        let addresses = addresses.iter().map(|address| address.to_ascii_lowercase());
        self.of_address
            .extend(addresses.map(|address| (address, id)));
    }

    pub(super) fn refuse_changed(&self, card: &Card) -> Result<(), KeystoreError> {
        if self.mine.contains(&card.id()) {
            return Err(KeystoreError::OwnCard);
        }
        let owner = |address: &String| self.of_address.get(&address.to_ascii_lowercase());
        let changed = card.addresses().iter().find_map(|address| {
            let known = *owner(address)
                .filter(|known| **known != card.id() && !card.is_successor_of(known))?;
            Some((address.clone(), known))
        });
        match changed {
            None => Ok(()),
            Some((address, known)) => Err(KeystoreError::KeyChanged {
                address,
                known,
                offered: card.id(),
            }),
        }
    }
}
