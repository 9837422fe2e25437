//! WHO: people as they are named on the command line. Resolved in one order, never guessed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encl::crypto::signing::RootId;
use encl::identity::{CARRIER_BYTES_MAX, Card, fingerprint, parse_fingerprint};
use encl::keystore::KeystoreError;

use super::people::{Names, People, Person, Trust};
use super::report::{Exit, Failure, system_words};
use super::store::{self, unreadable};
use super::terminal::{safe, shown};

/// What to do about somebody who is not here.
pub(crate) const ASK_FOR_CARD: &str =
    "ask for their card, then `encl contact add FILE`; `encl contact list` shows who is here";

/// Slips of the finger that are worth a "did you mean": letters more, less, other or swapped.
const SLIPS_MAX: usize = 2;

/// Somebody who was named, and whether the keystore has that card.
#[derive(Clone)]
pub(crate) struct Found {
    pub(crate) person: Person,
    pub(crate) card: Carried,
}

/// What the keystore has of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    Stored,
    /// A later card of a contact.
    Update,
    /// Nobody known so far.
    FirstUse,
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
    group: impl FnOnce(&str) -> Result<Vec<RootId>, Failure>,
) -> Result<Vec<Found>, Failure> {
    match kind(who) {
        Kind::Group(name) => members(who, people, &group(name)?),
        Kind::Text(text) => Ok(vec![carried(who, people, text.as_bytes())?]),
        Kind::File(path) => Ok(vec![carried(who, people, &card_file(who, path)?)?]),
        Kind::Name(name) => {
            let id = match people.called(name).map_err(|error| unreadable(&error))? {
                [id] => *id,
                _ => named(name, people.names().map_err(|error| unreadable(&error))?)?,
            };
            Ok(vec![stored(&person(people, id)?)])
        }
    }
}

/// One of my identities.
pub(crate) fn mine<'a>(name: &str, people: &'a People) -> Result<&'a Person, Failure> {
    let names: Vec<Names> = people
        .mine
        .iter()
        .map(|person| Names::of_card(&person.card))
        .collect();
    let id = named(name, &names).map_err(|failure| {
        if people.mine.is_empty() {
            failure.hint("you have no identity: `encl key new ADDRESS` makes one")
        } else {
            failure.hint("`encl key list` shows your identities")
        }
    })?;
    let person = people.mine.iter().find(|person| person.card.id() == id);
    Ok(person.expect("the names were theirs"))
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

/// Somebody whose card the keystore has.
pub(crate) fn stored(person: &Person) -> Found {
    Found {
        person: person.clone(),
        card: Carried::Stored,
    }
}

fn cannot_name(who: &str) -> Failure {
    Failure::new(
        Exit::Recipient,
        format!("cannot tell who `{}` is", safe(who)),
    )
}

fn unknown(name: &str, candidates: &[Names]) -> Failure {
    let failure = cannot_name(name).because("nobody here has that address or name");
    if Path::new(name).is_file() {
        return failure.hint(format!(
            "it is a file here; write `./{}` if it is a card",
            safe(name)
        ));
    }
    match alike(name, candidates.iter().flat_map(Names::all)) {
        Some(word) => failure.hint(format!("did you mean `{}`?", safe(word))),
        None => failure.hint(ASK_FOR_CARD),
    }
}

/// The word most like `name`, if any is.
pub(crate) fn alike<'a>(name: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let slips = |word: &str| strsim::damerau_levenshtein(&name, &word.to_lowercase());
    let near = words
        .map(|word| (slips(word), word))
        .filter(|(slips, word)| {
            let short = word.chars().count().min(name.chars().count());
            *slips <= SLIPS_MAX && 2 * slips < short
        });
    near.min_by_key(|(slips, _)| *slips).map(|(_, word)| word)
}

fn ambiguous(name: &str, fitting: &[&Names]) -> Failure {
    let words = |names: &&Names| format!("{}, {}", names.words(), fingerprint(&names.id));
    let mut failure = cannot_name(name).because(format!("it fits {} people:", fitting.len()));
    failure.because.extend(fitting.iter().map(words));
    failure.hint("use an address or the fingerprint, or remove one of them: `encl contact remove`")
}

/// The members of a group.
pub(crate) fn members(who: &str, people: &People, ids: &[RootId]) -> Result<Vec<Found>, Failure> {
    if ids.is_empty() {
        return Err(cannot_name(who).because("the group is empty"));
    }
    let gone = |id: &RootId| {
        cannot_name(who)
            .because(format!(
                "a member is no contact any more: {}",
                fingerprint(id)
            ))
            .hint("add the card again, or `encl group remove` the member")
    };
    let member = |id: &RootId| {
        let person = people.with_id(*id).map_err(|error| unreadable(&error))?;
        person.as_ref().map(stored).ok_or_else(|| gone(id))
    };
    let mut found = ids
        .iter()
        .map(member)
        .collect::<Result<Vec<_>, Failure>>()?;
    found.sort_by_key(|found| Names::of_card(&found.person.card).place());
    Ok(found)
}

/// Somebody whose card was given, as a file or as text.
fn carried(who: &str, people: &People, text: &[u8]) -> Result<Found, Failure> {
    let card = Card::from_text(text).map_err(|error| {
        Failure::new(
            Exit::Recipient,
            format!("cannot use the card {}", short(who)),
        )
        .because(safe(&error.to_string()))
    })?;
    match people
        .with_id(card.id())
        .map_err(|error| unreadable(&error))?
    {
        Some(known) if card.serial() <= known.card.serial() => Ok(stored(&known)),
        Some(known) if known.trust == Trust::Me => Ok(stored(&known)),
        Some(known) => Ok(Found {
            person: Person {
                card,
                trust: known.trust,
            },
            card: Carried::Update,
        }),
        None => first_use(card, people),
    }
}

/// A card nobody has seen must not take over an address that is somebody's already.
fn first_use(card: Card, people: &People) -> Result<Found, Failure> {
    let mut theirs = card.addresses().iter();
    let others = people.names().map_err(|error| unreadable(&error))?;
    let has = |names: &&Names, address: &String| {
        names
            .addresses
            .iter()
            .any(|known| known.eq_ignore_ascii_case(address))
    };
    let taken = theirs
        .find_map(|address| Some((address, others.iter().find(|names| has(names, address))?)));
    if let Some((address, other)) = taken {
        let (address, known, offered) = (address.clone(), other.id, card.id());
        let what = format!("cannot use the card of {}", safe(card.name()));
        return Err(store::failure(
            &what,
            &KeystoreError::KeyChanged {
                address,
                known,
                offered,
            },
        )
        .because(format!("known {}", fingerprint(&known)))
        .because(format!("given {}", fingerprint(&offered))));
    }
    Ok(Found {
        person: Person {
            card,
            trust: Trust::Unverified,
        },
        card: Carried::FirstUse,
    })
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
                .because(system_words(&error))
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
mod tests {
    use super::*;
    use encl::crypto::Kem;
    use encl::identity::{CardRequest, Identity};
    use encl::keystore::{How, Keystore};

    fn card(name: &str, addresses: &[&str]) -> Card {
        let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
        let now = "2026-11-24T06:24:00Z".parse().unwrap();
        let identity = Identity::generate(Kem::X25519, now, None, &mut rng);
        let request = CardRequest {
            name: name.to_owned(),
            addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
            serial: 1,
            created: now,
        };
        Card::new(&identity, request).unwrap()
    }

    /// Contacts in a keystore of their own.
    struct Known {
        _folder: tempfile::TempDir,
        people: People,
    }

    impl std::ops::Deref for Known {
        type Target = People;

        fn deref(&self) -> &People {
            &self.people
        }
    }

    fn people(cards: &[&Card]) -> Known {
        let folder = tempfile::tempdir().unwrap();
        let keystore = Keystore::at(folder.path().join("encl"));
        for card in cards {
            keystore.accept(card, How::Added, card.created()).unwrap();
        }
        let people = People::read(keystore).unwrap();
        Known {
            _folder: folder,
            people,
        }
    }

    fn no_group(_: &str) -> Result<Vec<RootId>, Failure> {
        unreachable!("no group was named")
    }

    fn one(who: &str, people: &People) -> Result<Found, Failure> {
        resolve(who, people, no_group).map(|mut found| found.remove(0))
    }

    #[test]
    fn the_look_decides_the_kind() {
        assert_eq!(kind("@finance"), Kind::Group("finance"));
        assert_eq!(kind("encl-card1:abc/def"), Kind::Text("encl-card1:abc/def"));
        assert_eq!(kind("./bob"), Kind::File(Path::new("./bob")));
        assert_eq!(kind("bob.card"), Kind::File(Path::new("bob.card")));
        assert_eq!(kind("bob@example.org"), Kind::Name("bob@example.org"));
    }

    #[test]
    fn names_are_whole_and_without_regard_to_case() {
        let (bob, other) = (
            card("Bob", &["bob@example.org", "b@example.com"]),
            card("Bobby", &["x@example.org"]),
        );
        let people = people(&[&bob, &other]);
        for who in [
            "BOB",
            "Bob@Example.Org",
            "b@example.com",
            &fingerprint(&bob.id()),
        ] {
            assert_eq!(
                one(who, &people).unwrap().person.card.id(),
                bob.id(),
                "{who}"
            );
        }
        assert_eq!(one("bo", &people).err().unwrap().exit, Exit::Recipient);
    }

    #[test]
    fn two_candidates_are_both_listed() {
        let one_bob = card("Bob", &["bob@example.org"]);
        let two_bob = card("bob", &["bob@example.com"]);
        let failure = one("BOB", &people(&[&one_bob, &two_bob])).err().unwrap();
        let text = failure.lines().join("\n");
        assert!(
            text.contains("bob@example.org") && text.contains("bob@example.com"),
            "{text}"
        );
    }

    #[test]
    fn a_mistyped_contact_is_offered_and_not_taken() {
        let bob = card("Bob", &["bob@example.org"]);
        let failure = one("bob@exmaple.org", &people(&[&bob])).err().unwrap();
        assert_eq!(
            failure.hint.as_deref(),
            Some("did you mean `bob@example.org`?")
        );
        assert_eq!(
            alike("nobody@example.org", ["bob@example.org"].into_iter()),
            None
        );
    }

    #[test]
    fn a_pasted_card_of_a_stranger_is_first_use_and_one_of_a_contact_is_stored() {
        let bob = card("Bob", &["bob@example.org"]);
        assert_eq!(
            one(bob.to_text(), &people(&[])).unwrap().card,
            Carried::FirstUse
        );
        assert_eq!(
            one(bob.to_text(), &people(&[&bob])).unwrap().card,
            Carried::Stored
        );
    }

    #[test]
    fn another_key_for_a_known_address_is_refused() {
        let (bob, mallory) = (
            card("Bob", &["bob@example.org"]),
            card("Bob", &["BOB@example.org"]),
        );
        let failure = one(mallory.to_text(), &people(&[&bob])).err().unwrap();
        assert_eq!(failure.exit, Exit::Recipient);
    }

    #[test]
    fn a_group_gives_its_members_and_misses_nobody() {
        let bob = card("Bob", &["bob@example.org"]);
        let people = people(&[&bob]);
        let found = resolve("@g", &people, |_| Ok(vec![bob.id()])).unwrap();
        assert_eq!(found.len(), 1);
        assert!(resolve("@g", &people, |_| Ok(vec![bob.id(), RootId([7; 32])])).is_err());
        assert!(resolve("@g", &people, |_| Ok(vec![])).is_err());
    }
}
