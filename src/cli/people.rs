//! Who is who: my identities and my contacts, as the keystore has them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

use encl::crypto::KeyId;
use encl::crypto::signing::RootId;
use encl::identity::{Card, fingerprint};
use encl::keystore::{ContactHead, Keystore, KeystoreError};
use serde::Serialize;

use super::addressing::Directory;
use super::terminal::safe;

/// How far a name can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trust {
    /// One of my identities.
    Me,
    /// A contact whose fingerprint was never compared.
    Unverified,
    /// No card of this key is in the keystore.
    Unknown,
}

impl From<encl::keystore::Trust> for Trust {
    fn from(trust: encl::keystore::Trust) -> Self {
        match trust {
            encl::keystore::Trust::Own => Self::Me,
            _ => Self::Unverified,
        }
    }
}

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
            (Some(name), _) => format!("{} (not verified yet)", safe(name)),
            (None, _) => format!("an unknown key, {}", fingerprint(&self.id)),
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
    names: OnceLock<Vec<Names>>,
    /// Every name and address in small letters, and whose it is.
    index: OnceLock<HashMap<String, Vec<RootId>>>,
    /// Every mail address, and whose it is.
    directory: OnceLock<Directory>,
}

impl People {
    /// Reads my identities.
    pub(crate) fn read(keystore: Keystore) -> Result<Self, KeystoreError> {
        let me = |card| Person {
            card,
            trust: Trust::Me,
        };
        let mine = keystore
            .identities()?
            .into_iter()
            .map(|stored| me(stored.card))
            .collect();
        Ok(Self {
            keystore,
            mine,
            names: OnceLock::new(),
            index: OnceLock::new(),
            directory: OnceLock::new(),
        })
    }

    /// Nobody, where the keystore cannot be read and names are only a help.
    pub(crate) fn nobody(keystore: Keystore) -> Self {
        Self {
            keystore,
            mine: Vec::new(),
            names: OnceLock::from(Vec::new()),
            index: OnceLock::new(),
            directory: OnceLock::new(),
        }
    }

    /// What everybody can be named by, me first.
    pub(crate) fn names(&self) -> Result<&[Names], KeystoreError> {
        if let Some(names) = self.names.get() {
            return Ok(names);
        }
        let mine = self.mine.iter().map(|person| Names::of_card(&person.card));
        let heads = self.keystore.contact_heads()?;
        let mut contacts: Vec<Names> = heads.iter().map(Names::of_contact).collect();
        contacts.sort_by_key(Names::place);
        let names = mine.chain(contacts).collect();
        Ok(self.names.get_or_init(|| names))
    }

    /// Everybody with this name or address, whole and without regard to case; the thousandth question costs no more
    /// than the second.
    pub(crate) fn called(&self, name: &str) -> Result<&[RootId], KeystoreError> {
        let names = self.names()?;
        let index = self.index.get_or_init(|| index(names));
        Ok(index.get(&name.to_lowercase()).map_or(&[], Vec::as_slice))
    }

    /// Who has which mail address, groups too.
    pub(crate) fn directory(&self) -> Result<&Directory, KeystoreError> {
        if let Some(directory) = self.directory.get() {
            return Ok(directory);
        }
        let mut groups = Vec::new();
        for name in self.keystore.groups()? {
            groups.extend(self.keystore.group(&name)?.map(|group| (name, group)));
        }
        let directory = Directory::new(self.names()?, groups);
        Ok(self.directory.get_or_init(|| directory))
    }

    /// What my contacts can be named by.
    pub(crate) fn contact_names(&self) -> Result<&[Names], KeystoreError> {
        Ok(&self.names()?[self.mine.len()..])
    }

    /// Whoever has this root key.
    pub(crate) fn with_id(&self, id: RootId) -> Result<Option<Person>, KeystoreError> {
        if let Some(me) = self.mine.iter().find(|person| person.card.id() == id) {
            return Ok(Some(me.clone()));
        }
        let contact = self.keystore.contact(&id)?;
        Ok(contact.map(|contact| Person {
            trust: contact.trust.into(),
            card: contact.card,
        }))
    }

    /// Whether the private half of this key is mine.
    pub(crate) fn is_my_key(&self, key: KeyId) -> bool {
        let mut keys = self.mine.iter().flat_map(|person| person.card.keys());
        keys.any(|mine| mine.public.key_id() == key)
    }

    /// What is known about a key that signed. Names come from the keystore, never from the envelope; a card that
    /// cannot be read names nobody.
    pub(crate) fn signer(&self, id: RootId) -> Signer {
        let unknown = || Signer {
            id,
            name: None,
            trust: Trust::Unknown,
        };
        let person = self.with_id(id).ok().flatten();
        person.as_ref().map_or_else(unknown, Person::signer)
    }
}

fn index(everybody: &[Names]) -> HashMap<String, Vec<RootId>> {
    let mut index: HashMap<String, Vec<RootId>> = HashMap::new();
    for names in everybody {
        for word in names.all() {
            let ids = index.entry(word.to_lowercase()).or_default();
            if !ids.contains(&names.id) {
                ids.push(names.id);
            }
        }
    }
    index
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
