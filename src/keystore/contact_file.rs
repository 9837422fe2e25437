//! The file of one contact: a line of what is known about it, and a line of card.

use std::path::PathBuf;

use serde::Serialize;

use super::contacts::{CONTACTS, ContactHead, How};
use super::local::Local;
use super::trust::{Claim, Members, WrittenMembers, judge, word};
use super::{Keystore, KeystoreError, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::identity::{ADDRESS_BYTES_MAX, Card, NAME_BYTES_MAX};
use crate::json::{Error, Text};
use crate::time::Time;

const VERSION: &str = "encl/1";

/// What stands in the file of a contact. Its card is not read yet.
pub(super) struct ContactFile {
    pub(super) id: RootId,
    pub(super) name: String,
    pub(super) addresses: Vec<String>,
    pub(super) claim: Claim,
    pub(super) how: How,
    pub(super) added: Time,
    pub(super) card: Vec<u8>,
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
    how: How,
    added: Time,
}

impl ContactFile {
    pub(super) fn new(card: &Card, claim: Claim, how: How, added: Time) -> Self {
        Self {
            id: card.id(),
            name: card.name().to_owned(),
            addresses: card.addresses().to_vec(),
            claim,
            how,
            added,
            card: card.to_text().as_bytes().to_vec(),
        }
    }

    /// The text of the card, without a line feed.
    pub(super) fn card(&self) -> &[u8] {
        self.card.strip_suffix(b"\n").unwrap_or(&self.card)
    }

    /// Whether both lines are about the same person: `card` is what its second line holds.
    pub(super) fn is_about(&self, card: &Card) -> bool {
        (card.id(), card.name(), card.addresses()) == (self.id, &*self.name, &*self.addresses)
    }

    pub(super) fn head(self, local: &Local) -> ContactHead {
        ContactHead {
            trust: judge(&self.id, &self.claim, local),
            id: self.id,
            name: self.name,
            addresses: self.addresses,
            how: self.how,
            added: self.added,
        }
    }

    fn first_line(&self) -> String {
        let line = Line {
            contact: VERSION,
            id: self.id,
            name: &self.name,
            addresses: &self.addresses,
            trust: WrittenMembers::of(&self.claim),
            how: self.how,
            added: self.added,
        };
        serde_json::to_string(&line).expect("it has only texts")
    }
}

impl Keystore {
    pub(super) fn write_contact(&self, file: &ContactFile) -> Result<(), KeystoreError> {
        let line = file.first_line();
        let bytes = [line.as_bytes(), b"\n", file.card(), b"\n"].concat();
        folder::write(&self.contact_path(&file.id), &bytes, Existing::Replace)
    }

    pub(super) fn contact_file(&self, id: &RootId) -> Result<Option<ContactFile>, KeystoreError> {
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

    pub(super) fn contact_path(&self, id: &RootId) -> PathBuf {
        self.root.join(CONTACTS).join(id.to_string())
    }
}

/// Reads the file of a contact; its card is not looked at.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<ContactFile, Error> {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (line, card) = (lines.next(), lines.next());
    parse(line.unwrap_or_default(), card.unwrap_or_default())
}

const HOWS: [(&str, How); 2] = [("added", How::Added), ("first-use", How::FirstUse)];

fn parse(line: &[u8], card: &[u8]) -> Result<ContactFile, Error> {
    let (mut version, mut id, mut person, mut addresses) = (None, None, None, None);
    let (mut trust, mut how, mut added) = (Members::default(), None, None);
    Text::check(line)?.object(|name, value| {
        match name {
            "contact" => version = Some(word(value, &[(VERSION, ())])?),
            "id" => id = Some(RootId(value.base64()?)),
            "name" => person = Some(value.text(NAME_BYTES_MAX)?.into_owned()),
            "addresses" => {
                addresses = Some(value.array(16, |v| Ok(v.text(ADDRESS_BYTES_MAX)?.into_owned()))?);
            }
            "how" => how = Some(word(value, &HOWS)?),
            "added" => added = Some(value.time()?),
            other => {
                if !trust.take(other, value)? {
                    return Err(Error::unknown(other));
                }
            }
        }
        Ok(())
    })?;
    version.ok_or_else(|| Error::missing("contact"))?;
    Ok(ContactFile {
        id: id.ok_or_else(|| Error::missing("id"))?,
        name: person.ok_or_else(|| Error::missing("name"))?,
        addresses: addresses.ok_or_else(|| Error::missing("addresses"))?,
        claim: trust.claim()?,
        how: how.ok_or_else(|| Error::missing("how"))?,
        added: added.ok_or_else(|| Error::missing("added"))?,
        card: card.to_vec(),
    })
}
