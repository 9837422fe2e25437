//! My identities and my contacts, as the keystore has them.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use super::address_book::AddressBook;
use super::error::DirectoryError;
use super::names::{Names, match_one};
use super::trust::Trust;
use crate::address::{comparable, is_same_address};
use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::identity::Card;
use crate::keystore::{ContactIndex, Group, Keystore, KeystoreError, Standing};
use crate::pipeline::parallel_map;

/// From so many questions on names are hashed; before that, comparing all of them is faster.
const HASHED_FROM: usize = 5;
/// From so many cards on they are read and verified by several threads.
const SHARED_FROM: usize = 16;

/// Somebody with a card.
#[derive(Clone)]
pub struct Person {
    /// The card.
    pub card: Card,
    /// How far it is trusted.
    pub trust: Trust,
}

impl Person {
    /// Whether this is a name or address on the card, in full and without regard to case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let words = std::iter::once(self.card.name());
        words
            .chain(self.card.addresses().iter().map(String::as_str))
            .any(|word| is_same_address(word, name))
    }

    /// Whether the card carries this address.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        let mut addresses = self.card.addresses().iter();
        addresses.any(|known| is_same_address(known, address))
    }

    /// What the person can be named by.
    #[must_use]
    pub fn names(&self) -> Names {
        Names::of_card(&self.card)
    }

    /// This person as somebody who signed.
    #[must_use]
    pub fn signer(&self) -> Signer {
        Signer {
            id: self.card.id(),
            name: Some(self.card.name().to_owned()),
            trust: self.trust,
        }
    }
}

/// A key that signed, and what the keystore knows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// The root key.
    #[serde(serialize_with = "as_text")]
    pub id: RootId,
    /// The name on the card that the keystore has of it.
    pub name: Option<String>,
    /// How far it is trusted.
    pub trust: Trust,
}

/// My identities, the default one first, and my contacts. Contacts are read when somebody is looked up.
pub struct People {
    keystore: Keystore,
    /// My identities that sign and are encrypted to.
    pub active: Vec<Person>,
    /// My identities that only open what was encrypted to them earlier.
    pub retired: Vec<Person>,
    names: OnceLock<Vec<Names>>,
    /// The keystore's index of names, if it has one: a hint.
    index: OnceLock<Option<ContactIndex>>,
    /// How many names were looked up.
    lookups: AtomicUsize,
    name_hashes: OnceLock<NameHashes>,
    address_book: OnceLock<AddressBook>,
    indexed_address_book: OnceLock<AddressBook>,
}

/// The hash of every name and address, and its owner if only one person has it. Every person found is compared once more, so two
/// words with one hash cost a second look and nothing else.
#[derive(Default)]
struct NameHashes {
    hasher: RandomState,
    owners: HashMap<u64, Option<RootId>>,
}

impl NameHashes {
    fn add(&mut self, word: &str, id: RootId) {
        let hash = self.hasher.hash_one(&*comparable(word));
        let owner = self.owners.entry(hash).or_insert(Some(id));
        *owner = owner.filter(|known| *known == id);
    }

    fn owner(&self, name: &str) -> Option<RootId> {
        let hash = self.hasher.hash_one(&*comparable(name));
        self.owners.get(&hash).copied().flatten()
    }
}

/// Where an answer comes from, which says how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookupSource {
    /// The keystore's index: a person found there has to be compared with the card, a missing one looked up in the files.
    Index,
    /// The contacts' own files.
    Files,
}

impl People {
    /// Reads my identities.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn read(keystore: Keystore) -> Result<Self, KeystoreError> {
        let me = |card| Person {
            card,
            trust: Trust::Me,
        };
        let (mut active, mut retired) = (Vec::new(), Vec::new());
        for stored in keystore.identities()? {
            let list = if stored.standing == Standing::Active {
                &mut active
            } else {
                &mut retired
            };
            list.push(me(stored.card));
        }
        Ok(Self {
            retired,
            ..Self::with_active(keystore, active)
        })
    }

    /// Nobody, where the keystore cannot be read and names are only a help.
    #[must_use]
    pub fn nobody(keystore: Keystore) -> Self {
        Self {
            names: OnceLock::from(Vec::new()),
            index: OnceLock::from(None),
            ..Self::with_active(keystore, Vec::new())
        }
    }

    fn with_active(keystore: Keystore, active: Vec<Person>) -> Self {
        Self {
            keystore,
            active,
            retired: Vec::new(),
            names: OnceLock::new(),
            index: OnceLock::new(),
            lookups: AtomicUsize::new(0),
            name_hashes: OnceLock::new(),
            address_book: OnceLock::new(),
            indexed_address_book: OnceLock::new(),
        }
    }

    /// The keystore that they are read from.
    #[must_use]
    pub fn keystore(&self) -> &Keystore {
        &self.keystore
    }

    /// All of my identities that open envelopes: the active ones, then the retired ones.
    pub fn readers(&self) -> impl Iterator<Item = &Person> {
        self.active.iter().chain(&self.retired)
    }

    /// One of my active identities, by address, name or fingerprint.
    ///
    /// # Errors
    /// [`DirectoryError::NotMine`]; [`DirectoryError::RetiredIdentity`] where a retired one has that name.
    pub fn my_identity(&self, name: &str) -> Result<&Person, DirectoryError> {
        let names: Vec<Names> = self.active.iter().map(Person::names).collect();
        let id = match_one(name, &names).map_err(|error| {
            let retired: Vec<Names> = self.retired.iter().map(Person::names).collect();
            if match_one(name, &retired).is_ok() {
                return DirectoryError::RetiredIdentity(name.to_owned());
            }
            DirectoryError::NotMine {
                reason: Box::new(error),
                has_identities: !self.active.is_empty(),
            }
        })?;
        let person = self.active.iter().find(|person| person.card.id() == id);
        Ok(person.expect("the names were theirs"))
    }

    /// What everybody can be named by, me first.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn names(&self) -> Result<&[Names], KeystoreError> {
        if let Some(names) = self.names.get() {
            return Ok(names);
        }
        let heads = self.keystore.contact_heads()?;
        let names = self.after_mine(heads.iter().map(Names::of_contact).collect());
        Ok(self.names.get_or_init(|| names))
    }

    fn after_mine(&self, mut contacts: Vec<Names>) -> Vec<Names> {
        let mine = self.active.iter().map(Person::names);
        contacts.sort_by_cached_key(Names::sort_key);
        mine.chain(contacts).collect()
    }

    /// What my contacts can be named by.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn contact_names(&self) -> Result<&[Names], KeystoreError> {
        Ok(&self.names()?[self.active.len()..])
    }

    /// The keystore's index, unless there is none or the files were read already.
    fn index(&self) -> Result<Option<&ContactIndex>, KeystoreError> {
        if self.names.get().is_some() {
            return Ok(None);
        }
        if let Some(index) = self.index.get() {
            return Ok(index.as_ref());
        }
        let index = self.keystore.contact_index()?;
        Ok(self.index.get_or_init(|| index).as_ref())
    }

    /// The only person with this name or address, in full and without regard to case; the thousandth lookup costs no more than
    /// the fifth. With an index the answer is a hint, to be compared by [`Person::is_called`].
    pub(super) fn find_by_name(&self, name: &str) -> Result<Option<RootId>, KeystoreError> {
        if self.name_hashes.get().is_none() {
            if self.lookups.fetch_add(1, Ordering::Relaxed) + 1 < HASHED_FROM {
                return self.compare_all(name);
            }
            let mut hashes = NameHashes::default();
            self.each_word(|word, id| {
                if let Some(id) = id() {
                    hashes.add(word, id);
                }
            })?;
            self.name_hashes.get_or_init(|| hashes);
        }
        let hashes = self.name_hashes.get();
        Ok(hashes.and_then(|hashes| hashes.owner(name)))
    }

    fn compare_all(&self, name: &str) -> Result<Option<RootId>, KeystoreError> {
        let mut owners = Vec::new();
        self.each_word(|word, id| {
            if is_same_address(word, name) && !owners.contains(&id()) {
                owners.push(id());
            }
        })?;
        Ok(match owners[..] {
            [Some(id)] => Some(id),
            _ => None,
        })
    }

    /// Every name and address with its owner.
    fn each_word(
        &self,
        mut each: impl FnMut(&str, &dyn Fn() -> Option<RootId>),
    ) -> Result<(), KeystoreError> {
        let Some(index) = self.index()? else {
            for names in self.names()? {
                names.all().for_each(|word| each(word, &|| Some(names.id)));
            }
            return Ok(());
        };
        for names in self.active.iter().map(Person::names) {
            names.all().for_each(|word| each(word, &|| Some(names.id)));
        }
        for contact in index.contacts() {
            contact
                .words()
                .for_each(|word| each(word, &|| contact.id()));
        }
        Ok(())
    }

    /// Everybody's mail addresses, and those of groups; by the index, if there is one.
    pub(super) fn quick_address_book(&self) -> Result<(&AddressBook, LookupSource), KeystoreError> {
        let Some(index) = self.index()? else {
            return Ok((self.address_book()?, LookupSource::Files));
        };
        if let Some(book) = self.indexed_address_book.get() {
            return Ok((book, LookupSource::Index));
        }
        let names = self.after_mine(index.contacts().filter_map(Names::of_index).collect());
        let book = AddressBook::new(&names, self.groups()?);
        let book = self.indexed_address_book.get_or_init(|| book);
        Ok((book, LookupSource::Index))
    }

    /// Everybody's mail addresses, and those of groups.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn address_book(&self) -> Result<&AddressBook, KeystoreError> {
        if let Some(book) = self.address_book.get() {
            return Ok(book);
        }
        let book = AddressBook::new(self.names()?, self.groups()?);
        Ok(self.address_book.get_or_init(|| book))
    }

    fn groups(&self) -> Result<Vec<(String, Group)>, KeystoreError> {
        let mut groups = Vec::new();
        for name in self.keystore.groups()? {
            groups.extend(self.keystore.group(&name)?.map(|group| (name, group)));
        }
        Ok(groups)
    }

    /// A group of the keystore.
    ///
    /// # Errors
    /// [`DirectoryError::NoSuchGroup`], [`DirectoryError::Group`].
    pub fn group(&self, name: &str) -> Result<Group, DirectoryError> {
        let group = self
            .keystore
            .group(name)
            .map_err(|source| DirectoryError::Group {
                name: name.to_owned(),
                source,
            })?;
        group.ok_or_else(|| DirectoryError::NoSuchGroup(name.to_owned()))
    }

    /// The person with this root key.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn with_id(&self, id: RootId) -> Result<Option<Person>, KeystoreError> {
        if let Some(me) = self.readers().find(|person| person.card.id() == id) {
            return Ok(Some(me.clone()));
        }
        read_contact(&self.keystore, id)
    }

    /// The contact with this root key.
    ///
    /// # Errors
    /// [`DirectoryError::ContactGone`], and those of the keystore.
    pub fn contact(&self, id: RootId) -> Result<Person, DirectoryError> {
        self.with_id(id)?.ok_or(DirectoryError::ContactGone)
    }

    /// A contact by address, name or fingerprint. Among thousands the index is asked first, and then the files of all.
    ///
    /// # Errors
    /// [`DirectoryError::Unknown`], [`DirectoryError::Ambiguous`], and those of the keystore.
    pub fn find_contact(&self, name: &str) -> Result<Person, DirectoryError> {
        if let Some(id) = self.find_by_name(name)? {
            let person = self.contact(id)?;
            if person.trust != Trust::Me && person.is_called(name) {
                return Ok(person);
            }
        }
        self.contact(match_one(name, self.contact_names()?)?)
    }

    /// The people with these root keys, in that order, each turned into what `convert` makes of it and of the value beside its
    /// key. Many cards are read and verified by several threads, and no card is kept.
    pub fn with_ids<N: Send, T: Send>(
        &self,
        ids: Vec<(RootId, N)>,
        convert: impl Fn(Person, N) -> T + Sync,
    ) -> Vec<Result<Option<T>, KeystoreError>> {
        let keystore = &self.keystore;
        parallel_map(ids, SHARED_FROM, |(id, value)| {
            let me = self.readers().find(|person| person.card.id() == id);
            let person = match me {
                Some(me) => Some(me.clone()),
                None => read_contact(keystore, id)?,
            };
            Ok(person.map(|person| convert(person, value)))
        })
    }

    /// The trust that is remembered of a key whose card is not here. Where that cannot be read, the keystore cannot be read
    /// either, which is an error at every other place.
    #[must_use]
    pub fn remembered_trust(&self, id: RootId) -> Trust {
        self.keystore
            .remembered_trust(&id)
            .map_or(Trust::Unverified, Trust::from)
    }

    /// Whether the private half of this key is mine.
    #[must_use]
    pub fn is_my_key(&self, key: KeyId) -> bool {
        let mut keys = self.readers().flat_map(|person| person.card.keys());
        keys.any(|mine| mine.public.key_id() == key)
    }

    /// What is known about a key that signed. The name comes from the keystore, never from the envelope; a card that cannot be
    /// read gives none.
    #[must_use]
    pub fn signer(&self, id: RootId) -> Signer {
        let unknown = || Signer {
            id,
            name: None,
            trust: Some(self.remembered_trust(id))
                .filter(|trust| trust.blocks_use())
                .unwrap_or(Trust::Unknown),
        };
        let person = self.with_id(id).ok().flatten();
        person.as_ref().map_or_else(unknown, Person::signer)
    }
}

fn read_contact(keystore: &Keystore, id: RootId) -> Result<Option<Person>, KeystoreError> {
    Ok(keystore.contact(&id)?.map(|contact| Person {
        trust: contact.trust.into(),
        card: contact.card,
    }))
}

fn as_text<S: serde::Serializer>(id: &RootId, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(id)
}
