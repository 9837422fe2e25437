//! Gates: servers that are asked when an envelope is opened. Contacts of their own kind, found by a name or by their root key.
//!
//! What is asked of whom is not decided here. A gate's file names its address and its keys, so a file that anybody could have put
//! there counts only where this machine remembers it: see the module `memory`.

mod evidence;
mod gate_file;
mod leases;
mod memory;
mod repair;
mod sealed;

use std::cmp::Ordering;
use std::path::PathBuf;

pub use evidence::{EVIDENCE_MAX, Evidence};
pub use gate_file::{CA_BYTES_MAX, is_gate_name};
pub use leases::Lease;
pub use memory::{GateStanding, KeptOutcome};
pub use sealed::{KeptStatement, STATEMENTS_MAX, SealedWithGate};
pub(super) use sealed::{SEALED, SEALED_BYTES_MAX};

use super::folder::WriteLock;
use super::{Keystore, KeystoreError, Readable, folder};
use crate::atomic_file::Existing;
use crate::crypto::signing::RootId;
use crate::gate::card::GateCard;
use crate::time::Time;

pub(super) const GATES: &str = "gates";
/// A card and the certificates of its authority, both in base64, fit in.
const FILE_BYTES_MAX: u64 = 256 << 10;

/// A gate among the contacts.
#[derive(Clone, PartialEq, Eq)]
pub struct GateContact {
    /// What the user calls it.
    pub name: String,
    /// Its card.
    pub card: GateCard,
    /// When it was added.
    pub added: Time,
    /// The certificates (PEM) that its TLS certificate must come from; none: those of the web.
    pub ca: Option<String>,
    /// The serial of the card that it had when the user recorded that its operator has a copy of its keys.
    pub backed_up: Option<u64>,
}

impl GateContact {
    /// Whether its operator has a copy of all keys on its card. A newer card has newer keys.
    #[must_use]
    pub fn is_backed_up(&self) -> bool {
        self.backed_up == Some(self.card.serial())
    }

    /// Whether a user means this gate: by its name, or by its address with or without the scheme.
    #[must_use]
    pub fn is_called(&self, text: &str) -> bool {
        let folded = text.to_lowercase();
        let text = folded.strip_suffix('/').unwrap_or(&folded);
        let url = self.card.url();
        self.name.to_lowercase() == text || url.as_str() == text || place_of(&self.card) == text
    }
}

/// A gate that is to be added or changed.
#[derive(Clone, Copy)]
pub struct GateOffer<'a> {
    /// Its card.
    pub card: &'a GateCard,
    /// What to call it; `None` keeps the name that it has, or takes its address for one.
    pub name: Option<&'a str>,
    /// The certificates (PEM) of its authority; `None` keeps those that it has.
    pub ca: Option<&'a str>,
    /// Whether its operator has a copy of its keys; `false` keeps what was recorded.
    pub is_backed_up: bool,
}

/// What adding a gate changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateChange {
    /// It is new.
    New,
    /// It is known, and this card is a newer one.
    Updated,
    /// It is known, and this card sends the user to another address than the one before, which is this.
    Moved(String),
    /// It is known as it is.
    Known,
}

impl Keystore {
    /// All gates that can be read, in the order of their names, and what is wrong with the others.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn gates(&self) -> Result<Readable<GateContact>, KeystoreError> {
        let ids = self.gate_ids()?;
        let mut gates = Readable::of(ids.iter().map(|id| self.gate(id)));
        gates.found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(gates)
    }

    pub(super) fn gate_ids(&self) -> Result<Vec<RootId>, KeystoreError> {
        let names = self.names_in(GATES)?;
        let ids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
        Ok(ids.collect())
    }

    /// The gate with this root key, if it is a contact.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn gate(&self, id: &RootId) -> Result<Option<GateContact>, KeystoreError> {
        let path = self.gate_path(id);
        let Some(text) = folder::read_up_to(&path, FILE_BYTES_MAX)? else {
            return Ok(None);
        };
        let damaged = |what: String| KeystoreError::damaged(&path, &what);
        let gate = GateContact::from_text(&text).map_err(damaged)?;
        match gate.card.id() == *id {
            true => Ok(Some(gate)),
            false => Err(damaged("it is about another gate".to_owned())),
        }
    }

    /// What adding this gate would change.
    ///
    /// # Errors
    /// [`KeystoreError::GateName`]; [`KeystoreError::GateTaken`], where another gate has that name or address;
    /// [`KeystoreError::OlderGate`], [`KeystoreError::OtherGateCard`] against the card that is known.
    pub fn compare_gate(&self, offer: &GateOffer<'_>) -> Result<GateChange, KeystoreError> {
        self.plan_gate(offer).map(|(change, _)| change)
    }

    fn plan_gate(&self, offer: &GateOffer<'_>) -> Result<(GateChange, String), KeystoreError> {
        let card = offer.card;
        let known = match self.gate(&card.id()) {
            // What cannot be read is replaced; what this machine remembers of it still counts.
            Err(KeystoreError::Damaged { .. }) => None,
            known => known?,
        };
        let name = match (offer.name, &known) {
            (Some(name), _) => name.to_owned(),
            (None, Some(known)) => known.name.clone(),
            (None, None) => place_of(card).to_owned(),
        };
        if !is_gate_name(&name) {
            return Err(KeystoreError::GateName(name));
        }
        self.refuse_taken(&name, card)?;
        let before = known.as_ref().map(|known| &known.card);
        refuse_older(before, card)?;
        let remembered = self.remembered_gate(&card.id())?;
        let latest = remembered.as_ref().map_or(0, |fact| fact.serial);
        if latest > card.serial() {
            return Err(KeystoreError::OlderGate {
                known: latest,
                offered: card.serial(),
            });
        }
        let was_at = remembered.map(|fact| fact.url);
        let was_at = was_at.or_else(|| before.map(|before| before.url().to_string()));
        let change = match was_at {
            Some(url) if url != card.url().to_string() => GateChange::Moved(url),
            _ if known.is_none() => GateChange::New,
            _ if before == Some(card) => GateChange::Known,
            _ => GateChange::Updated,
        };
        Ok((change, name))
    }

    /// Two gates with one name or one address would be taken for each other.
    fn refuse_taken(&self, name: &str, card: &GateCard) -> Result<(), KeystoreError> {
        for other in self.gates()?.found {
            let is_other = other.card.id() != card.id();
            let is_same = other.name == name || other.card.url() == card.url();
            if is_other && is_same {
                return Err(KeystoreError::GateTaken {
                    name: other.name,
                    known: other.card.id(),
                    offered: card.id(),
                });
            }
        }
        Ok(())
    }

    /// Adds a gate, or updates it. The caller has asked where [`Keystore::compare_gate`] says that it moved: `change` is what the
    /// user agreed to.
    ///
    /// # Errors
    /// Those of [`Keystore::compare_gate`]; [`KeystoreError::Changed`], when that says something else now; and what the system
    /// refuses.
    pub fn accept_gate(
        &self,
        offer: &GateOffer<'_>,
        change: &GateChange,
        now: Time,
    ) -> Result<GateContact, KeystoreError> {
        let lock = self.lock()?;
        let (now_planned, name) = self.plan_gate(offer)?;
        if now_planned != *change {
            return Err(KeystoreError::Changed);
        }
        let known = self.gate(&offer.card.id()).ok().flatten();
        let ca = offer.ca.map(str::to_owned);
        let gate = GateContact {
            name,
            card: offer.card.clone(),
            added: known.as_ref().map_or(now, |known| known.added),
            backed_up: match offer.is_backed_up {
                true => Some(offer.card.serial()),
                false => known.as_ref().and_then(|known| known.backed_up),
            },
            ca: ca.or_else(|| known.and_then(|known| known.ca)),
        };
        self.make_gate(&lock, &gate)?;
        Ok(gate)
    }

    /// Writes a gate that the user trusts as it is. It is remembered first: after a kill in between, the file before is an older
    /// one, which is not asked.
    pub(super) fn make_gate(
        &self,
        lock: &WriteLock,
        gate: &GateContact,
    ) -> Result<(), KeystoreError> {
        self.remember_gate(lock, gate)?;
        self.write_gate(gate)
    }

    /// Writes a gate's file. One that this machine does not remember is not asked until the user adds it.
    pub(super) fn write_gate(&self, gate: &GateContact) -> Result<(), KeystoreError> {
        folder::make_folder(&self.root.join(GATES))?;
        let path = self.gate_path(&gate.card.id());
        folder::write(&path, &gate.to_text(), Existing::Replace)
    }

    /// Removes a gate: it is not asked any more. What was seen of its log stays remembered.
    ///
    /// # Errors
    /// [`KeystoreError::Unknown`], and what the system refuses.
    pub fn remove_gate(&self, id: &RootId) -> Result<(), KeystoreError> {
        let lock = self.lock()?;
        self.forget_gate(&lock, id)?;
        match folder::remove(&self.gate_path(id))? {
            true => Ok(()),
            false => Err(KeystoreError::Unknown("gate")),
        }
    }

    fn gate_path(&self, id: &RootId) -> PathBuf {
        self.root.join(GATES).join(id.to_string())
    }
}

/// The host of a gate, and the port if it is not the usual one.
fn place_of(card: &GateCard) -> &str {
    let url = card.url().as_str();
    url.split_once("//").map_or(url, |(_, place)| place)
}

fn refuse_older(known: Option<&GateCard>, card: &GateCard) -> Result<(), KeystoreError> {
    let Some(known) = known else { return Ok(()) };
    match known.serial().cmp(&card.serial()) {
        Ordering::Greater => Err(KeystoreError::OlderGate {
            known: known.serial(),
            offered: card.serial(),
        }),
        Ordering::Equal if known != card => Err(KeystoreError::OtherGateCard(card.serial())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
