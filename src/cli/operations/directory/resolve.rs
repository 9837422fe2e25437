//! WHO: people as they are named on the command line. Resolved in one order, never guessed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encl::crypto::signing::RootId;
use encl::identity::{CARRIER_BYTES_MAX, Card, CardKey, fingerprint, parse_fingerprint};
use encl::keystore::KeystoreError;

use crate::cli::errors::keystore;
use crate::cli::errors::keystore::unreadable;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::operations::directory::people::{Names, People, Person, Trust};
use crate::cli::terminal::escape::typed;
use crate::cli::terminal::{safe, shown};

/// What to do about somebody who is not here, and who was not named by an address.
const ASK_FOR_CARD: &str =
    "ask for their card, then `encl contact add FILE`; `encl contact list` shows who is here";

/// Slips of the finger that are worth a "did you mean": letters more, less, other or swapped.
const SLIPS_MAX: usize = 2;

/// Somebody who was named, and whether the keystore has that card. Of thousands of cards only what is needed is kept.
#[derive(Clone)]
pub(crate) struct ResolvedRecipient {
    pub(crate) names: Names,
    pub(crate) trust: Trust,
    pub(crate) keys: Vec<CardKey>,
    pub(crate) card: CardState,
}

/// What the keystore has of a card.
#[derive(Clone)]
pub(crate) enum CardState {
    Stored,
    /// A later card of a contact.
    Update(Box<Card>),
    /// Nobody known so far.
    FirstUse(Box<Card>),
}

impl ResolvedRecipient {
    /// Somebody whose card the keystore has.
    pub(crate) fn stored(person: Person) -> Self {
        Self::of(person, |_| CardState::Stored)
    }

    fn of(Person { card, trust }: Person, carried: fn(Box<Card>) -> CardState) -> Self {
        Self {
            names: Names::of_card(&card),
            trust,
            keys: card.keys().to_vec(),
            card: carried(Box::new(card)),
        }
    }
}

impl CardState {
    /// The card, if the keystore has it not.
    pub(crate) fn unstored(&self) -> Option<&Card> {
        match self {
            Self::Stored => None,
            Self::Update(card) | Self::FirstUse(card) => Some(card),
        }
    }
}

/// The kinds of WHO, by their look alone.
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

/// Everybody whom WHO names: one person, or the members of a group.
pub(crate) fn resolve(
    who: &str,
    people: &People,
    group: impl Fn(&str) -> Result<Vec<RootId>, Failure>,
) -> Result<Vec<ResolvedRecipient>, Failure> {
    resolve_all(&[who.to_owned()], people, group)
}

/// Everybody whom all these name, in their order; the first that cannot be told is the failure.
pub(crate) fn resolve_all(
    names: &[String],
    people: &People,
    group: impl Fn(&str) -> Result<Vec<RootId>, Failure>,
) -> Result<Vec<ResolvedRecipient>, Failure> {
    let mut found = Vec::new();
    // Contacts named one after the other are read together.
    let mut named = Vec::new();
    for who in names {
        let kind = kind(who);
        if let Kind::Name(name) = kind {
            named.push(name);
            continue;
        }
        found.extend(called(&std::mem::take(&mut named), people)?);
        match kind {
            Kind::Group(name) => found.extend(members(who, people, &group(name)?)?),
            Kind::Text(text) => found.push(carried(who, people, text.as_bytes())?),
            Kind::File(path) => found.push(carried(who, people, &card_file(who, path)?)?),
            Kind::Name(_) => unreachable!("taken above"),
        }
    }
    found.extend(called(&named, people)?);
    Ok(found)
}

/// Those who are called so, by address, name or fingerprint, in the order of `names`.
fn called(names: &[&str], people: &People) -> Result<Vec<ResolvedRecipient>, Failure> {
    let mut ids = Vec::new();
    let mut unclear = None;
    for name in names {
        let id = match people.called(name).map_err(|error| unreadable(&error))? {
            Some(id) => Ok(id),
            None => named_in_files(name, people),
        };
        match id {
            Ok(id) => ids.push(id),
            Err(failure) => {
                unclear = Some(failure);
                break;
            }
        }
    }
    // Whoever was found by the keystore's index has to be called so by the card itself.
    let mut found = Vec::new();
    let all = ids.iter().copied().zip(names.iter().copied());
    let turned =
        |person: Person, name: &str| (person.is_called(name), ResolvedRecipient::stored(person));
    for ((id, name), read) in all.clone().zip(people.with_ids(all.collect(), turned)) {
        found.push(match read.map_err(|error| unreadable(&error))? {
            Some((true, found)) => found,
            _ if parse_fingerprint(name) == Some(id) => {
                ResolvedRecipient::stored(person(people, id)?)
            }
            _ => ResolvedRecipient::stored(person(people, named_in_files(name, people)?)?),
        });
    }
    unclear.map_or(Ok(found), Err)
}

fn named_in_files(name: &str, people: &People) -> Result<RootId, Failure> {
    named(name, people.names().map_err(|error| unreadable(&error))?)
}

/// One of my identities.
pub(crate) fn mine<'a>(name: &str, people: &'a People) -> Result<&'a Person, Failure> {
    let names: Vec<Names> = people
        .mine
        .iter()
        .map(|person| Names::of_card(&person.card))
        .collect();
    let id = named(name, &names).map_err(|failure| {
        let former = people.former.iter().map(|me| Names::of_card(&me.card));
        if named(name, &former.collect::<Vec<_>>()).is_ok() {
            return ended(format!("cannot use your identity `{}`", safe(name)));
        }
        if people.mine.is_empty() {
            failure.hint("you have no identity: `encl key new ADDRESS` makes one")
        } else {
            failure.hint("`encl key list` shows your identities")
        }
    })?;
    let person = people.mine.iter().find(|person| person.card.id() == id);
    Ok(person.expect("the names were theirs"))
}

/// Whoever has only identities that are not used any more has to say what to do instead.
pub(crate) fn refuse_former(what: &str, people: &People) -> Result<(), Failure> {
    if people.former.is_empty() {
        Ok(())
    } else {
        Err(ended(what))
    }
}

/// One of mine that is not used any more.
pub(crate) fn ended(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Recipient, what)
        .reason("it was revoked or replaced, and only opens what was sealed to it")
        .hint("`encl key new ADDRESS` makes another; `encl key list` shows what you have")
}

/// One of `candidates`, by address, name or fingerprint, whole and without regard to case.
pub(crate) fn named(name: &str, candidates: &[Names]) -> Result<RootId, Failure> {
    let wanted = name.to_lowercase();
    let id = parse_fingerprint(name);
    let fits = |names: &&Names| {
        id == Some(names.id) || names.all().any(|word| word.to_lowercase() == wanted)
    };
    let mut fitting: Vec<&Names> = candidates.iter().filter(fits).collect();
    fitting.dedup_by_key(|names| names.id);
    match fitting[..] {
        [names] => Ok(names.id),
        [] => Err(unknown(name, candidates)),
        _ => Err(ambiguous(name, &fitting)),
    }
}

/// The person of one of the names.
pub(crate) fn person(people: &People, id: RootId) -> Result<Person, Failure> {
    let person = people.with_id(id).map_err(|error| unreadable(&error))?;
    person.ok_or_else(|| Failure::new(Exit::Failed, "cannot read a contact that was just there"))
}

fn cannot_name(who: &str) -> Failure {
    Failure::new(
        Exit::Recipient,
        format!("cannot tell who `{}` is", safe(who)),
    )
}

fn unknown(name: &str, candidates: &[Names]) -> Failure {
    let failure = cannot_name(name).reason("nobody here has that address or name");
    if Path::new(name).is_file() {
        return failure.hint(format!(
            "it is a file here; write `./{}` if it is a card",
            safe(name)
        ));
    }
    match alike(name, candidates.iter().flat_map(Names::all)) {
        Some(word) => failure.hint(format!("did you mean `{}`?", safe(word))),
        None => failure.hint(ask_for_cards(&[name])),
    }
}

/// What to do about people who are not here: mail an invitation to an address.
pub(crate) fn ask_for_cards(names: &[&str]) -> String {
    let is_address = |name: &&str| {
        let parts = name.rsplit_once('@');
        parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
    };
    let address = match names {
        _ if !names.iter().all(is_address) => return ASK_FOR_CARD.to_owned(),
        [one] => typed(one, "ADDRESS"),
        _ => "ADDRESS".to_owned(),
    };
    let whom = if names.len() == 1 { "them" } else { "each" };
    format!(
        "`encl invite {address}` prints an invitation to mail to {whom}; `encl contact list` shows who is here"
    )
}

/// The word most like `name`, if any is.
pub(crate) fn alike<'a>(name: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let letters = name.chars().count();
    let slips = |word: &str| strsim::damerau_levenshtein(&name, &word.to_lowercase());
    // Every slip changes the length by one at most: comparing a name without end with thousands would take minutes.
    let near = words
        .filter(|word| word.to_lowercase().chars().count().abs_diff(letters) <= SLIPS_MAX)
        .map(|word| (slips(word), word))
        .filter(|(slips, word)| {
            let short = word.chars().count().min(name.chars().count());
            *slips <= SLIPS_MAX && 2 * slips < short
        });
    near.min_by_key(|(slips, _)| *slips).map(|(_, word)| word)
}

fn ambiguous(name: &str, fitting: &[&Names]) -> Failure {
    let words = |names: &&Names| format!("{}, {}", names.words(), fingerprint(&names.id));
    let mut failure = cannot_name(name).reason(format!("it fits {} people:", fitting.len()));
    failure.reasons.extend(fitting.iter().map(words));
    failure.hint("use an address or the fingerprint, or remove one of them: `encl contact remove`")
}

/// The members of a group.
pub(crate) fn members(
    who: &str,
    people: &People,
    ids: &[RootId],
) -> Result<Vec<ResolvedRecipient>, Failure> {
    if ids.is_empty() {
        return Err(cannot_name(who).reason("the group is empty"));
    }
    let gone = |id: &RootId| {
        cannot_name(who)
            .reason(format!(
                "a member is no contact any more: {}",
                fingerprint(id)
            ))
            .hint("add the card again, or `encl group remove` the member")
    };
    let read = people.with_ids(ids.iter().map(|id| (*id, ())).collect(), |person, ()| {
        ResolvedRecipient::stored(person)
    });
    let member = |(id, read): (&RootId, Result<Option<ResolvedRecipient>, KeystoreError>)| {
        let found = read.map_err(|error| unreadable(&error))?;
        found.ok_or_else(|| gone(id))
    };
    let mut found = ids
        .iter()
        .zip(read)
        .map(member)
        .collect::<Result<Vec<_>, Failure>>()?;
    found.sort_by_cached_key(|found| found.names.place());
    Ok(found)
}

/// Somebody whose card was given, as a file or as text.
fn carried(who: &str, people: &People, text: &[u8]) -> Result<ResolvedRecipient, Failure> {
    let card = Card::from_text(text).map_err(|error| {
        Failure::new(
            Exit::Recipient,
            format!("cannot use the card {}", short(who)),
        )
        .reason(safe(&error.to_string()))
    })?;
    match people
        .with_id(card.id())
        .map_err(|error| unreadable(&error))?
    {
        Some(known) if known.trust == Trust::Me => Ok(ResolvedRecipient::stored(known)),
        Some(known) if card.serial() == known.card.serial() && card != known.card => {
            let what = format!("cannot use the card of {}", safe(card.name()));
            let serial = card.serial();
            Err(keystore::failure(
                &what,
                &KeystoreError::OtherCard { serial },
            ))
        }
        Some(known) if card.serial() <= known.card.serial() => Ok(ResolvedRecipient::stored(known)),
        Some(Person { trust, .. }) => Ok(ResolvedRecipient::of(
            Person { card, trust },
            CardState::Update,
        )),
        None => first_use(card, people),
    }
}

/// A card nobody has seen must not take over an address that is somebody's already.
fn first_use(card: Card, people: &People) -> Result<ResolvedRecipient, Failure> {
    let mut theirs = card.addresses().iter();
    let others = people.names().map_err(|error| unreadable(&error))?;
    let has = |names: &&Names, address: &String| {
        names
            .addresses
            .iter()
            .any(|known| known.eq_ignore_ascii_case(address))
            && !card.is_successor_of(&names.id)
    };
    let taken = theirs
        .find_map(|address| Some((address, others.iter().find(|names| has(names, address))?)));
    if let Some((address, other)) = taken {
        let (address, known, offered) = (address.clone(), other.id, card.id());
        let what = format!("cannot use the card of {}", safe(card.name()));
        return Err(keystore::failure(
            &what,
            &KeystoreError::KeyChanged {
                address,
                known,
                offered,
            },
        )
        .reason(format!("known {}", fingerprint(&known)))
        .reason(format!("given {}", fingerprint(&offered))));
    }
    // Somebody who was blocked and removed is so when the card comes back.
    let trust = match people.remembered(card.id()) {
        trust if trust.stops() => trust,
        _ => Trust::Unverified,
    };
    Ok(ResolvedRecipient::of(
        Person { card, trust },
        CardState::FirstUse,
    ))
}

/// At most one byte more than a card can have, so that longer files are refused as too long.
fn card_file(who: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let read = |file: File| {
        file.take(CARRIER_BYTES_MAX as u64 + 1)
            .read_to_end(&mut text)
    };
    File::open(path)
        .and_then(read)
        .map_err(|error: io::Error| {
            let what = format!("cannot read the card {}", shown(path));
            let failure = Failure::new(Exit::Recipient, what)
                .reason(io_message(&error))
                .file(path);
            if who.contains('/') {
                failure
            } else {
                failure.hint("a WHO that ends in .card, or has a slash, is a card file")
            }
        })?;
    Ok(text)
}

/// A pasted card is long; a path is not.
fn short(who: &str) -> String {
    if Card::is_text(who) {
        "that was pasted".to_owned()
    } else {
        safe(who)
    }
}

#[cfg(test)]
mod tests;
