//! WHO: people as a person names them. They are resolved in one order and never guessed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::DirectoryError;
use super::names::{Names, match_one};
use super::people::{People, Person};
use super::trust::Trust;
use crate::crypto::signing::RootId;
use crate::identity::{CARRIER_BYTES_MAX, Card, CardKey, parse_fingerprint};
use crate::keystore::KeystoreError;

/// A person who was named, and whether the keystore has that card. Of thousands of cards only what is needed is kept.
#[derive(Clone)]
pub struct ResolvedRecipient {
    /// What the card calls the person.
    pub names: Names,
    /// How far the card is trusted.
    pub trust: Trust,
    /// The keys on the card; emptied by [`Recipients::new`](super::Recipients::new), which has taken what it needs.
    pub keys: Vec<CardKey>,
    /// Whether the keystore has the card.
    pub card: CardState,
}

/// Whether the keystore has a card.
#[derive(Clone)]
pub enum CardState {
    /// It has.
    Stored,
    /// It has an earlier card of that contact.
    Update(Box<Card>),
    /// It knows nobody with that key.
    FirstUse(Box<Card>),
}

impl ResolvedRecipient {
    /// A person whose card the keystore has.
    #[must_use]
    pub fn stored(person: Person) -> Self {
        Self::with_state(person, |_| CardState::Stored)
    }

    fn with_state(Person { card, trust }: Person, state: fn(Box<Card>) -> CardState) -> Self {
        Self {
            names: Names::of_card(&card),
            trust,
            keys: card.keys().to_vec(),
            card: state(Box::new(card)),
        }
    }
}

impl CardState {
    /// The card, if the keystore does not have it.
    #[must_use]
    pub fn unstored(&self) -> Option<&Card> {
        match self {
            Self::Stored => None,
            Self::Update(card) | Self::FirstUse(card) => Some(card),
        }
    }
}

/// The kinds of WHO, by their form alone.
#[derive(Debug, PartialEq, Eq)]
enum Kind<'a> {
    Group(&'a str),
    Text(&'a str),
    File(&'a Path),
    Name(&'a str),
}

fn kind(who: &str) -> Kind<'_> {
    if let Some(group) = who.strip_prefix('@') {
        Kind::Group(group)
    } else if Card::is_text(who) {
        Kind::Text(who)
    } else if who.contains('/') || Path::new(who).extension().is_some_and(|e| e == "card") {
        Kind::File(Path::new(who))
    } else {
        Kind::Name(who)
    }
}

/// Everybody whom these words mean, in their order: `@group`, a pasted card, a card file, an address, a name or a fingerprint.
///
/// # Errors
/// [`DirectoryError`] for the first word that is not clear.
pub fn resolve<S: AsRef<str>>(
    words: &[S],
    people: &People,
) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    let mut found = Vec::new();
    // Contacts named one after the other are read together.
    let mut names = Vec::new();
    for who in words.iter().map(AsRef::as_ref) {
        let kind = kind(who);
        if let Kind::Name(name) = kind {
            names.push(name);
            continue;
        }
        found.extend(with_names(&std::mem::take(&mut names), people)?);
        match kind {
            Kind::Group(name) => {
                let members: Vec<RootId> = people.group(name)?.members.into_iter().collect();
                found.extend(resolve_members(name, people, &members)?);
            }
            Kind::Text(text) => found.push(from_card(None, people, text.as_bytes())?),
            Kind::File(path) => found.push(from_card(Some(who), people, &read_card_file(path)?)?),
            Kind::Name(_) => unreachable!("taken above"),
        }
    }
    found.extend(with_names(&names, people)?);
    Ok(found)
}

/// People by address, name or fingerprint, in the order of `names`.
fn with_names(names: &[&str], people: &People) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    let mut ids = Vec::new();
    let mut unclear = None;
    for name in names {
        let id = match people.find_by_name(name)? {
            Some(id) => Ok(id),
            None => find_in_files(name, people),
        };
        match id {
            Ok(id) => ids.push(id),
            Err(error) => {
                unclear = Some(error);
                break;
            }
        }
    }
    // A person found by the keystore's index has to be called so by the card itself.
    let mut found = Vec::new();
    let all = ids.iter().copied().zip(names.iter().copied());
    let compare = |person: Person, name: &str| {
        let is_called = person.is_called(name);
        (is_called, ResolvedRecipient::stored(person))
    };
    for ((id, name), read) in all.clone().zip(people.with_ids(all.collect(), compare)) {
        found.push(match read? {
            Some((true, recipient)) => recipient,
            _ if parse_fingerprint(name) == Some(id) => {
                ResolvedRecipient::stored(people.contact(id)?)
            }
            _ => ResolvedRecipient::stored(people.contact(find_in_files(name, people)?)?),
        });
    }
    unclear.map_or(Ok(found), Err)
}

fn find_in_files(name: &str, people: &People) -> Result<RootId, DirectoryError> {
    match_one(name, people.names()?)
}

/// The members of a group, which is named without its `@`.
///
/// # Errors
/// [`DirectoryError::EmptyGroup`], [`DirectoryError::MissingMember`], and those of the keystore.
pub fn resolve_members(
    group: &str,
    people: &People,
    ids: &[RootId],
) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    if ids.is_empty() {
        return Err(DirectoryError::EmptyGroup(group.to_owned()));
    }
    let missing = |id: &RootId| DirectoryError::MissingMember {
        group: group.to_owned(),
        id: *id,
    };
    let read = people.with_ids(ids.iter().map(|id| (*id, ())).collect(), |person, ()| {
        ResolvedRecipient::stored(person)
    });
    let member = |(id, read): (&RootId, Result<Option<ResolvedRecipient>, KeystoreError>)| {
        read?.ok_or_else(|| missing(id))
    };
    let members = ids.iter().zip(read).map(member);
    let mut members = members.collect::<Result<Vec<_>, DirectoryError>>()?;
    members.sort_by_cached_key(|member| member.names.sort_key());
    Ok(members)
}

/// The person of a card that was given as a file or as text.
fn from_card(
    file: Option<&str>,
    people: &People,
    text: &[u8],
) -> Result<ResolvedRecipient, DirectoryError> {
    let card = Card::from_text(text).map_err(|source| DirectoryError::Card {
        file: file.map(str::to_owned),
        source,
    })?;
    match people.with_id(card.id())? {
        Some(known) if known.trust == Trust::Me => Ok(ResolvedRecipient::stored(known)),
        Some(known) if card.serial() == known.card.serial() && card != known.card => {
            let serial = card.serial();
            Err(conflict(&card, KeystoreError::OtherCard { serial }))
        }
        Some(known) if card.serial() <= known.card.serial() => Ok(ResolvedRecipient::stored(known)),
        Some(Person { trust, .. }) => Ok(ResolvedRecipient::with_state(
            Person { card, trust },
            CardState::Update,
        )),
        None => first_use(card, people),
    }
}

/// A card of an unknown key. It must not take over an address that a known person has.
fn first_use(card: Card, people: &People) -> Result<ResolvedRecipient, DirectoryError> {
    let others = people.names()?;
    let owner = |address: &String| {
        let mut owners = others.iter();
        owners.find(|names| names.has_address(address) && !card.may_carry_addresses_of(&names.id))
    };
    let mut addresses = card.addresses().iter();
    let taken = addresses.find_map(|address| Some((address, owner(address)?)));
    if let Some((address, owner)) = taken {
        let (known, offered) = (owner.id, card.id());
        let address = address.clone();
        return Err(conflict(
            &card,
            KeystoreError::KeyChanged {
                address,
                known,
                offered,
            },
        ));
    }
    // A contact that was blocked and removed is blocked again when the card comes back.
    let trust = match people.remembered_trust(card.id()) {
        trust if trust.blocks_use() => trust,
        _ => Trust::Unverified,
    };
    Ok(ResolvedRecipient::with_state(
        Person { card, trust },
        CardState::FirstUse,
    ))
}

fn conflict(card: &Card, source: KeystoreError) -> DirectoryError {
    DirectoryError::CardConflict {
        name: card.name().to_owned(),
        source,
    }
}

/// At most one byte more than a card can have, so that longer files are refused as too long.
fn read_card_file(path: &Path) -> Result<Vec<u8>, DirectoryError> {
    let mut text = Vec::new();
    let read = |file: File| {
        file.take(CARRIER_BYTES_MAX as u64 + 1)
            .read_to_end(&mut text)
    };
    File::open(path)
        .and_then(read)
        .map_err(|source: io::Error| DirectoryError::CardFile {
            path: path.to_owned(),
            source,
        })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_decides_the_kind() {
        assert_eq!(kind("@finance"), Kind::Group("finance"));
        assert_eq!(kind("encl-card1:abc/def"), Kind::Text("encl-card1:abc/def"));
        assert_eq!(kind("./bob"), Kind::File(Path::new("./bob")));
        assert_eq!(kind("bob.card"), Kind::File(Path::new("bob.card")));
        assert_eq!(kind("bob@example.org"), Kind::Name("bob@example.org"));
    }
}
