//! Whom mail addresses mean. Nobody is guessed and nobody is left out: one address that is not known is an error for all.

mod address_book;

use std::borrow::Cow;
use std::sync::PoisonError;

use super::error::{AddressOwner, DirectoryError, UnclearAddress};
use super::names::{Names, closest_match};
use super::people::{LookupSource, People};
use super::resolve::{ResolvedRecipient, resolve_members};
use super::trust::Trust;
use crate::address::Address;
use crate::crypto::signing::RootId;
use crate::keystore::KeystoreError;

pub use address_book::{AddressBook, ListedGroup};
pub(in crate::directory) use address_book::{AddressMatch, Owner};

/// Unknown addresses for which a similar one is looked for: each costs a comparison with everybody.
const SUGGESTIONS_MAX: usize = 3;

/// The people whom mail addresses mean.
pub struct ResolvedAddresses {
    /// Everybody, in the order of the addresses.
    pub recipients: Vec<ResolvedRecipient>,
    /// Addresses that are known only without their `+detail`, and what they were taken for; each is reported once per keystore read.
    pub without_detail: Vec<(String, Address)>,
}

/// Resolves mail addresses. All that are unknown are named in one error.
///
/// # Errors
/// [`DirectoryError::UnclearAddresses`], those of groups and of the keystore.
pub fn recipients_at(
    addresses: &[&str],
    people: &People,
) -> Result<ResolvedAddresses, DirectoryError> {
    let (book, source) = people.quick_address_book()?;
    if source == LookupSource::Index {
        // Only if everybody is there, and has that address by the card itself.
        if let Ok(resolved) = look_up_all(book, source, addresses, people) {
            return Ok(resolved);
        }
    }
    look_up_all(
        people.address_book()?,
        LookupSource::Files,
        addresses,
        people,
    )
}

fn look_up_all(
    book: &AddressBook,
    source: LookupSource,
    addresses: &[&str],
    people: &People,
) -> Result<ResolvedAddresses, DirectoryError> {
    let mut without_detail = Vec::new();
    let mut unclear = Vec::new();
    let mut found = Vec::new();
    for address in addresses {
        match people.owner_of(book, &Address::new(*address))? {
            AddressMatch::One(owner) => found.push((owner, Address::new(*address))),
            AddressMatch::WithoutDetail(owner, base) => {
                found.push((owner, base.clone()));
                let mut reported = book.reported.lock().unwrap_or_else(PoisonError::into_inner);
                if reported.insert(Address::new(*address)) {
                    without_detail.push(((*address).to_owned(), base));
                }
            }
            AddressMatch::Several(owners) => unclear.push((*address, owners)),
            AddressMatch::Nobody => unclear.push((*address, &[][..])),
        }
    }
    match source {
        _ if unclear.is_empty() => Ok(ResolvedAddresses {
            recipients: recipients_of(&found, people)?,
            without_detail,
        }),
        LookupSource::Index => Err(DirectoryError::ContactGone),
        LookupSource::Files => Err(unclear_addresses(&unclear, people)?),
    }
}

/// The people: those whose cards have to carry the address, and the members of groups.
fn recipients_of(
    owners: &[(Cow<'_, Owner>, Address)],
    people: &People,
) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    let person = |(owner, address): &(Cow<'_, Owner>, Address)| match **owner {
        Owner::Person(id) => Some((id, address.clone())),
        Owner::Group(_) => None,
    };
    // Many cards are read together.
    let read = people.with_ids(
        owners.iter().filter_map(person).collect(),
        |person, address: Address| {
            let is_meant = person.has_address(address.as_str());
            (ResolvedRecipient::stored(person), address, is_meant)
        },
    );
    let mut read = read.into_iter();
    let mut found = Vec::new();
    for (owner, _) in owners {
        match &**owner {
            Owner::Person(id) => {
                let one = read.next().expect("each person was read")?;
                let (recipient, address, is_meant) = one.ok_or(DirectoryError::ContactGone)?;
                // The index has another address than the card: the contacts' files decide. Who comes in the place of a verified
                // contact need not have it.
                if !is_meant && people.verified_at(&address)? != Some(*id) {
                    return Err(DirectoryError::ContactGone);
                }
                found.push(recipient);
            }
            Owner::Group(name) => {
                let members: Vec<RootId> = people.group(name)?.members.into_iter().collect();
                found.extend(resolve_members(name, people, &members)?);
            }
        }
    }
    Ok(found)
}

fn describe(owner: &Owner, everybody: &[Names]) -> Option<AddressOwner> {
    Some(match owner {
        Owner::Group(name) => AddressOwner::Group(name.clone()),
        Owner::Person(id) => {
            AddressOwner::Person(everybody.iter().find(|names| names.id == *id)?.clone())
        }
    })
}

/// One error for all addresses that do not mean one owner.
fn unclear_addresses(
    unclear: &[(&str, &[Owner])],
    people: &People,
) -> Result<DirectoryError, DirectoryError> {
    let everybody = people.names()?;
    let known = || everybody.iter().flat_map(|names| &names.addresses);
    let unknown = unclear.iter().filter(|(_, owners)| owners.is_empty());
    let similar = unknown.take(SUGGESTIONS_MAX).find_map(|(address, _)| {
        let word = closest_match(address, known().map(String::as_str))?;
        Some(((*address).to_owned(), word.to_owned()))
    });
    let describe = |(address, owners): &(&str, &[Owner])| UnclearAddress {
        address: (*address).to_owned(),
        owners: owners
            .iter()
            .filter_map(|owner| describe(owner, everybody))
            .collect(),
    };
    Ok(DirectoryError::UnclearAddresses {
        addresses: unclear.iter().map(describe).collect(),
        similar,
    })
}

impl People {
    /// Whom an address means: who was verified for it, else the one for whom it counts. A `+detail` is left out only if the address
    /// with it is nobody's.
    pub(in crate::directory) fn owner_of<'b>(
        &self,
        book: &'b AddressBook,
        address: &Address,
    ) -> Result<AddressMatch<'b>, DirectoryError> {
        let exactly = |address: &Address| match self.verified_at(address)? {
            Some(id) => Ok::<_, DirectoryError>(AddressMatch::One(Cow::Owned(Owner::Person(id)))),
            None => Ok(book.exactly(address)),
        };
        match (exactly(address)?, address.without_detail()) {
            (AddressMatch::Nobody, Some(base)) => Ok(exactly(&base)?.without_detail(base)),
            (found, _) => Ok(found),
        }
    }

    /// Whether an address belongs to somebody else than the owner of this key: to people or groups that do not include the owner,
    /// or to a verified one beside an owner who is not.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn is_address_of_others(
        &self,
        address: &str,
        owner: RootId,
    ) -> Result<bool, KeystoreError> {
        // What is known of a contact is compared with every mail of theirs; a stranger is looked for in the cards themselves.
        let book = match self.with_id(owner)? {
            Some(_) => self.quick_address_book()?.0,
            None => self.address_book()?,
        };
        let found = match self.owner_of(book, &Address::new(address)) {
            Ok(found) => found,
            // Whoever was verified for it is not here.
            Err(DirectoryError::VerifiedGone { id, .. }) => return Ok(id != owner),
            Err(DirectoryError::Ambiguous { .. }) => return Ok(true),
            Err(DirectoryError::Keystore(error)) => return Err(error),
            Err(_) => return Ok(false),
        };
        let owners = match &found {
            AddressMatch::One(owner) | AddressMatch::WithoutDetail(owner, _) => {
                std::slice::from_ref(&**owner)
            }
            AddressMatch::Several(owners) => owners,
            AddressMatch::Nobody => return Ok(false),
        };
        let is_sure = |id: RootId| -> Result<bool, KeystoreError> {
            let person = self.with_id(id)?;
            Ok(person.is_some_and(|person| matches!(person.trust, Trust::Me | Trust::Verified)))
        };
        if !owners.contains(&Owner::Person(owner)) {
            return Ok(true);
        }
        if is_sure(owner)? {
            return Ok(false);
        }
        for other in owners {
            if let Owner::Person(id) = other
                && is_sure(*id)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
