//! Who has which address, so that no card takes one that is somebody else's.

use std::collections::{HashMap, HashSet};

use super::super::{Keystore, KeystoreError};
use super::ContactHead;
use crate::address::Address;
use crate::crypto::signing::RootId;
use crate::identity::Card;

/// The owner of each known address, without regard to ASCII case.
#[derive(Default)]
pub(in super::super) struct AddressIndex {
    pub(super) mine: HashSet<RootId>,
    of_address: HashMap<Address, RootId>,
}

impl AddressIndex {
    pub(in super::super) fn add(&mut self, id: RootId, addresses: &[String]) {
        let addresses = addresses.iter().map(Address::new);
        self.of_address
            .extend(addresses.map(|address| (address, id)));
    }

    pub(super) fn add_counting<'a>(&mut self, heads: impl IntoIterator<Item = &'a ContactHead>) {
        for head in heads {
            let known = head.known_as();
            self.add(head.id, &known.addresses[..known.counting]);
        }
    }

    /// Refuses a card with an address of somebody else: of one who is here, or for which somebody was verified who is gone. Whoever
    /// was verified for an address has it, also if another contact says it is theirs.
    pub(in super::super) fn refuse_changed(
        &self,
        keystore: &Keystore,
        card: &Card,
    ) -> Result<(), KeystoreError> {
        if self.mine.contains(&card.id()) {
            return Err(KeystoreError::OwnCard);
        }
        for address in card.addresses() {
            let comparable = Address::new(address);
            let verified = keystore.verified_for_address(&comparable)?;
            let is_verified = verified.contains(&card.id());
            let here = self.of_address.get(&comparable);
            let here = here.filter(|known| !is_verified || self.mine.contains(known));
            let mut owners = verified.iter().chain(here);
            if let Some(known) = owners.find(|known| !card.may_carry_addresses_of(known)) {
                return Err(KeystoreError::KeyChanged {
                    address: address.clone(),
                    known: *known,
                    offered: card.id(),
                });
            }
        }
        Ok(())
    }
}

impl Keystore {
    /// Refuses a card with an address of somebody else, before anything is done with it.
    ///
    /// # Errors
    /// [`KeystoreError::OwnCard`], [`KeystoreError::KeyChanged`], and those of reading.
    pub fn refuse_card_of_others(&self, card: &Card) -> Result<(), KeystoreError> {
        self.address_index()?.refuse_changed(self, card)
    }

    /// Finds out what [`Keystore::accept`] would refuse of cards that come together, and stores nothing: what is wrong with each.
    ///
    /// # Errors
    /// Those of reading.
    pub fn examine_cards(
        &self,
        cards: &[Card],
    ) -> Result<Vec<Option<KeystoreError>>, KeystoreError> {
        let mut addresses = self.address_index()?;
        let mut examine = |card: &Card| {
            card.naming_fault().map_or(Ok(()), Err)?;
            self.refuse_successor_of_blocked_key(card)?;
            addresses.refuse_changed(self, card)?;
            addresses.add(card.id(), card.addresses());
            Ok(())
        };
        Ok(cards.iter().map(|card| examine(card).err()).collect())
    }

    pub(in super::super) fn address_index(&self) -> Result<AddressIndex, KeystoreError> {
        let mut addresses = AddressIndex::default();
        for own in self.identities()? {
            addresses.mine.insert(own.card.id());
            addresses.add(own.card.id(), own.card.addresses());
        }
        addresses.add_counting(&self.heads(self.contact_ids()?)?.found);
        Ok(addresses)
    }
}
