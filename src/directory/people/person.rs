//! Somebody with a card: how they are called here, and what was compared with them.

use serde::Serialize;

use crate::crypto::signing::RootId;
use crate::directory::lookalike::Distinction;
use crate::directory::names::Names;
use crate::directory::trust::Trust;
use crate::identity::Card;
use crate::keystore::Contact;

/// Somebody with a card.
#[derive(Clone)]
pub struct Person {
    /// The card.
    pub card: Card,
    /// How far it is trusted.
    pub trust: Trust,
    /// What it can be named by.
    names: Names,
    /// For what the key was compared.
    verified: VerifiedParts,
    /// Whether it is called as it was once verified, whatever its card says.
    keeps_names: bool,
}

/// What was compared with its owner: a key, and then perhaps the name and the address that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct VerifiedParts {
    /// The key.
    pub key: bool,
    /// The name.
    pub name: bool,
    /// The first address.
    pub address: bool,
}

impl Person {
    /// Somebody with a card all of whose addresses count.
    #[must_use]
    pub fn new(card: Card, trust: Trust) -> Self {
        let is_me = trust == Trust::Me;
        Self {
            names: Names::of_card(&card),
            card,
            trust,
            verified: VerifiedParts {
                key: is_me,
                name: is_me,
                address: is_me,
            },
            keeps_names: false,
        }
    }

    /// Somebody with a card of whose addresses only so many count, from the first.
    pub(in crate::directory) fn with_counting(card: Card, trust: Trust, counting: usize) -> Self {
        let mut person = Self::new(card, trust);
        person.names.counting = counting.min(person.names.addresses.len());
        person
    }

    /// A contact.
    #[must_use]
    pub fn of_contact(contact: Contact) -> Self {
        let (trust, known) = (Trust::from(contact.trust), contact.known_as());
        let key = trust == Trust::Verified;
        // One that an earlier version verified counts as verified for what its card says.
        let address = match &contact.verified_as {
            Some(verified_as) => !verified_as.addresses.is_empty(),
            None => true,
        };
        Self {
            names: Names::of_contact(contact.card.id(), known),
            card: contact.card,
            trust,
            verified: VerifiedParts {
                key,
                name: key,
                address: key && address,
            },
            keeps_names: contact.verified_as.is_some(),
        }
    }

    /// The same person with a later card, whose additions nobody looked at.
    pub(in crate::directory) fn with_later_card(self, card: Card) -> Self {
        let later = Names::of_card(&card);
        let names = match self.keeps_names {
            true => self.names,
            false => Names {
                counting: self.names.counting.min(later.addresses.len()),
                ..later
            },
        };
        Self {
            card,
            names,
            ..self
        }
    }

    /// Whether this address counts as the person's.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        self.names.has_address(address)
    }

    /// What the person can be named by.
    #[must_use]
    pub fn names(&self) -> Names {
        self.names.clone()
    }

    /// This person as somebody who signed.
    #[must_use]
    pub fn signer(&self) -> Signer {
        Signer {
            id: self.card.id(),
            name: self.names.fit_name().map(str::to_owned),
            claimed_name: self.names.claimed_name.clone(),
            address: self.names.addresses.first().cloned(),
            trust: self.trust,
            verified: self.verified,
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
    /// Another name that the card of a verified contact says now.
    #[serde(skip)]
    pub claimed_name: Option<String>,
    /// The first address on that card; of a verified contact the first for which it was verified.
    pub address: Option<String>,
    /// How far it is trusted.
    pub trust: Trust,
    /// What was compared with its owner.
    pub verified: VerifiedParts,
    /// How much of the fingerprint is shown beside the name.
    #[serde(skip)]
    pub distinction: Distinction,
}

fn as_text<S: serde::Serializer>(id: &RootId, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(id)
}
