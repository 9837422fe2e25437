//! My identities and my contacts, as the keystore has them.

mod lookup;

use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use serde::Serialize;

use lookup::NameHashes;

use crate::address::is_same_address;
use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::directory::addresses::AddressBook;
use crate::directory::error::DirectoryError;
use crate::directory::lookalike::{Appearances, Distinction};
use crate::directory::names::{Names, match_one};
use crate::directory::trust::Trust;
use crate::directory::who::{Who, WhoUse};
use crate::identity::Card;
use crate::keystore::{Contact, ContactIndex, Group, Keystore, KeystoreError, Standing};
use crate::pipeline::parallel_map;

/// From so many cards on they are read and verified by several threads.
const SHARED_FROM: usize = 16;

/// Somebody with a card.
#[derive(Clone)]
pub struct Person {
    /// The card.
    pub card: Card,
    /// How far it is trusted.
    pub trust: Trust,
    /// How many of its addresses count, from the first.
    pub counting: usize,
}

impl Person {
    /// Somebody with a card all of whose addresses count.
    #[must_use]
    pub fn new(card: Card, trust: Trust) -> Self {
        let counting = card.addresses().len();
        Self {
            card,
            trust,
            counting,
        }
    }

    fn of_contact(contact: Contact) -> Self {
        Self {
            counting: contact.counting(),
            trust: contact.trust.into(),
            card: contact.card,
        }
    }

    /// Whether the card carries this address, and it counts.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        let mut addresses = self.card.addresses()[..self.counting].iter();
        addresses.any(|known| is_same_address(known, address))
    }

    /// What the person can be named by.
    #[must_use]
    pub fn names(&self) -> Names {
        Names {
            counting: self.counting,
            ..Names::of_card(&self.card)
        }
    }

    /// This person as somebody who signed.
    #[must_use]
    pub fn signer(&self) -> Signer {
        Signer {
            id: self.card.id(),
            name: self.names().fit_name().map(str::to_owned),
            address: self.card.addresses().first().cloned(),
            trust: self.trust,
            distinction: Distinction::Name,
        }
    }
}

/// A key that signed, and what the keystore knows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signer {
    /// The root key.
    #[serde(serialize_with = "as_text")]
    pub id: RootId,
    /// The name on the card that the keystore has of it, unless it could be taken for something else.
    pub name: Option<String>,
    /// The first address on that card.
    pub address: Option<String>,
    /// How far it is trusted.
    pub trust: Trust,
    /// How much of the fingerprint is shown beside the name.
    #[serde(skip)]
    pub distinction: Distinction,
}

/// My identities, the default one first, and my contacts. Contacts are read when somebody is looked up.
pub struct People {
    keystore: Keystore,
    /// My identities that sign and are encrypted to.
    pub active: Vec<Person>,
    /// My identities that only open what was encrypted to them earlier.
    pub retired: Vec<Person>,
    /// Identities in the keystore that I have not adopted. They open what was encrypted to them, and are nobody I know.
    pub set_aside: Vec<Person>,
    names: OnceLock<Vec<Names>>,
    /// The keystore's index of names, if it has one: a hint.
    index: OnceLock<Option<ContactIndex>>,
    /// How many names were looked up.
    lookups: AtomicUsize,
    name_hashes: OnceLock<NameHashes>,
    appearances: OnceLock<Appearances>,
    address_book: OnceLock<AddressBook>,
    indexed_address_book: OnceLock<AddressBook>,
}

/// Where an answer comes from, which says how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::directory) enum LookupSource {
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
        let me = |card| Person::new(card, Trust::Me);
        let (mut active, mut retired) = (Vec::new(), Vec::new());
        for stored in keystore.identities()? {
            let list = if stored.standing == Standing::Active {
                &mut active
            } else {
                &mut retired
            };
            list.push(me(stored.card));
        }
        let stranger = |card| Person::new(card, Trust::Unknown);
        let set_aside = keystore.set_aside()?.into_iter().map(stranger).collect();
        Ok(Self {
            retired,
            set_aside,
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
            set_aside: Vec::new(),
            names: OnceLock::new(),
            index: OnceLock::new(),
            lookups: AtomicUsize::new(0),
            name_hashes: OnceLock::new(),
            appearances: OnceLock::new(),
            address_book: OnceLock::new(),
            indexed_address_book: OnceLock::new(),
        }
    }

    /// The keystore that they are read from.
    #[must_use]
    pub fn keystore(&self) -> &Keystore {
        &self.keystore
    }

    pub(in crate::directory) fn is_retired(&self, id: RootId) -> bool {
        self.retired.iter().any(|person| person.card.id() == id)
    }

    /// All of my identities: the active ones, then the retired ones.
    pub fn readers(&self) -> impl Iterator<Item = &Person> {
        self.active.iter().chain(&self.retired)
    }

    /// Everybody whose private keys are in the keystore: my identities, then those that I have not adopted.
    pub fn openers(&self) -> impl Iterator<Item = &Person> {
        self.readers().chain(&self.set_aside)
    }

    /// Finds out whether my identities are here as this machine remembers them, before anything is signed or encrypted in my
    /// name.
    ///
    /// # Errors
    /// [`DirectoryError::Keystore`].
    pub fn check_me(&self) -> Result<(), DirectoryError> {
        Ok(self.keystore.check_own()?)
    }

    /// One of my active identities, by address, name or fingerprint.
    ///
    /// # Errors
    /// [`DirectoryError::NotMine`]; [`DirectoryError::RetiredIdentity`] where a retired one has that name; and those of
    /// [`Who::parse`] and [`People::check_me`].
    pub fn my_identity(&self, name: &str) -> Result<&Person, DirectoryError> {
        self.check_me()?;
        let who = Who::parse(name, WhoUse::Own)?;
        let names: Vec<Names> = self.active.iter().map(Person::names).collect();
        let id = match_one(&who, &names).map_err(|error| {
            let retired: Vec<Names> = self.retired.iter().map(Person::names).collect();
            if match_one(&who, &retired).is_ok() {
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

    /// Everybody's mail addresses, and those of groups; by the index, if there is one.
    pub(in crate::directory) fn quick_address_book(
        &self,
    ) -> Result<(&AddressBook, LookupSource), KeystoreError> {
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
            address: None,
            trust: Some(self.remembered_trust(id))
                .filter(|trust| trust.blocks_use())
                .unwrap_or(Trust::Unknown),
            distinction: Distinction::Name,
        };
        let person = self.with_id(id).ok().flatten();
        person.map_or_else(unknown, |person| Signer {
            distinction: match person.trust {
                Trust::Me => Distinction::Name,
                _ => self.distinction(&person.names(), |_| false),
            },
            ..person.signer()
        })
    }
}

fn read_contact(keystore: &Keystore, id: RootId) -> Result<Option<Person>, KeystoreError> {
    Ok(keystore.contact(&id)?.map(Person::of_contact))
}

fn as_text<S: serde::Serializer>(id: &RootId, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(id)
}
