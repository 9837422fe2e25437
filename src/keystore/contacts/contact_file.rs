//! The file of one contact: a line of what is known about it, and a line of card.

use std::path::PathBuf;

use serde::Serialize;

use super::super::trust::{Members, TrustRecord, WrittenMembers, evaluate, word};
use super::super::{Keystore, KeystoreError, VerifiedAs, folder};
use super::{AddedBy, CONTACTS, ContactHead};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::identity::{ADDRESS_BYTES_MAX, ADDRESSES_MAX, Card, NAME_BYTES_MAX};
use crate::json::{Error, Text, Value};
use crate::time::Time;

const VERSION: &str = "encl/1";

/// What stands in the file of a contact. Its card is not read yet.
pub(in super::super) struct ContactFile {
    pub(in super::super) id: RootId,
    pub(in super::super) name: String,
    pub(in super::super) addresses: Vec<String>,
    pub(in super::super) record: TrustRecord,
    pub(in super::super) added_by: AddedBy,
    pub(in super::super) added: Time,
    pub(in super::super) card: Vec<u8>,
}

/// The first line, as it is written.
#[derive(Serialize)]
struct Line<'a> {
    contact: &'static str,
    id: RootId,
    name: &'a str,
    addresses: &'a [String],
    #[serde(flatten)]
    trust: WrittenMembers,
    how: AddedBy,
    added: Time,
}

impl ContactFile {
    pub(in super::super) fn new(
        card: &Card,
        record: TrustRecord,
        added_by: AddedBy,
        added: Time,
    ) -> Self {
        Self {
            id: card.id(),
            name: card.name().to_owned(),
            addresses: card.addresses().to_vec(),
            record,
            added_by,
            added,
            card: card.to_text().as_bytes().to_vec(),
        }
    }

    /// The text of the card, without a line feed.
    pub(in super::super) fn card(&self) -> &[u8] {
        self.card.strip_suffix(b"\n").unwrap_or(&self.card)
    }

    /// Whether both lines are about the same person: `card` is what its second line holds.
    pub(in super::super) fn is_about(&self, card: &Card) -> bool {
        (card.id(), card.name(), card.addresses()) == (self.id, &*self.name, &*self.addresses)
    }

    fn first_line(&self) -> String {
        let line = Line {
            contact: VERSION,
            id: self.id,
            name: &self.name,
            addresses: &self.addresses,
            trust: WrittenMembers::of(&self.record),
            how: self.added_by,
            added: self.added,
        };
        serde_json::to_string(&line).expect("it has only texts")
    }
}

/// What a contact is called here: as it was verified, else as its card says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAs {
    /// The name.
    pub name: String,
    /// Another name that the card says now, and that nobody compared.
    pub claimed_name: Option<String>,
    /// The addresses that count, then those that the card has besides.
    pub addresses: Vec<String>,
    /// How many of the addresses count, from the first.
    pub counting: usize,
}

impl KnownAs {
    pub(in super::super) fn new(
        name: String,
        addresses: Vec<String>,
        counting: usize,
        verified_as: Option<&VerifiedAs>,
    ) -> Self {
        let Some(verified_as) = verified_as else {
            return Self {
                name,
                claimed_name: None,
                addresses,
                counting,
            };
        };
        let others = addresses.into_iter();
        let others = others.filter(|address| !verified_as.has_address(address));
        Self {
            claimed_name: Some(name).filter(|name| *name != verified_as.name),
            name: verified_as.name.clone(),
            counting: verified_as.addresses.len(),
            addresses: verified_as
                .addresses
                .iter()
                .cloned()
                .chain(others)
                .collect(),
        }
    }
}

impl Keystore {
    pub(in super::super) fn head(&self, file: ContactFile) -> Result<ContactHead, KeystoreError> {
        let fact = self.machine_state()?.person(&file.id)?;
        Ok(ContactHead {
            trust: evaluate(&file.record, Some(fact.trust)),
            verified_as: fact.verified_as,
            id: file.id,
            name: file.name,
            addresses: file.addresses,
            added_by: file.added_by,
            added: file.added,
        })
    }

    pub(in super::super) fn write_contact(&self, file: &ContactFile) -> Result<(), KeystoreError> {
        let line = file.first_line();
        let bytes = [line.as_bytes(), b"\n", file.card(), b"\n"].concat();
        folder::write(&self.contact_path(&file.id), &bytes, Existing::Replace)
    }

    pub(in super::super) fn contact_file(
        &self,
        id: &RootId,
    ) -> Result<Option<ContactFile>, KeystoreError> {
        let path = self.contact_path(id);
        let Some(text) = folder::read(&path)? else {
            return Ok(None);
        };
        let file = from_bytes(&text).map_err(|error| KeystoreError::damaged(&path, &error))?;
        if file.id != *id {
            let what = "it belongs to another contact";
            return Err(KeystoreError::damaged(&path, &what));
        }
        Ok(Some(file))
    }

    pub(in super::super) fn contact_path(&self, id: &RootId) -> PathBuf {
        self.root.join(CONTACTS).join(id.to_string())
    }
}

/// Reads the file of a contact; its card is not looked at.
pub(in super::super) fn from_bytes(bytes: &[u8]) -> Result<ContactFile, Error> {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (line, card) = (lines.next(), lines.next());
    parse(line.unwrap_or_default(), card.unwrap_or_default())
}

/// The members that name a person.
#[derive(Default)]
pub(in super::super) struct NameMembers {
    pub(in super::super) name: Option<String>,
    pub(in super::super) addresses: Option<Vec<String>>,
}

impl NameMembers {
    /// Takes a member, or says that it is none of these.
    pub(in super::super) fn take(&mut self, name: &str, value: Value<'_>) -> Result<bool, Error> {
        match name {
            "name" => self.name = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "addresses" => {
                let address = |one: Value<'_>| Ok(one.text(ADDRESS_BYTES_MAX)?.into_owned());
                self.addresses = Some(value.array(ADDRESSES_MAX, address)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

const ADDED_BY: [(&str, AddedBy); 2] =
    [("added", AddedBy::Added), ("first-use", AddedBy::FirstUse)];

fn parse(line: &[u8], card: &[u8]) -> Result<ContactFile, Error> {
    let (mut version, mut id, mut person) = (None, None, NameMembers::default());
    let (mut trust, mut how, mut added) = (Members::default(), None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "contact" => version = Some(word(value, &[(VERSION, ())])?),
            "id" => id = Some(RootId(value.base64()?)),
            "how" => how = Some(word(value, &ADDED_BY)?),
            "added" => added = Some(value.time()?),
            other => {
                if !person.take(other, value)? && !trust.take(other, value)? {
                    return Err(Error::unknown(other));
                }
            }
        }
        Ok(())
    })?;
    version.ok_or_else(|| Error::missing("contact"))?;
    Ok(ContactFile {
        id: id.ok_or_else(|| Error::missing("id"))?,
        name: person.name.ok_or_else(|| Error::missing("name"))?,
        addresses: person
            .addresses
            .ok_or_else(|| Error::missing("addresses"))?,
        record: trust.record()?,
        added_by: how.ok_or_else(|| Error::missing("how"))?,
        added: added.ok_or_else(|| Error::missing("added"))?,
        card: card.to_vec(),
    })
}
