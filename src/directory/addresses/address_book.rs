//! Who has which mail address: contacts, my own identities, and groups with the address of their mailing list.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use crate::address::{Address, ascii_domain};
use crate::crypto::signing::RootId;
use crate::directory::Names;

/// A group with the address of its mailing list.
pub struct ListedGroup {
    /// Its name, without the `@`.
    pub name: String,
    /// The address.
    pub address: String,
    /// Whether this machine knows the group as it is.
    pub is_known: bool,
}

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
pub(in crate::directory) enum Owner {
    Person(RootId),
    Group(String),
}

/// What is known about an address.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::directory) enum AddressMatch<'a> {
    One(Cow<'a, Owner>),
    /// The owner of the address without its `+detail`, which is given.
    WithoutDetail(Cow<'a, Owner>, Address),
    Several(&'a [Owner]),
    Nobody,
}

impl AddressMatch<'_> {
    /// The same for an address whose detail was left out: this is what is left of it.
    pub(in crate::directory) fn without_detail(self, base: Address) -> Self {
        match self {
            Self::One(owner) => Self::WithoutDetail(owner, base),
            other => other,
        }
    }
}

impl AddressBook {
    /// The book of these people and groups, each by its name and its address. A group that this machine does not know as it is has
    /// an address only where nobody else has it.
    #[must_use]
    pub fn new(everybody: &[Names], groups: Vec<ListedGroup>) -> Self {
        let mut book = Self::default();
        for names in everybody {
            for address in names.counting() {
                book.add(address, &Owner::Person(names.id));
            }
        }
        let (known, unknown): (Vec<_>, Vec<_>) = groups.into_iter().partition(|one| one.is_known);
        for ListedGroup {
            name,
            address,
            is_known,
        } in known.into_iter().chain(unknown)
        {
            if is_known || book.owners(&Address::new(&*address)).is_empty() {
                book.add(&address, &Owner::Group(name));
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

    /// The owner of this address, with its detail: the local part as written, else without regard to case.
    pub(in crate::directory) fn exactly(&self, address: &Address) -> AddressMatch<'_> {
        match self.owners(address) {
            [] => AddressMatch::Nobody,
            [owner] => AddressMatch::One(Cow::Borrowed(owner)),
            several => AddressMatch::Several(several),
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
        matches!(self.exactly(&Address::new(address)), AddressMatch::One(_))
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
