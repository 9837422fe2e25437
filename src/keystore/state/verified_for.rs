//! `addresses/HASH` and `names/HASH`: whose keys were verified for an address or a name.
//!
//! They lead to `people/ID`, which decides: they are written before it, and mean nothing where it disagrees.

use std::path::Path;

use super::super::{Keystore, KeystoreError};
use super::facts::Facts;
use super::people::VerifiedAs;
use crate::address::{Address, comparable};
use crate::crypto::kdf;
use crate::crypto::signing::RootId;
use crate::identity::folded_name;
use crate::json::{Error, Text};

/// More people of one name are not remembered: no name means one of them.
const OWNERS_MAX: usize = 1024;

const ADDRESSES: Facts<Vec<RootId>> = owners_in("addresses");
const NAMES: Facts<Vec<RootId>> = owners_in("names");

const fn owners_in(folder: &'static str) -> Facts<Vec<RootId>> {
    Facts {
        folder,
        bytes_max: 64 << 10,
        parse,
    }
}

impl Keystore {
    /// The keys that were verified for this address on this machine, whether their cards are in this keystore or not.
    ///
    /// # Errors
    /// [`KeystoreError`], when the state cannot be read.
    pub fn verified_for_address(&self, address: &Address) -> Result<Vec<RootId>, KeystoreError> {
        let name = address_hash(address.as_str());
        self.verified_owners(&ADDRESSES, name, |fact| fact.has_address(address.as_str()))
    }

    /// The keys that were verified with this name on this machine, like [`Keystore::verified_for_address`].
    ///
    /// # Errors
    /// [`KeystoreError`], when the state cannot be read.
    pub fn verified_for_name(&self, name: &str) -> Result<Vec<RootId>, KeystoreError> {
        let folded = folded_name(name);
        self.verified_owners(&NAMES, name_hash(name), |fact| {
            folded_name(&fact.name) == folded
        })
    }

    fn verified_owners(
        &self,
        facts: &Facts<Vec<RootId>>,
        name: RootId,
        fits: impl Fn(&VerifiedAs) -> bool,
    ) -> Result<Vec<RootId>, KeystoreError> {
        let machine = self.machine_state()?;
        let Some(state) = &machine.folder else {
            return Ok(Vec::new());
        };
        let mut owners = facts.read(state, &name)?.unwrap_or_default();
        let mut failed = None;
        owners.retain(|id| match machine.person(id) {
            Ok(fact) => fact.verified_as.is_some_and(|known| fits(&known)),
            Err(error) => {
                failed = Some(error);
                false
            }
        });
        failed.map_or(Ok(owners), Err)
    }
}

/// Lets the addresses and the name lead to a key.
pub(super) fn lead_to(
    state: &Path,
    id: &RootId,
    known: Option<&VerifiedAs>,
) -> Result<(), KeystoreError> {
    for (facts, name) in leads(known) {
        let mut owners = facts.read(state, &name)?.unwrap_or_default();
        if !owners.contains(id) && owners.len() < OWNERS_MAX {
            owners.push(*id);
            facts.write(state, &name, &line(&owners))?;
        }
    }
    Ok(())
}

/// Lets the addresses and the name lead to a key no more, but those that still do.
pub(super) fn forget(
    state: &Path,
    id: &RootId,
    before: Option<&VerifiedAs>,
    after: Option<&VerifiedAs>,
) -> Result<(), KeystoreError> {
    let kept: Vec<RootId> = leads(after).map(|(_, name)| name).collect();
    for (facts, name) in leads(before).filter(|(_, name)| !kept.contains(name)) {
        let mut owners = facts.read(state, &name)?.unwrap_or_default();
        owners.retain(|known| known != id);
        match owners.is_empty() {
            true => facts.remove(state, &name)?,
            false => facts.write(state, &name, &line(&owners))?,
        }
    }
    Ok(())
}

/// What leads to a key, each with the name of its file.
fn leads(known: Option<&VerifiedAs>) -> impl Iterator<Item = (&Facts<Vec<RootId>>, RootId)> {
    let addresses = known.into_iter().flat_map(|known| &known.addresses);
    let addresses = addresses.map(|address| (&ADDRESSES, address_hash(address)));
    let name = known.map(|known| (&NAMES, name_hash(&known.name)));
    addresses.chain(name)
}

fn address_hash(address: &str) -> RootId {
    RootId(kdf::remembered_address(&comparable(address)))
}

fn name_hash(name: &str) -> RootId {
    RootId(kdf::remembered_name(&folded_name(name)))
}

#[derive(serde::Serialize)]
struct Line<'a> {
    keys: &'a [RootId],
}

fn line(keys: &[RootId]) -> Line<'_> {
    Line { keys }
}

fn parse(line: &[u8]) -> Result<Vec<RootId>, Error> {
    let mut keys = None;
    Text::check(line)?.object(|name, value| match name {
        "keys" => {
            keys = Some(value.array(OWNERS_MAX, |one| Ok(RootId(one.base64()?)))?);
            Ok(())
        }
        other => Err(Error::unknown(other)),
    })?;
    keys.ok_or_else(|| Error::missing("keys"))
}
