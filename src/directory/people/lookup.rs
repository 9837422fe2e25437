//! Looking somebody up among many: by name, by whatever is known, and by what others look like.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering;

use super::{People, Person};
use crate::crypto::signing::RootId;
use crate::directory::error::DirectoryError;
use crate::directory::lookalike::{Appearances, Distinction};
use crate::directory::names::{Names, match_one};
use crate::directory::trust::Trust;
use crate::directory::who::{Who, WhoForm, WhoUse};
use crate::identity::{Predecessor, folded_name};
use crate::keystore::KeystoreError;

/// From so many questions on, names are hashed; before that, comparing all of them is faster.
const HASHED_FROM: usize = 5;

/// The hash of every name, and its owner if only one person has it. Every person found is compared once more, so two names with
/// one hash cost a second look and nothing else.
#[derive(Default)]
pub(super) struct NameHashes {
    hasher: RandomState,
    owners: HashMap<u64, Option<RootId>>,
}

impl NameHashes {
    fn add(&mut self, name: &str, id: RootId) {
        let hash = self.hasher.hash_one(folded_name(name));
        let owner = self.owners.entry(hash).or_insert(Some(id));
        *owner = owner.filter(|known| *known == id);
    }

    fn owner(&self, name: &str) -> Option<RootId> {
        let hash = self.hasher.hash_one(folded_name(name));
        self.owners.get(&hash).copied().flatten()
    }
}

impl People {
    /// The only person with this name; the thousandth lookup costs no more than the fifth. The answer is a hint, to be compared by
    /// [`Names::has_name`].
    pub(in crate::directory) fn find_by_name(
        &self,
        name: &str,
    ) -> Result<Option<RootId>, KeystoreError> {
        if self.name_hashes.get().is_none() {
            if self.lookups.fetch_add(1, Ordering::Relaxed) + 1 < HASHED_FROM {
                return self.compare_all(name);
            }
            let mut hashes = NameHashes::default();
            self.each_name(|name, id| {
                if let Some(id) = id() {
                    hashes.add(name, id);
                }
            })?;
            self.name_hashes.get_or_init(|| hashes);
        }
        let hashes = self.name_hashes.get();
        Ok(hashes.and_then(|hashes| hashes.owner(name)))
    }

    fn compare_all(&self, name: &str) -> Result<Option<RootId>, KeystoreError> {
        let mut owners = Vec::new();
        let folded = folded_name(name);
        self.each_name(|name, id| {
            if folded_name(name) == folded && !owners.contains(&id()) {
                owners.push(id());
            }
        })?;
        Ok(match owners[..] {
            [Some(id)] => Some(id),
            _ => None,
        })
    }

    /// Every name with its owner.
    fn each_name(
        &self,
        mut each: impl FnMut(&str, &dyn Fn() -> Option<RootId>),
    ) -> Result<(), KeystoreError> {
        let Some(index) = self.index()? else {
            for names in self.names()? {
                each(&names.name, &|| Some(names.id));
            }
            return Ok(());
        };
        for card in self.active.iter().map(|person| &person.card) {
            each(card.name(), &|| Some(card.id()));
        }
        for contact in index.contacts() {
            if let Some(name) = contact.words().next() {
                each(name, &|| contact.id());
            }
        }
        Ok(())
    }

    /// A person's root key, and those that it replaced: what is said of any of them is said of the person.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn ids_of(&self, id: RootId) -> Result<Vec<RootId>, KeystoreError> {
        let person = self.with_id(id)?;
        let before = person.iter().flat_map(|person| person.card.replaces());
        let before = before.map(Predecessor::id);
        Ok(std::iter::once(id).chain(before).collect())
    }

    /// A contact by address, name or fingerprint. Among thousands the index is asked first, and then the files of all.
    ///
    /// # Errors
    /// [`DirectoryError::Unknown`], [`DirectoryError::Ambiguous`], and those of [`Who::parse`] and of the keystore.
    pub fn find_contact(&self, name: &str) -> Result<Person, DirectoryError> {
        let who = Who::parse(name, WhoUse::Contact)?;
        let verified = match who.form() {
            WhoForm::Fingerprint(_) => None,
            WhoForm::Address(address) => self.verified_at(address)?,
            _ => self.verified_called(name)?,
        };
        if let Some(id) = verified {
            return self.contact(id);
        }
        let id = match who.form() {
            WhoForm::Fingerprint(id) => Some(*id),
            WhoForm::Address(address) => self.quick_address_book()?.0.only_person(address),
            _ => self.find_by_name(name)?,
        };
        if let Some(person) = id.map(|id| self.with_id(id)).transpose()?.flatten() {
            let names = person.names();
            if person.trust != Trust::Me && match_one(&who, &[names]).is_ok() {
                return Ok(person);
            }
        }
        self.contact(match_one(&who, self.contact_names()?)?)
    }

    /// How much of the fingerprint tells somebody from everybody else in the keystore but who `is_same`. Where that cannot be
    /// read, a part is shown.
    pub(in crate::directory) fn distinction(
        &self,
        names: &Names,
        is_same: impl Fn(&RootId) -> bool,
    ) -> Distinction {
        let Ok(appearances) = self.appearances() else {
            return Distinction::Short;
        };
        let address = names.addresses.first().map_or("", String::as_str);
        appearances.distinction(names.id, (&names.name, address), is_same)
    }

    /// What everybody looks like; by the index, if there is one.
    fn appearances(&self) -> Result<&Appearances, KeystoreError> {
        if let Some(appearances) = self.appearances.get() {
            return Ok(appearances);
        }
        let mut all = Appearances::default();
        match self.index()? {
            None => {
                for names in self.names()? {
                    let address = names.addresses.first().map_or("", String::as_str);
                    all.add(names.id, &names.name, address);
                }
            }
            Some(index) => {
                for card in self.active.iter().map(|person| &person.card) {
                    all.add(card.id(), card.name(), &card.addresses()[0]);
                }
                for contact in index.contacts() {
                    let mut words = contact.words();
                    if let (Some(id), Some(name)) = (contact.id(), words.next()) {
                        all.add(id, name, words.next().unwrap_or_default());
                    }
                }
            }
        }
        Ok(self.appearances.get_or_init(|| all))
    }
}
