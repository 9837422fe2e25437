//! Whom this machine remembers: as verified for an address or a name, who come before everybody whose card only says so, and as
//! met at all.

use std::collections::HashSet;

use super::{People, Person};
use crate::address::Address;
use crate::crypto::signing::RootId;
use crate::directory::addresses::{AddressMatch, Owner};
use crate::directory::error::DirectoryError;
use crate::identity::Predecessor;
use crate::keystore::KeystoreError;

impl People {
    /// The contact who was verified for this address, or who came in that one's place.
    ///
    /// # Errors
    /// [`DirectoryError::VerifiedGone`], when that contact is not here any more.
    pub(in crate::directory) fn verified_at(
        &self,
        address: &Address,
    ) -> Result<Option<RootId>, DirectoryError> {
        let ids = self.keystore.verified_for_address(address)?;
        self.one_of_verified(ids, address.as_str())
    }

    /// The contact who was verified with this name, like [`People::verified_at`].
    ///
    /// # Errors
    /// [`DirectoryError::VerifiedGone`]; [`DirectoryError::Ambiguous`], when several were.
    pub(in crate::directory) fn verified_called(
        &self,
        name: &str,
    ) -> Result<Option<RootId>, DirectoryError> {
        let ids = self.keystore.verified_for_name(name)?;
        self.one_of_verified(ids, name)
    }

    fn one_of_verified(
        &self,
        ids: Vec<RootId>,
        typed: &str,
    ) -> Result<Option<RootId>, DirectoryError> {
        let mut here = Vec::new();
        for id in ids {
            let gone = || DirectoryError::VerifiedGone {
                who: typed.to_owned(),
                id,
            };
            let found = match self.keystore.has_contact(&id) {
                true => id,
                false => self.successor(id)?.ok_or_else(gone)?,
            };
            if !here.contains(&found) {
                here.push(found);
            }
        }
        match here[..] {
            [] => Ok(None),
            [id] => Ok(Some(id)),
            _ => {
                let matches = here.iter().map(|id| Ok(self.contact(*id)?.names()));
                Err(DirectoryError::Ambiguous {
                    name: typed.to_owned(),
                    matches: matches.collect::<Result<_, DirectoryError>>()?,
                })
            }
        }
    }

    /// The contact with an address of this key, which is here no more, and with its signature. A key that is stopped names nobody.
    fn successor(&self, id: RootId) -> Result<Option<RootId>, KeystoreError> {
        if self.remembered_trust(id).blocks_use() {
            return Ok(None);
        }
        let addresses = self.keystore.verified_as(&id)?.map(|known| known.addresses);
        let book = self.address_book()?;
        for address in addresses.into_iter().flatten() {
            let AddressMatch::One(owner) = book.exactly(&Address::new(address)) else {
                continue;
            };
            if let Owner::Person(owner) = &*owner
                && self
                    .with_id(*owner)?
                    .is_some_and(|person| person.card.is_successor_of(&id))
            {
                return Ok(Some(*owner));
            }
        }
        Ok(None)
    }

    /// Whether somebody is me or a contact, was a contact until the card of a successor came, or is blocked or revoked here.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn has_met(&self, id: RootId) -> Result<bool, KeystoreError> {
        if self.remembered_trust(id).blocks_use() {
            return Ok(true);
        }
        if let Some(met) = self.met.get() {
            return Ok(met.contains(&id));
        }
        let ids = self.names()?.iter().map(|names| names.id);
        let retired = self.retired.iter().map(|person| person.card.id());
        let mut met: HashSet<RootId> = ids.chain(retired).collect();
        let everybody = met.iter().map(|id| (*id, ())).collect();
        let replaced = |person: Person, ()| {
            let replaced = person.card.replaces().iter();
            replaced.map(Predecessor::id).collect::<Vec<RootId>>()
        };
        for ids in self.with_ids(everybody, replaced) {
            match ids {
                Ok(ids) => met.extend(ids.into_iter().flatten()),
                Err(fault) if self.is_told(&fault) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.met.get_or_init(|| met).contains(&id))
    }
}
