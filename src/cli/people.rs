//! Who is who: my identities and my contacts, as the keystore has them.

use std::fmt::Write as _;

use encl::crypto::KeyId;
use encl::crypto::signing::RootId;
use encl::identity::{Card, fingerprint};
use serde::Serialize;

use super::terminal::safe;

/// How far a name can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Trust {
    /// One of my identities.
    Me,
    /// A contact whose fingerprint was compared.
    Verified,
    /// A contact whose fingerprint was never compared.
    Unverified,
    /// No card of this key is in the keystore.
    Unknown,
}

/// Somebody with a card.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) card: Card,
    pub(crate) trust: Trust,
}

impl Person {
    /// `Bob <bob@example.org>`, or the address alone where the name says the same.
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
            (Some(name), Trust::Verified) => format!("{} (verified)", safe(name)),
            (Some(name), _) => format!("{} (not verified yet)", safe(name)),
            (None, _) => format!("an unknown key, {}", fingerprint(&self.id)),
        }
    }
}

/// My identities and my contacts.
#[derive(Default)]
pub(crate) struct People {
    /// The default one first.
    pub(crate) mine: Vec<Person>,
    pub(crate) contacts: Vec<Person>,
}

impl People {
    /// Everybody, me first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Person> {
        self.mine.iter().chain(&self.contacts)
    }

    /// Whoever has this root key.
    pub(crate) fn with_id(&self, id: RootId) -> Option<&Person> {
        self.all().find(|person| person.card.id() == id)
    }

    /// Whether the private half of this key is mine.
    pub(crate) fn is_my_key(&self, key: KeyId) -> bool {
        let mut keys = self.mine.iter().flat_map(|person| person.card.keys());
        keys.any(|mine| mine.public.key_id() == key)
    }

    /// What is known about a key that signed. Names come from the keystore, never from the envelope.
    pub(crate) fn signer(&self, id: RootId) -> Signer {
        let unknown = || Signer {
            id,
            name: None,
            trust: Trust::Unknown,
        };
        self.with_id(id).map_or_else(unknown, Person::signer)
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String never fails");
    }
    text
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
fn as_text<S: serde::Serializer>(id: &RootId, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(id)
}
