//! Who has which mail address: contacts, my own identities, and groups with the address of their mailing list.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use crate::address::{Address, ascii_domain};
use crate::crypto::signing::RootId;
use crate::directory::Names;
use crate::keystore::Group;

/// Who has which mail address. Made once, asked as often as there are recipients.
#[derive(Default)]
pub struct AddressBook {
    /// By the local part as it is written. It decides where several people have addresses that differ only in case.
    exact: HashMap<String, Vec<Owner>>,
    by_address: HashMap<Address, Vec<Owner>>,
    /// Addresses whose detail was left out, and that was reported.
    pub(super) reported: Mutex<HashSet<Address>>,
}

/// A person or a group that has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Person(RootId),
    Group(String, Vec<RootId>),
}

/// What is known about an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match<'a> {
    One(&'a Owner),
    /// The owner of the address without its `+detail`, which is given.
    WithoutDetail(&'a Owner, Address),
    Several(&'a [Owner]),
    Nobody,
}

impl AddressBook {
    /// The book of these people and groups.
    #[must_use]
    pub fn new(everybody: &[Names], groups: Vec<(String, Group)>) -> Self {
        let mut book = Self::default();
        for names in everybody {
            for address in names.counting() {
                book.add(address, &Owner::Person(names.id));
            }
        }
        for (name, group) in groups {
            if let Some(address) = group.address {
                let members = group.members.into_iter().collect();
                book.add(&address, &Owner::Group(name, members));
            }
        }
        book
    }

    fn add(&mut self, address: &str, owner: &Owner) {
        let places = [
            self.exact.entry(exact(address)).or_default(),
            self.by_address.entry(Address::new(address)).or_default(),
        ];
        for owners in places {
            if !owners.contains(owner) {
                owners.push(owner.clone());
            }
        }
    }

    /// The local part as written, else without regard to case, else without its `+detail`.
    pub(super) fn look_up(&self, address: &str) -> Match<'_> {
        let address = Address::new(address);
        match (self.owners(&address), address.without_detail()) {
            ([owner], _) => Match::One(owner),
            ([], None) => Match::Nobody,
            ([], Some(base)) => match self.owners(&base) {
                [] => Match::Nobody,
                [owner] => Match::WithoutDetail(owner, base),
                several => Match::Several(several),
            },
            (several, _) => Match::Several(several),
        }
    }

    /// The only person with exactly this address.
    pub(in crate::directory) fn only_person(&self, address: &Address) -> Option<RootId> {
        match self.owners(address) {
            [Owner::Person(id)] => Some(*id),
            _ => None,
        }
    }

    /// Whether an address, as it is written or in another case, means exactly one person or group.
    #[must_use]
    pub fn has_one_owner(&self, address: &str) -> bool {
        matches!(self.look_up(address), Match::One(_))
    }

    fn owners(&self, address: &Address) -> &[Owner] {
        let exact = self.exact.get(&exact(address.as_str()));
        let same = || self.by_address.get(address);
        exact.or_else(same).map_or(&[], Vec::as_slice)
    }
}

fn exact(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    format!("{local}@{}", ascii_domain(domain))
}
