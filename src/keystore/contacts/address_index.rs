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
