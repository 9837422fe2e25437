//! `people/ID`: what the user decided about the key of a contact, and for which name and addresses it was verified.

use std::path::Path;

use serde::Serialize;

use super::super::KeystoreError;
use super::super::contact_file::NameMembers;
use super::super::trust::{Members, Trust, TrustRecord, WrittenMembers};
use super::facts::Facts;
use super::verified_for;
use crate::address::is_same_address;
use crate::crypto::signing::RootId;
use crate::json::{Error, Text};

/// What is known about keys of contacts. Names and addresses of a card are at most a part of this long.
pub(super) const PEOPLE: Facts<PersonFact> = Facts {
    folder: "people",
    bytes_max: 64 << 10,
    parse,
};

/// What this machine knows about the key of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct PersonFact {
    pub(in super::super) trust: Trust,
    /// Whether a file of the keystore said so: nobody decided it on this machine.
    pub(in super::super) noted: bool,
    /// What the key was verified for. `None` also for one that an earlier version verified.
    pub(in super::super) verified_as: Option<VerifiedAs>,
    /// The highest serial that a card of a verified key had.
    pub(in super::super) serial: u32,
}

/// What a key was verified for. A name or an address that a later card adds was compared with nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VerifiedAs {
    /// The name that the card had.
    pub name: String,
    /// The addresses that were compared.
    pub addresses: Vec<String>,
}

impl VerifiedAs {
    /// Whether the key was verified for this address.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        let mut addresses = self.addresses.iter();
        addresses.any(|known| is_same_address(known, address))
    }
}

impl VerifiedAs {
    /// All but one address; `None` if none is left.
    pub(in super::super) fn without(mut self, address: &str) -> Option<Self> {
        self.addresses
            .retain(|known| !is_same_address(known, address));
        Some(self).filter(|known| !known.addresses.is_empty())
    }
}

impl PersonFact {
    /// A decision about a key of which nothing else is known.
    pub(in super::super) fn new(trust: Trust) -> Self {
        Self {
            trust,
            noted: false,
            verified_as: None,
            serial: 0,
        }
    }

    /// Whether it was verified before names and addresses were remembered.
    pub(super) fn is_pending(&self) -> bool {
        matches!(self.trust, Trust::Verified(_)) && self.verified_as.is_none()
    }

    /// This key after another decision. Who is unverified again is so for everything; who is stopped keeps the name and the
    /// addresses, so that nobody else takes them meanwhile.
    pub(in super::super) fn decided(self, trust: Trust) -> Self {
        match trust {
            Trust::Own | Trust::Unverified | Trust::Unproven => Self::new(trust),
            _ => Self {
                trust,
                noted: false,
                ..self
            },
        }
    }
}

/// The line, as it is written.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    trust: WrittenMembers,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    noted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<u32>,
    #[serde(flatten)]
    verified_as: Option<&'a VerifiedAs>,
}

/// Writes a fact in place of `before`. What leads to it is there first, and goes last. The caller holds the lock.
pub(super) fn write(
    state: &Path,
    id: &RootId,
    before: Option<&VerifiedAs>,
    fact: &PersonFact,
) -> Result<(), KeystoreError> {
    let after = fact.verified_as.as_ref();
    verified_for::lead_to(state, id, after)?;
    let line = Line {
        trust: WrittenMembers::of(&TrustRecord::new(fact.trust)),
        noted: fact.noted,
        serial: fact.verified_as.is_some().then_some(fact.serial),
        verified_as: fact.verified_as.as_ref(),
    };
    PEOPLE.write(state, id, &line)?;
    verified_for::forget(state, id, before, after)
}

/// Reads a name and addresses, as a backup has them.
pub(super) fn verified_as(text: &str) -> Result<VerifiedAs, Error> {
    let mut members = NameMembers::default();
    Text::check(text.as_bytes())?.object(|name, value| match members.take(name, value)? {
        true => Ok(()),
        false => Err(Error::unknown(name)),
    })?;
    names(members)?.ok_or_else(|| Error::missing("name"))
}

fn names(members: NameMembers) -> Result<Option<VerifiedAs>, Error> {
    match (members.name, members.addresses) {
        (Some(name), Some(addresses)) => Ok(Some(VerifiedAs { name, addresses })),
        (None, None) => Ok(None),
        (None, _) => Err(Error::missing("name")),
        (_, None) => Err(Error::missing("addresses")),
    }
}

fn parse(line: &[u8]) -> Result<PersonFact, Error> {
    let (mut trust, mut person) = (Members::default(), NameMembers::default());
    let (mut noted, mut serial) = (false, 0);
    Text::check(line)?.object(|name, value| {
        match name {
            "noted" => noted = value.boolean()?,
            "serial" => {
                let number = u32::try_from(value.number()?);
                serial = number.map_err(|_| Error::over_limit("serial"))?;
            }
            other => {
                if !person.take(other, value)? && !trust.take(other, value)? {
                    return Err(Error::unknown(other));
                }
            }
        }
        Ok(())
    })?;
    Ok(PersonFact {
        trust: trust.record()?.trust,
        noted,
        verified_as: names(person)?,
        serial,
    })
}
