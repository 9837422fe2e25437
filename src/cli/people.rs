//! Who is who: my identities and my contacts, as the keystore has them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use encl::crypto::KeyId;
use encl::crypto::signing::RootId;
use encl::identity::{Card, fingerprint};
use encl::keystore::{
    ContactHead, ContactIndex, Group, IndexedContact, Keystore, KeystoreError, Standing,
};
use encl::pipeline::parallel_map;
use serde::Serialize;

use super::addressing::Directory;
use super::terminal::safe;
pub(crate) use super::trust::Trust;

/// From so many questions on names are hashed; before that, going through all is faster.
const HASHED_FROM: usize = 5;
/// From so many cards on they are read and verified by several threads.
const SHARED_FROM: usize = 16;

/// Somebody with a card.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) card: Card,
    pub(crate) trust: Trust,
}

impl Person {
    /// `Bob <bob@example.org>`, or the name alone where the address says the same.
    pub(crate) fn words(&self) -> String {
        words(
            self.card.name(),
            self.card.addresses().first().map(String::as_str),
        )
    }

    /// Whether this is a name or address on the card, whole and without regard to case.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let words = std::iter::once(self.card.name());
        words
            .chain(self.card.addresses().iter().map(String::as_str))
            .any(|word| is_same_word(word, name))
    }

    /// This person as somebody who signed.
    pub(crate) fn signer(&self) -> Signer {
        Signer {
            id: self.card.id(),
            name: Some(self.card.name().to_owned()),
            trust: self.trust,
        }
    }
}

/// `Bob <bob@example.org>`, or the name alone where the address says the same.
pub(crate) fn words(name: &str, address: Option<&str>) -> String {
    match address {
        Some(address) if address != name => format!("{} <{}>", safe(name), safe(address)),
        _ => safe(name),
    }
}

/// A key that signed, and what the keystore knows about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Signer {
    #[serde(serialize_with = "as_text")]
    pub(crate) id: RootId,
    pub(crate) name: Option<String>,
    pub(crate) trust: Trust,
}

impl Signer {
    /// "Alice (not verified yet)"
    pub(crate) fn words(&self) -> String {
        match (&self.name, self.trust) {
            (Some(name), Trust::Me) => format!("you ({})", safe(name)),
            (Some(name), trust) => format!("{} ({})", safe(name), trust.words()),
            (None, Trust::Unknown) => format!("an unknown key, {}", fingerprint(&self.id)),
            (None, trust) => format!(
                "a key ({}) of nobody here, {}",
                trust.words(),
                fingerprint(&self.id)
            ),
        }
    }
}

/// What somebody can be named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) id: RootId,
    pub(crate) name: String,
    pub(crate) addresses: Vec<String>,
}

impl Names {
    pub(crate) fn of_card(card: &Card) -> Self {
        Self {
            id: card.id(),
            name: card.name().to_owned(),
            addresses: card.addresses().to_vec(),
        }
    }

    fn of_contact(head: &ContactHead) -> Self {
        Self {
            id: head.id,
            name: head.name.clone(),
            addresses: head.addresses.clone(),
        }
    }

    fn of_index(contact: IndexedContact<'_>) -> Option<Self> {
        let mut words = contact.words().map(str::to_owned);
        Some(Self {
            id: contact.id()?,
            name: words.next()?,
            addresses: words.collect(),
        })
    }

    /// Where it stands in a list for people: by name, and in one order where two have the same.
    pub(crate) fn place(&self) -> (String, RootId) {
        (self.name.to_lowercase(), self.id)
    }

    /// Name and addresses.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.name).chain(self.addresses.iter().map(String::as_str))
    }

    /// `Bob <bob@example.org>`
    pub(crate) fn words(&self) -> String {
        words(&self.name, self.addresses.first().map(String::as_str))
    }
}

/// My identities, the default one first, and my contacts. Contacts are read when somebody is looked for by name.
pub(crate) struct People {
    keystore: Keystore,
    pub(crate) mine: Vec<Person>,
    /// Those of mine that are not used any more, but to open what was sealed to them.
    pub(crate) former: Vec<Person>,
    names: OnceLock<Vec<Names>>,
    /// The same by the keystore's index, if it has one: a hint.
    indexed: OnceLock<Option<ContactIndex>>,
    /// How often somebody was looked for by name.
    questions: AtomicUsize,
    called: OnceLock<Called>,
    /// Every mail address, and whose it is.
    directory: OnceLock<Directory>,
    indexed_directory: OnceLock<Directory>,
}

/// The hash of every name and address in small letters, and whose it is if only one has it. Whoever is found is looked at, so
/// two words that are hashed alike cost a second look and nothing else.
#[derive(Default)]
struct Called {
    hasher: RandomState,
    owners: HashMap<u64, Option<RootId>>,
}

impl Called {
    fn add(&mut self, word: &str, id: RootId) {
        let hash = self.hasher.hash_one(word.to_lowercase());
        let owner = self.owners.entry(hash).or_insert(Some(id));
        *owner = owner.filter(|known| *known == id);
    }

    fn owner(&self, name: &str) -> Option<RootId> {
        let hash = self.hasher.hash_one(name.to_lowercase());
        self.owners.get(&hash).copied().flatten()
    }
}

/// How sure an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// By the keystore's index: whoever is found has to be looked at, whoever is not has to be looked for.
    Index,
    /// By the contacts' own files.
    Files,
}

impl People {
    /// Reads my identities.
    pub(crate) fn read(keystore: Keystore) -> Result<Self, KeystoreError> {
        let me = |card| Person {
            card,
            trust: Trust::Me,
        };
        let (mut mine, mut former) = (Vec::new(), Vec::new());
        for stored in keystore.identities()? {
            let list = if stored.standing == Standing::Active {
                &mut mine
            } else {
                &mut former
            };
            list.push(me(stored.card));
        }
        Ok(Self {
            former,
            ..Self::of(keystore, mine)
        })
    }

    /// Nobody, where the keystore cannot be read and names are only a help.
    pub(crate) fn nobody(keystore: Keystore) -> Self {
        Self {
            names: OnceLock::from(Vec::new()),
            indexed: OnceLock::from(None),
            ..Self::of(keystore, Vec::new())
        }
    }

    fn of(keystore: Keystore, mine: Vec<Person>) -> Self {
        Self {
            keystore,
            mine,
            former: Vec::new(),
            names: OnceLock::new(),
            indexed: OnceLock::new(),
            questions: AtomicUsize::new(0),
            called: OnceLock::new(),
            directory: OnceLock::new(),
            indexed_directory: OnceLock::new(),
        }
    }

    /// All of mine that open envelopes: those that are used first, then the former ones.
    pub(crate) fn readers(&self) -> impl Iterator<Item = &Person> {
        self.mine.iter().chain(&self.former)
    }

    /// What everybody can be named by, me first.
    pub(crate) fn names(&self) -> Result<&[Names], KeystoreError> {
        if let Some(names) = self.names.get() {
            return Ok(names);
        }
        let heads = self.keystore.contact_heads()?;
        let names = self.with_mine(heads.iter().map(Names::of_contact).collect());
        Ok(self.names.get_or_init(|| names))
    }

    fn with_mine(&self, mut contacts: Vec<Names>) -> Vec<Names> {
        let mine = self.mine.iter().map(|person| Names::of_card(&person.card));
        contacts.sort_by_cached_key(Names::place);
        mine.chain(contacts).collect()
    }

    /// The keystore's index, unless there is none or the files were read already.
    fn index(&self) -> Result<Option<&ContactIndex>, KeystoreError> {
        if self.names.get().is_some() {
            return Ok(None);
        }
        if let Some(index) = self.indexed.get() {
            return Ok(index.as_ref());
        }
        let index = self.keystore.contact_index()?;
        Ok(self.indexed.get_or_init(|| index).as_ref())
    }

    /// The only one with this name or address, whole and without regard to case; the thousandth question costs no more than
    /// the fifth. By the index, if there is one: the answer has to be held against [`Person::is_called`].
    pub(crate) fn called(&self, name: &str) -> Result<Option<RootId>, KeystoreError> {
        if self.called.get().is_none() {
            if self.questions.fetch_add(1, Ordering::Relaxed) + 1 < HASHED_FROM {
                let mut owners = Vec::new();
                self.each_word(|word, id| {
                    if is_same_word(word, name) && !owners.contains(&id()) {
                        owners.push(id());
                    }
                })?;
                return Ok(match owners[..] {
                    [Some(id)] => Some(id),
                    _ => None,
                });
            }
            let mut called = Called::default();
            self.each_word(|word, id| {
                if let Some(id) = id() {
                    called.add(word, id);
                }
            })?;
            self.called.get_or_init(|| called);
        }
        Ok(self.called.get().and_then(|called| called.owner(name)))
    }

    /// Every name and address, and whose it is.
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
        for person in &self.mine {
            let names = Names::of_card(&person.card);
            names.all().for_each(|word| each(word, &|| Some(names.id)));
        }
        for contact in index.contacts() {
            contact
                .words()
                .for_each(|word| each(word, &|| contact.id()));
        }
        Ok(())
    }

    /// Who has which mail address, groups too; by the index, if there is one.
    pub(crate) fn quick_directory(&self) -> Result<(&Directory, Basis), KeystoreError> {
        let Some(index) = self.index()? else {
            return Ok((self.directory()?, Basis::Files));
        };
        if let Some(directory) = self.indexed_directory.get() {
            return Ok((directory, Basis::Index));
        }
        let names = self.with_mine(index.contacts().filter_map(Names::of_index).collect());
        let directory = Directory::new(&names, self.groups()?);
        let directory = self.indexed_directory.get_or_init(|| directory);
        Ok((directory, Basis::Index))
    }

    /// Who has which mail address, groups too.
    pub(crate) fn directory(&self) -> Result<&Directory, KeystoreError> {
        if let Some(directory) = self.directory.get() {
            return Ok(directory);
        }
        let directory = Directory::new(self.names()?, self.groups()?);
        Ok(self.directory.get_or_init(|| directory))
    }

    fn groups(&self) -> Result<Vec<(String, Group)>, KeystoreError> {
        let mut groups = Vec::new();
        for name in self.keystore.groups()? {
            groups.extend(self.keystore.group(&name)?.map(|group| (name, group)));
        }
        Ok(groups)
    }

    /// What my contacts can be named by.
    pub(crate) fn contact_names(&self) -> Result<&[Names], KeystoreError> {
        Ok(&self.names()?[self.mine.len()..])
    }

    /// Whoever has this root key.
    pub(crate) fn with_id(&self, id: RootId) -> Result<Option<Person>, KeystoreError> {
        if let Some(me) = self.readers().find(|person| person.card.id() == id) {
            return Ok(Some(me.clone()));
        }
        contact(&self.keystore, id)
    }

    /// Whoever has these root keys, in their order, each as what `turned` makes of it and of what was named beside it: many
    /// cards are read and verified by several threads, and none is kept.
    pub(crate) fn with_ids<N: Send, T: Send>(
        &self,
        ids: Vec<(RootId, N)>,
        turned: impl Fn(Person, N) -> T + Sync,
    ) -> Vec<Result<Option<T>, KeystoreError>> {
        let keystore = &self.keystore;
        parallel_map(ids, SHARED_FROM, |(id, named)| {
            let me = self.readers().find(|person| person.card.id() == id);
            let person = match me {
                Some(me) => Some(me.clone()),
                None => contact(keystore, id)?,
            };
            Ok(person.map(|person| turned(person, named)))
        })
    }

    /// What is remembered of a key whose card is not here. Where that cannot be read, the keystore cannot be read either, and
    /// whoever needs it is told so.
    pub(crate) fn remembered(&self, id: RootId) -> Trust {
        self.keystore
            .remembered_trust(&id)
            .map_or(Trust::Unverified, Trust::from)
    }

    /// Whether the private half of this key is mine.
    pub(crate) fn is_my_key(&self, key: KeyId) -> bool {
        let mut keys = self.readers().flat_map(|person| person.card.keys());
        keys.any(|mine| mine.public.key_id() == key)
    }

    /// What is known about a key that signed. Names come from the keystore, never from the envelope; a card that
    /// cannot be read names nobody.
    pub(crate) fn signer(&self, id: RootId) -> Signer {
        let unknown = || Signer {
            id,
            name: None,
            trust: Some(self.remembered(id))
                .filter(|trust| trust.stops())
                .unwrap_or(Trust::Unknown),
        };
        let person = self.with_id(id).ok().flatten();
        person.as_ref().map_or_else(unknown, Person::signer)
    }
}

fn contact(keystore: &Keystore, id: RootId) -> Result<Option<Person>, KeystoreError> {
    Ok(keystore.contact(&id)?.map(|contact| Person {
        trust: contact.trust.into(),
        card: contact.card,
    }))
}

/// Whether two are the same without regard to case.
fn is_same_word(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || !(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String never fails");
    }
    text
}

fn as_text<S: serde::Serializer>(id: &RootId, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(id)
}
