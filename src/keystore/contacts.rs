//! Other people's cards, and how far they are trusted.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use serde::Serialize;

use super::{Keystore, KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::identity::{ADDRESS_BYTES_MAX, Card, NAME_BYTES_MAX};
use crate::json::{Error, Text, Value};
use crate::time::Time;
use crate::turns::spread;

pub(super) const CONTACTS: &str = "contacts";
/// From so many contacts on their files are read by several threads.
const SHARED_FROM: usize = 64;
const VERSION: &str = "encl/1";

/// How far a key is trusted to belong to the person on its card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Trust {
    /// It is one of my own.
    Own,
    /// Nobody ever compared fingerprints.
    Unverified,
}

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

/// The first line of a contact's file: enough to list and to find contacts without checking their cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContactHead {
    contact: &'static str,
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

    fn contact_ids(&self) -> Result<Vec<RootId>, KeystoreError> {
        let names = self.names_in(CONTACTS)?;
        let ids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        Ok(ids.collect())
    }

    fn heads(&self, ids: Vec<RootId>) -> Result<Vec<ContactHead>, KeystoreError> {
        let head = |id| Ok(self.contact_file(&id)?.map(|(head, _)| head));
        let heads = spread(ids, SHARED_FROM, head).into_iter();
        heads.filter_map(Result::transpose).collect()
    }

    /// A contact with its card, if there is one with this root key.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn contact(&self, id: &RootId) -> Result<Option<Contact>, KeystoreError> {
        let Some((head, text)) = self.contact_file(id)? else {
            return Ok(None);
        };
        let damaged =
            |what: &dyn std::fmt::Display| KeystoreError::damaged(&self.contact_path(id), what);
        let card = Card::from_text(&text).map_err(|error| damaged(&error))?;
        if (card.id(), card.name(), card.addresses()) != (*id, &*head.name, &*head.addresses) {
            return Err(damaged(&"its two lines are about different people"));
        }
        Ok(Some(Contact {
            card,
            trust: head.trust,
            how: head.how,
            added: head.added,
        }))
    }

    /// Takes a card into the contacts, or brings a contact up to date.
    ///
    /// # Errors
    /// [`KeystoreError::OwnCard`]; [`KeystoreError::KeyChanged`] when one of its addresses is known with another root
    /// key; [`KeystoreError::OlderCard`] and [`KeystoreError::OtherCard`] against the known card of the same root key;
    /// and what the system refuses.
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
        let _lock = self.lock()?;
        let mut owners = self.owners()?;
        let accept = |card: &Card| {
            owners.refuse_changed(card)?;
            let accepted = self.accept_unchanged(card, how, now)?;
            let accepted = self.follow(card)?.unwrap_or(accepted);
            owners.add(card.id(), card.addresses());
            Ok(accepted)
        };
        cards.iter().map(accept).collect()
    }

    fn accept_unchanged(
        &self,
        card: &Card,
        how: How,
        now: Time,
    ) -> Result<Accepted, KeystoreError> {
        let known = self.contact(&card.id())?;
        match &known {
            Some(known) if known.card == *card => return Ok(Accepted::Known),
            Some(known) if known.card.serial() > card.serial() => {
                return Err(KeystoreError::OlderCard {
                    known: known.card.serial(),
                    offered: card.serial(),
                });
            }
            Some(known) if known.card.serial() == card.serial() => {
                return Err(KeystoreError::OtherCard {
                    serial: card.serial(),
                });
            }
            _ => {}
        }
        let (trust, how, added) = known
            .as_ref()
            .map_or((Trust::Unverified, how, now), |k| (k.trust, k.how, k.added));
        folder::make_folder(&self.root.join(CONTACTS))?;
        self.write_contact(&Contact {
            card: card.clone(),
            trust,
            how,
            added,
        })?;
        Ok(if known.is_some() {
            Accepted::Updated
        } else {
            Accepted::New
        })
    }

    /// Whoever signed that this one takes their place goes, from the groups first: a kill leaves something to be done again.
    fn follow(&self, card: &Card) -> Result<Option<Accepted>, KeystoreError> {
        let mut followed = None;
        for predecessor in card.replaces() {
            if self.contact_path(&predecessor.id()).exists() {
                self.replace_in_groups(&predecessor.id(), &card.id())?;
                folder::remove(&self.contact_path(&predecessor.id()))?;
                followed = Some(Accepted::Updated);
            }
        }
        Ok(followed)
    }

    fn owners(&self) -> Result<Owners, KeystoreError> {
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

    /// Removes a contact. Groups keep its id, and cannot be wrapped for until it is back or taken out.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn remove_contact(&self, id: &RootId) -> Result<(), KeystoreError> {
        let _lock = self.lock()?;
        if folder::remove(&self.contact_path(id))? {
            Ok(())
        } else {
            Err(KeystoreError::Unknown("contact"))
        }
    }

    fn write_contact(&self, contact: &Contact) -> Result<(), KeystoreError> {
        let Contact {
            card,
            trust,
            how,
            added,
        } = contact;
        let head = ContactHead {
            contact: VERSION,
            id: card.id(),
            name: card.name().to_owned(),
            addresses: card.addresses().to_vec(),
            trust: *trust,
            how: *how,
            added: *added,
        };
        let head = serde_json::to_string(&head).expect("it has only texts");
        let text = format!("{head}\n{}\n", card.to_text());
        folder::write(
            &self.contact_path(&card.id()),
            text.as_bytes(),
            Existing::Replace,
        )
    }

    /// A contact's head and the text of its card.
    fn contact_file(&self, id: &RootId) -> Result<Option<(ContactHead, Vec<u8>)>, KeystoreError> {
        let path = self.contact_path(id);
        let Some(text) = folder::read(&path)? else {
            return Ok(None);
        };
        let mut lines = text.splitn(2, |byte| *byte == b'\n');
        let (head, card) = (
            lines.next().unwrap_or_default(),
            lines.next().unwrap_or_default(),
        );
        let head = head_of(head).map_err(|error| KeystoreError::damaged(&path, &error))?;
        if head.id != *id {
            return Err(KeystoreError::damaged(
                &path,
                &"it belongs to another contact",
            ));
        }
        Ok(Some((head, card.to_vec())))
    }

    fn contact_path(&self, id: &RootId) -> PathBuf {
        self.root.join(CONTACTS).join(id.to_string())
    }
}

/// Whose each known address is, without regard to ASCII case.
#[derive(Default)]
struct Owners {
    mine: HashSet<RootId>,
    of_address: HashMap<String, RootId>,
}

impl Owners {
    fn add(&mut self, id: RootId, addresses: &[String]) {
        let addresses = addresses.iter().map(|address| address.to_ascii_lowercase());
        self.of_address
            .extend(addresses.map(|address| (address, id)));
    }

    fn refuse_changed(&self, card: &Card) -> Result<(), KeystoreError> {
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

const HOWS: [(&str, How); 2] = [("added", How::Added), ("first-use", How::FirstUse)];

fn head_of(line: &[u8]) -> Result<ContactHead, Error> {
    let (mut version, mut id, mut person, mut addresses) = (None, None, None, None);
    let (mut trust, mut how, mut added) = (None, None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "contact" => version = Some(word(value, &[(VERSION, ())])?),
            "id" => id = Some(RootId(value.base64()?)),
            "name" => person = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "addresses" => {
                addresses = Some(value.array(16, |v| Ok(v.text(ADDRESS_BYTES_MAX)?.into_owned()))?);
            }
            "trust" => trust = Some(word(value, &[("unverified", Trust::Unverified)])?),
            "how" => {
                how = Some(word(value, &HOWS)?);
            }
            "added" => added = Some(value.time()?),
            other => return Err(Error::unknown(other)),
        }
        Ok(())
    })?;
    version.ok_or_else(|| Error::missing("contact"))?;
    Ok(ContactHead {
        contact: VERSION,
        id: id.ok_or_else(|| Error::missing("id"))?,
        name: person.ok_or_else(|| Error::missing("name"))?,
        addresses: addresses.ok_or_else(|| Error::missing("addresses"))?,
        trust: trust.ok_or_else(|| Error::missing("trust"))?,
        how: how.ok_or_else(|| Error::missing("how"))?,
        added: added.ok_or_else(|| Error::missing("added"))?,
    })
}

fn word<T: Copy>(value: Value<'_>, known: &[(&str, T)]) -> Result<T, Error> {
    let text = value.text(usize::MAX)?;
    let found = known.iter().find(|(word, _)| *word == text);
    found
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| Error::newer(format!("word {text:?}")))
}
