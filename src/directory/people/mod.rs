//! My identities and my contacts, as the keystore has them.

mod lookup;
mod person;
mod remembered;

use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use lookup::NameHashes;
pub use person::{Person, Signer, VerifiedParts};

use crate::crypto::KeyId;
use crate::crypto::signing::RootId;
use crate::directory::addresses::{AddressBook, ListedGroup};
use crate::directory::error::{DirectoryError, GroupChange};
use crate::directory::lookalike::{Appearances, Distinction};
use crate::directory::names::{Names, match_one};
use crate::directory::trust::Trust;
use crate::directory::who::{Who, WhoUse};
use crate::keystore::{ContactIndex, Group, GroupStanding, Keystore, KeystoreError, Standing};
use crate::pipeline::parallel_map;

/// From so many cards on they are read and verified by several threads.
const SHARED_FROM: usize = 16;

/// My identities, the default one first, and my contacts. Contacts are read when somebody is looked up.
pub struct People {
    keystore: Keystore,
    /// My identities that sign and are encrypted to.
    pub active: Vec<Person>,
    /// My identities that only open what was encrypted to them earlier.
    pub retired: Vec<Person>,
    /// Identities in the keystore that I have not adopted. They open what was encrypted to them, and are nobody I know.
    pub set_aside: Vec<Person>,
    /// What is wrong with identities whose cards cannot be read.
    identity_faults: Vec<KeystoreError>,
    unreadable_contacts: AtomicUsize,
    tell: Option<Tell>,
    names: OnceLock<Vec<Names>>,
    /// The keystore's index of names, if it has one: a hint.
    index: OnceLock<Option<ContactIndex>>,
    /// How many names were looked up.
    lookups: AtomicUsize,
    name_hashes: OnceLock<NameHashes>,
    appearances: OnceLock<Appearances>,
    address_book: OnceLock<AddressBook>,
    indexed_address_book: OnceLock<AddressBook>,
    /// Everybody who is or was known here, once that was asked.
    met: OnceLock<HashSet<RootId>>,
}

type Tell = Box<dyn Fn(&KeystoreError) + Send + Sync>;

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
        let identities = keystore.readable_identities()?;
        for stored in identities.found {
            let list = if stored.standing == Standing::Active {
                &mut active
            } else {
                &mut retired
            };
            list.push(me(stored.card));
        }
        let stranger = |card| Person::new(card, Trust::Unknown);
        let set_aside = keystore.readable_set_aside()?;
        let faults = identities.faults.into_iter().chain(set_aside.faults);
        Ok(Self {
            retired,
            set_aside: set_aside.found.into_iter().map(stranger).collect(),
            identity_faults: faults.collect(),
            ..Self::with_active(keystore, active)
        })
    }

    /// These people; `tell` is called with what is wrong with each identity and contact that cannot be read, when it is met. All
    /// others can be used.
    #[must_use]
    pub fn telling(self, tell: impl Fn(&KeystoreError) + Send + Sync + 'static) -> Self {
        self.identity_faults.iter().for_each(&tell);
        Self {
            tell: Some(Box::new(tell)),
            ..self
        }
    }

    /// What is wrong with those of my identities that cannot be read.
    #[must_use]
    pub fn identity_faults(&self) -> &[KeystoreError] {
        &self.identity_faults
    }

    /// Tells that somebody cannot be read, and whether the others can be used all the same.
    pub(in crate::directory) fn is_told(&self, fault: &KeystoreError) -> bool {
        if let Some(tell) = &self.tell {
            tell(fault);
        }
        fault.is_of_one_file()
    }

    /// How many contacts cannot be read, as far as their files were looked at.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn unreadable_contacts(&self) -> Result<usize, KeystoreError> {
        self.names()?;
        Ok(self.unreadable_contacts.load(Ordering::Relaxed))
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
            identity_faults: Vec::new(),
            unreadable_contacts: AtomicUsize::new(0),
            tell: None,
            names: OnceLock::new(),
            index: OnceLock::new(),
            lookups: AtomicUsize::new(0),
            name_hashes: OnceLock::new(),
            appearances: OnceLock::new(),
            address_book: OnceLock::new(),
            indexed_address_book: OnceLock::new(),
            met: OnceLock::new(),
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
        self.keystore.check_own()?;
        if !self.identity_faults.is_empty() {
            self.keystore.identities()?; // one that cannot be read may be the one that is meant
        }
        Ok(())
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
        let heads = self.keystore.readable_contact_heads()?;
        self.unreadable_contacts
            .store(heads.faults.len(), Ordering::Relaxed);
        for fault in &heads.faults {
            self.is_told(fault);
        }
        let names = self.after_mine(
            heads
                .found
                .iter()
                .map(|head| Names::of_contact(head.id, head.known_as()))
                .collect(),
        );
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

    /// The groups with an address.
    fn groups(&self) -> Result<Vec<ListedGroup>, KeystoreError> {
        let mut listed = Vec::new();
        for name in self.keystore.groups()? {
            let group = match self.keystore.group(&name) {
                Ok(Some(group)) => group,
                Ok(None) => continue,
                // It is an error where the group itself is meant.
                Err(fault) if self.is_told(&fault) => continue,
                Err(error) => return Err(error),
            };
            let is_known = self.keystore.group_standing(&name, &group)? == GroupStanding::Known;
            listed.extend(group.address.map(|address| ListedGroup {
                name,
                address,
                is_known,
            }));
        }
        Ok(listed)
    }

    /// A group whose members are meant: as this machine made it, or the user adopted it.
    ///
    /// # Errors
    /// [`DirectoryError::GroupNotAdopted`], [`DirectoryError::GroupOlder`], [`DirectoryError::NoSuchGroup`], [`DirectoryError::Group`].
    pub fn group(&self, name: &str) -> Result<Group, DirectoryError> {
        let read = self.keystore.known_group(name);
        let read = read.map_err(|source| DirectoryError::Group {
            name: name.to_owned(),
            source,
        })?;
        match read.ok_or_else(|| DirectoryError::NoSuchGroup(name.to_owned()))? {
            (group, GroupStanding::Known) => Ok(group),
            (_, GroupStanding::Older(latest)) => Err(DirectoryError::GroupOlder {
                name: name.to_owned(),
                latest: latest.created,
            }),
            (group, GroupStanding::Unknown(known)) => {
                Err(DirectoryError::GroupNotAdopted(Box::new(GroupChange::new(
                    name,
                    &group,
                    &known.unwrap_or_default(),
                    self,
                ))))
            }
        }
    }

    /// A group as it stands in the keystore's folder, to be shown.
    ///
    /// # Errors
    /// [`DirectoryError::NoSuchGroup`], [`DirectoryError::Group`].
    pub fn group_as_it_stands(&self, name: &str) -> Result<Group, DirectoryError> {
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
            claimed_name: None,
            address: None,
            verified: VerifiedParts {
                key: false,
                name: false,
                address: false,
            },
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
