//! The people whom WHO means. Nobody is guessed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::addresses::{ResolvedAddresses, recipients_at};
use super::error::DirectoryError;
use super::names::{Names, match_one};
use super::people::{People, Person};
use super::trust::Trust;
use super::who::{Who, WhoForm, WhoUse};
use crate::address::Address;
use crate::crypto::signing::RootId;
use crate::identity::{CARRIER_BYTES_MAX, Card, CardKey, folded_name, only_card};
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
    /// Addresses that are known only without their `+detail`, and what they were taken for: all of a run of addresses, with the
    /// first person of it.
    pub without_detail: Vec<(String, Address)>,
}

/// Whether the keystore has a card.
#[derive(Clone)]
pub enum CardState {
    /// It has.
    Stored,
    /// It has an earlier card of that contact, which said this.
    Update(Box<Card>, Box<Names>),
    /// It knows nobody with that key.
    FirstUse(Box<Card>),
}

impl ResolvedRecipient {
    /// A person whose card the keystore has.
    #[must_use]
    pub fn stored(person: Person) -> Self {
        Self::with_state(person, |_| CardState::Stored)
    }

    fn with_state(person: Person, state: impl FnOnce(Box<Card>) -> CardState) -> Self {
        let names = person.names();
        let Person { card, trust, .. } = person;
        Self {
            names,
            trust,
            keys: card.keys().to_vec(),
            card: state(Box::new(card)),
            without_detail: Vec::new(),
        }
    }
}

impl CardState {
    /// The card, if the keystore does not have it.
    #[must_use]
    pub fn unstored(&self) -> Option<&Card> {
        match self {
            Self::Stored => None,
            Self::Update(card, _) | Self::FirstUse(card) => Some(card),
        }
    }
}

/// Everybody whom these words mean, in their order.
///
/// # Errors
/// [`DirectoryError`] for the first word that is not clear; words that cannot be meant for `wanted` come first.
pub fn resolve<S: AsRef<str>>(
    words: &[S],
    wanted: WhoUse,
    people: &People,
) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    let words = words.iter().map(|word| Who::parse(word.as_ref(), wanted));
    let words = words.collect::<Result<Vec<_>, _>>()?;
    let words = words.into_iter().map(|who| Meant::new(who, people));
    let words = words.collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    // People named one after the other are read together.
    for run in words.chunk_by(Meant::is_read_with) {
        match &run[0] {
            Meant::Group(name) => {
                let members: Vec<RootId> = people.group(name)?.members.into_iter().collect();
                found.extend(resolve_members(name, people, &members)?);
            }
            Meant::Card(text) => found.push(from_card(None, people, text.as_bytes())?),
            Meant::File(path) => found.push(resolve_card_file(path, people)?),
            Meant::Address(_) => found.extend(with_addresses(run, people)?),
            Meant::Person(_) => found.extend(with_names(run, people)?),
        }
    }
    for one in found.iter_mut().filter(|one| one.trust != Trust::Me) {
        // Somebody in whose place this one comes looks alike, and is the same person.
        let new = one.card.unstored();
        let is_same = |id: &RootId| new.is_some_and(|card| card.is_successor_of(id));
        one.names.distinction = people.distinction(&one.names, is_same);
    }
    Ok(found)
}

/// Whom or what a word means.
enum Meant {
    Group(String),
    Card(String),
    File(PathBuf),
    Address(Address),
    /// By name or fingerprint.
    Person(Who),
}

impl Meant {
    fn new(who: Who, people: &People) -> Result<Self, DirectoryError> {
        Ok(match who.form() {
            WhoForm::Group(name) => Self::Group(name.clone()),
            WhoForm::Card => Self::Card(who.typed().to_owned()),
            WhoForm::File(path) => Self::File(path.clone()),
            WhoForm::Address(address) => Self::Address(address.clone()),
            // A file that somebody put there must not come before a person of that name.
            WhoForm::NameOrFile if !is_name(who.typed(), people)? => Self::File(who.typed().into()),
            WhoForm::NameOrFile | WhoForm::Name | WhoForm::Fingerprint(_) => Self::Person(who),
        })
    }

    fn is_read_with(&self, next: &Self) -> bool {
        matches!(
            (self, next),
            (Self::Address(_), Self::Address(_)) | (Self::Person(_), Self::Person(_))
        )
    }
}

/// Whether anybody has this name.
fn is_name(name: &str, people: &People) -> Result<bool, KeystoreError> {
    let folded = folded_name(name);
    let mut all = people.names()?.iter();
    Ok(all.any(|names| names.has_folded_name(&folded))
        || !people.keystore().verified_for_name(name)?.is_empty())
}

/// People by address. What an address was taken for is noted with the person.
fn with_addresses(
    run: &[Meant],
    people: &People,
) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    let address = |one: &'_ Meant| match one {
        Meant::Address(address) => Some(address.as_str().to_owned()),
        _ => None,
    };
    let addresses: Vec<String> = run.iter().filter_map(address).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let ResolvedAddresses {
        mut recipients,
        without_detail,
    } = recipients_at(&addresses, people)?;
    if let Some(first) = recipients.first_mut() {
        first.without_detail = without_detail;
    }
    Ok(recipients)
}

/// People by name or fingerprint, in the order of `run`.
fn with_names(run: &[Meant], people: &People) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    let mut ids = Vec::new();
    let mut unclear = None;
    for one in run {
        let Meant::Person(who) = one else { continue };
        let id = match who.form() {
            WhoForm::Fingerprint(id) => Ok((*id, Sureness::Known)),
            _ => find_by_name(who, people),
        };
        match id {
            Ok((id, sureness)) => ids.push((id, (who, sureness))),
            Err(error) => {
                unclear = Some(error);
                break;
            }
        }
    }
    // A person found by the keystore's index has to be called so by the card itself.
    let compare = |person: Person, (who, sureness): (&Who, Sureness)| {
        let is_meant = sureness == Sureness::Known || match_one(who, &[person.names()]).is_ok();
        is_meant.then(|| ResolvedRecipient::stored(person))
    };
    let mut found = Vec::new();
    for ((_, (who, _)), read) in ids.iter().zip(people.with_ids(ids.clone(), compare)) {
        found.push(match read?.flatten() {
            Some(recipient) if !people.is_retired(recipient.names.id) => recipient,
            _ => ResolvedRecipient::stored(people.contact(find_in_files(who, people)?)?),
        });
    }
    unclear.map_or(Ok(found), Err)
}

/// How sure it is that somebody is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sureness {
    /// The key is the one that was named, or that was verified with the name.
    Known,
    /// The name has to be compared with the card.
    Hint,
}

fn find_by_name(who: &Who, people: &People) -> Result<(RootId, Sureness), DirectoryError> {
    if let Some(id) = people.verified_called(who.typed())? {
        return Ok((id, Sureness::Known));
    }
    let found = match people.find_by_name(who.typed())? {
        Some(id) => id,
        None => find_in_files(who, people)?,
    };
    Ok((found, Sureness::Hint))
}

fn find_in_files(who: &Who, people: &People) -> Result<RootId, DirectoryError> {
    match_one(who, people.names()?).map_err(|error| match error {
        DirectoryError::Unknown { name, similar } => {
            let group = group_called(&name, people);
            DirectoryError::Unknown {
                similar: group.or(similar),
                name,
            }
        }
        error => error,
    })
}

/// The group of that name, which was typed without its `@`.
fn group_called(name: &str, people: &People) -> Option<String> {
    let groups = people.keystore().groups().ok()?;
    let group = groups
        .iter()
        .find(|group| group.eq_ignore_ascii_case(name))?;
    Some(format!("@{group}"))
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

/// The person of the card in a file.
///
/// # Errors
/// [`DirectoryError::CardFile`], [`DirectoryError::Card`], [`DirectoryError::CardConflict`], and those of the keystore.
pub fn resolve_card_file(
    path: &Path,
    people: &People,
) -> Result<ResolvedRecipient, DirectoryError> {
    let typed = path.to_string_lossy();
    from_card(Some(&typed), people, &read_card_file(path)?)
}

/// The person of a card that was given as a file or as text.
fn from_card(
    file: Option<&str>,
    people: &People,
    text: &[u8],
) -> Result<ResolvedRecipient, DirectoryError> {
    let card = only_card(text).map_err(|source| DirectoryError::Card {
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
        Some(known) => {
            refuse_unfit(&card)?;
            let earlier = Box::new(known.names());
            let person = known.with_later_card(card);
            let state = |card| CardState::Update(card, earlier);
            Ok(ResolvedRecipient::with_state(person, state))
        }
        None => first_use(card, people),
    }
}

fn refuse_unfit(card: &Card) -> Result<(), DirectoryError> {
    let fault = card.naming_fault();
    fault.map_or(Ok(()), |fault| Err(conflict(card, fault.into())))
}

/// A card of an unknown key. It must not take over an address that a known person has.
fn first_use(card: Card, people: &People) -> Result<ResolvedRecipient, DirectoryError> {
    refuse_unfit(&card)?;
    match people.keystore().refuse_card_of_others(&card) {
        Ok(()) => {}
        Err(changed @ KeystoreError::KeyChanged { .. }) => return Err(conflict(&card, changed)),
        Err(error) => return Err(error.into()),
    }
    // A contact that was blocked and removed is blocked again when the card comes back.
    let trust = match people.remembered_trust(card.id()) {
        trust if trust.blocks_use() => trust,
        _ => Trust::Unverified,
    };
    let person = Person::with_counting(card, trust, 1);
    Ok(ResolvedRecipient::with_state(person, CardState::FirstUse))
}

fn conflict(card: &Card, source: KeystoreError) -> DirectoryError {
    DirectoryError::CardConflict {
        names: Box::new(Names::of_card(card)),
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
