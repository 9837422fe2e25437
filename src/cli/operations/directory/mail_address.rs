//! Whom mail addresses mean: contacts, my own identities, and groups with the address of their mailing list.
//!
//! Nobody is guessed and nobody dropped: an address that is not known stops everything.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use encl::crypto::signing::RootId;
use encl::identity::fingerprint;
use encl::keystore::Group;
use encl::mail::Mailbox;

use crate::cli::context::Context;
use crate::cli::errors::keystore::unreadable;
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::directory::people::{LookupSource, Names, People};
use crate::cli::operations::directory::resolve;
use crate::cli::operations::directory::resolve::ResolvedRecipient;
use crate::cli::terminal::safe;

/// Unknown addresses for which somebody alike is looked for: each costs a look at everybody.
const SUGGESTIONS_MAX: usize = 3;

/// Whether two addresses are the same to mail: their domains as DNS has them, their local parts without regard to case.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let ascii = one.is_ascii() && other.is_ascii();
    one.eq_ignore_ascii_case(other) || (!ascii && folded(one) == folded(other))
}

/// Everybody whom these addresses mean. All that are unknown are named in one failure.
pub(crate) fn people_at(
    addresses: &[Mailbox],
    people: &People,
    context: &Context,
) -> Result<Vec<ResolvedRecipient>, Failure> {
    let (found, notices) = look_up(addresses, people)?;
    for notice in notices {
        context.terminal.notice(&notice);
    }
    Ok(found)
}

/// Everybody, and what should be known about them.
fn look_up(
    addresses: &[Mailbox],
    people: &People,
) -> Result<(Vec<ResolvedRecipient>, Vec<String>), Failure> {
    let quick = people.quick_directory();
    let (directory, basis) = quick.map_err(|error| unreadable(&error))?;
    if basis == LookupSource::Index {
        // Only if everybody is there, and has that address by the card itself.
        if let Ok((found, notices)) = look_up_in(directory, basis, addresses, people) {
            return Ok((found, notices));
        }
    }
    let directory = people.directory().map_err(|error| unreadable(&error))?;
    look_up_in(directory, LookupSource::Files, addresses, people)
}

fn look_up_in(
    directory: &Directory,
    basis: LookupSource,
    addresses: &[Mailbox],
    people: &People,
) -> Result<(Vec<ResolvedRecipient>, Vec<String>), Failure> {
    let (mut found, mut notices, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for address in addresses.iter().map(|mailbox| &*mailbox.address) {
        match directory.look_up(address) {
            Match::One(owner) => found.extend(owner.people_at(address, people)?),
            Match::Undetailed(owner, base) => {
                found.extend(owner.people_at(&base, people)?);
                let mut told = directory
                    .told
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                if told.insert(folded(address)) {
                    notices.push(format!(
                        "mail to {} is sealed for {}",
                        safe(address),
                        safe(&base)
                    ));
                }
            }
            unclear => missing.push((address, unclear)),
        }
    }
    match basis {
        _ if missing.is_empty() => Ok((found, notices)),
        LookupSource::Index => Err(not_by_the_index()),
        LookupSource::Files => Err(cannot_tell(&missing, people)?),
    }
}

/// Who has which mail address. Made once, asked as often as there are recipients.
#[derive(Default)]
pub(crate) struct Directory {
    exact: HashMap<String, Vec<Owner>>,
    folded: HashMap<String, Vec<Owner>>,
    /// Addresses about which the notice was given.
    told: Mutex<HashSet<String>>,
}

/// Somebody, or a group, that has an address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owner {
    Person(RootId),
    Group(String, Vec<RootId>),
}

/// What is known about an address.
#[derive(Debug, PartialEq, Eq)]
enum Match<'a> {
    One(&'a Owner),
    /// Whoever has the address without its `+detail`, which is given.
    Undetailed(&'a Owner, String),
    Several(&'a [Owner]),
    Nobody,
}

impl Directory {
    pub(crate) fn new(everybody: &[Names], groups: Vec<(String, Group)>) -> Self {
        let mut directory = Self::default();
        for names in everybody {
            for address in &names.addresses {
                directory.add(address, &Owner::Person(names.id));
            }
        }
        for (name, group) in groups {
            if let Some(address) = group.address {
                let members = group.members.into_iter().collect();
                directory.add(&address, &Owner::Group(name, members));
            }
        }
        directory
    }

    fn add(&mut self, address: &str, owner: &Owner) {
        let places = [
            self.exact.entry(exact(address)).or_default(),
            self.folded.entry(folded(address)).or_default(),
        ];
        for owners in places {
            if !owners.contains(owner) {
                owners.push(owner.clone());
            }
        }
    }

    /// The local part exactly, else without regard to case, else without its `+detail`.
    fn look_up(&self, address: &str) -> Match<'_> {
        match (self.owners(address), undetailed(address)) {
            ([owner], _) => Match::One(owner),
            ([], None) => Match::Nobody,
            ([], Some(base)) => match self.owners(&base) {
                [] => Match::Nobody,
                [owner] => Match::Undetailed(owner, base),
                several => Match::Several(several),
            },
            (several, _) => Match::Several(several),
        }
    }

    fn owners(&self, address: &str) -> &[Owner] {
        let same = self.exact.get(&exact(address));
        let alike = || self.folded.get(&folded(address));
        same.or_else(alike).map_or(&[], Vec::as_slice)
    }
}

impl Owner {
    /// The people, or the one person, whose card has to carry the address.
    fn people_at(&self, address: &str, people: &People) -> Result<Vec<ResolvedRecipient>, Failure> {
        match self {
            Self::Person(id) => {
                let found = ResolvedRecipient::stored(resolve::person(people, *id)?);
                let mut addresses = found.names.addresses.iter();
                if addresses.any(|known| is_same(known, address)) {
                    Ok(vec![found])
                } else {
                    Err(not_by_the_index())
                }
            }
            Self::Group(name, members) => resolve::members(&format!("@{name}"), people, members),
        }
    }

    fn words(&self, everybody: &[Names]) -> String {
        match self {
            Self::Group(name, _) => format!("the group @{name}"),
            Self::Person(id) => {
                let names = everybody.iter().find(|names| names.id == *id);
                let words = names.map_or_else(String::new, Names::words);
                format!("{words}, {}", fingerprint(id))
            }
        }
    }
}

fn split(address: &str) -> (&str, &str) {
    address.rsplit_once('@').unwrap_or((address, ""))
}

/// The domain in A-labels and small letters (RFC 5890 §2.3.2.1), which is how DNS compares it.
fn domain(text: &str) -> String {
    idna::domain_to_ascii(text).unwrap_or_else(|_| text.to_lowercase())
}

fn exact(address: &str) -> String {
    let (local, host) = split(address);
    format!("{local}@{}", domain(host))
}

fn folded(address: &str) -> String {
    let (local, host) = split(address);
    format!("{}@{}", local.to_ascii_lowercase(), domain(host))
}

/// `bob@example.org` of `bob+lists@example.org` (RFC 5233).
fn undetailed(address: &str) -> Option<String> {
    let (local, host) = split(address);
    let (base, _) = local.split_once('+')?;
    let plain = !base.is_empty() && !local.starts_with('"');
    plain.then(|| format!("{base}@{host}"))
}

/// The index has another address than the card, or not all: the contacts' files are read. Nobody sees this, unless a contact
/// is replaced in the moment between.
fn not_by_the_index() -> Failure {
    Failure::new(Exit::Failed, "cannot read a contact that was just there")
}

/// One failure for all addresses that do not mean one owner.
fn cannot_tell(missing: &[(&str, Match<'_>)], people: &People) -> Result<Failure, Failure> {
    let everybody = people.names().map_err(|error| unreadable(&error))?;
    let what = match missing {
        [(address, _)] => format!("cannot tell who `{}` is", safe(address)),
        _ => format!("cannot tell who {} of the recipients are", missing.len()),
    };
    let mut failure = Failure::new(Exit::Recipient, what);
    for (address, unclear) in missing {
        let Match::Several(owners) = unclear else {
            failure = failure.reason(format!("nobody here has the address {}", safe(address)));
            continue;
        };
        failure = failure.reason(format!("{} fits {}:", safe(address), owners.len()));
        let owners = owners.iter().map(|owner| owner.words(everybody));
        failure.reasons.extend(owners);
    }
    let unknown = missing
        .iter()
        .filter(|(_, unclear)| *unclear == Match::Nobody);
    let unknown: Vec<&str> = unknown.map(|(address, _)| *address).collect();
    Ok(match &unknown[..] {
        [] => failure.hint("remove one of them: `encl contact remove`, `encl group delete`"),
        unknown => failure.hint(hint(unknown, everybody)),
    })
}

/// Somebody alike, if there is one; else how to get cards.
fn hint(unknown: &[&str], everybody: &[Names]) -> String {
    let words = || everybody.iter().flat_map(|names| &names.addresses);
    let alike = unknown.iter().take(SUGGESTIONS_MAX).find_map(|address| {
        let word = resolve::alike(address, words().map(String::as_str))?;
        Some((address, word))
    });
    match (alike, unknown.len()) {
        (Some((_, word)), 1) => format!("did you mean `{}`?", safe(word)),
        (Some((address, word)), _) => {
            format!("did you mean `{}` by {}?", safe(word), safe(address))
        }
        (None, _) => resolve::ask_for_cards(unknown),
    }
}

#[cfg(test)]
mod tests;
