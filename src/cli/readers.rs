//! Who may read what is wrapped: names resolved, nobody dropped, everybody counted.

use encl::crypto::Kem;
use encl::envelope::{Addressee, KeyDirectory, Person as KnownPerson};
use encl::identity::{Card, CardKey, fingerprint};
use encl::policy::Recipient;

use super::context::Context;
use super::people::{Names, People, Person, Trust};
use super::quorums::Together;
use super::report::{Exit, Failure};
use super::rules;
use super::store;
use super::terminal::safe;
use super::trust;
use super::when;
use super::who::{self, Carried, Found};

/// Names shown in a summary before "and N more".
pub(crate) const NAMES_SHOWN: usize = 5;

/// Everybody who may read.
pub(crate) struct Readers {
    /// Any one of whom is enough, each once, in the order of the command line.
    found: Vec<Found>,
    pub(crate) addressees: Vec<Addressee>,
    /// Those who must come together, besides.
    pub(crate) quorums: Vec<Together>,
}

impl Readers {
    /// Resolves all of `names`, and adds `me`. One name that cannot be used is a failure of all.
    pub(crate) fn resolve(
        names: &[String],
        me: Option<&Person>,
        people: &People,
        context: &Context,
    ) -> Result<Self, Failure> {
        Self::of_found(Self::find(names, people, context)?, me, context)
    }

    /// Everybody whom `names` name.
    pub(crate) fn find(
        names: &[String],
        people: &People,
        context: &Context,
    ) -> Result<Vec<Found>, Failure> {
        who::resolve_all(names, people, |group| store::group(context, group))
    }

    /// Those who were found, each once, and `me`.
    pub(crate) fn of_found(
        mut found: Vec<Found>,
        me: Option<&Person>,
        context: &Context,
    ) -> Result<Self, Failure> {
        found.extend(me.map(|me| Found::stored(me.clone())));
        let mut seen = std::collections::HashSet::new();
        found.retain(|found| seen.insert(found.names.id));
        let addressees = addressees(&mut found, context)?;
        Ok(Self {
            found,
            addressees,
            quorums: Vec::new(),
        })
    }

    /// These, and those who must come together.
    pub(crate) fn and(self, quorums: Vec<Together>) -> Self {
        Self { quorums, ..self }
    }

    /// Everybody once, whatever the lock, with the key that is sealed to.
    pub(crate) fn everybody(&self) -> Vec<(&Found, &Addressee)> {
        let quorums = self.quorums.iter();
        let quorums = quorums.flat_map(|one| one.found.iter().zip(&one.addressees));
        let mut all: Vec<_> = self.found.iter().zip(&self.addressees).collect();
        all.extend(quorums);
        if !self.quorums.is_empty() {
            let mut seen = std::collections::HashSet::new();
            all.retain(|(found, _)| seen.insert(found.names.id));
        }
        all
    }

    /// Fails when anybody but me was never verified.
    pub(crate) fn require_verified(&self) -> Result<(), Failure> {
        let unverified = self.with(|found| !matches!(found.trust, Trust::Me | Trust::Verified));
        if unverified.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(
                Exit::Recipient,
                "cannot wrap for somebody who was never verified",
            )
            .because(format!("not verified: {}", names(&unverified)))
            .hint("`encl contact verify WHO` compares a number with each of them"))
        }
    }

    /// Stores the cards that are new, and says what should be known about the others.
    pub(crate) fn remember(&self, context: &Context) -> Result<(), Failure> {
        let everybody = self.everybody();
        let card = |(found, _): &(&Found, _)| found.card.unstored().cloned();
        let cards: Vec<Card> = everybody.iter().filter_map(card).collect();
        if !cards.is_empty() {
            store::remember(context, &cards)?;
        }
        for (found, _) in everybody {
            let words = found.names.words();
            context.terminal.notice(&match found.card {
                Carried::Stored => continue,
                Carried::FirstUse(_) => {
                    let fingerprint = fingerprint(&found.names.id);
                    format!("{words} is a contact now, unverified (first use): {fingerprint}")
                }
                Carried::Update(_) => format!("{words}: a later card was stored"),
            });
        }
        self.announce(context);
        Ok(())
    }

    fn announce(&self, context: &Context) {
        let known = |found: &Found| {
            found.trust == Trust::Unverified && !matches!(found.card, Carried::FirstUse(_))
        };
        let unverified = self.with(known);
        if !unverified.is_empty() {
            context
                .terminal
                .notice(&format!("not verified yet: {}", names(&unverified)));
        }
        let unproven = self.with(|found| found.trust == Trust::Unproven);
        if !unproven.is_empty() {
            context.terminal.notice(&format!(
                "not verified on this machine, though the keystore says so: {}; `encl contact verify WHO` does it here",
                names(&unproven)
            ));
        }
        let everybody = self.everybody();
        let classic: Vec<String> = (everybody.iter())
            .filter(|(_, addressee)| addressee.public.kem() == Kem::X25519)
            .map(|(found, _)| found.names.words())
            .collect();
        if !classic.is_empty() && classic.len() < everybody.len() {
            let classic = names(&classic);
            context.terminal.notice(&format!(
                "a classic key, no shield against quantum computers: {classic}"
            ));
        }
    }

    /// "for 2 people: Bob <bob@example.org> and you"
    pub(crate) fn summary(&self, passphrase: bool) -> String {
        if !self.quorums.is_empty() {
            return self.rule(passphrase);
        }
        let people: Vec<String> = self.found.iter().map(words).collect();
        let by_name = match people.len() {
            0 => return "for whoever knows the passphrase".to_owned(),
            1 => format!("for 1 person: {}", people[0]),
            number => format!("for {number} people: {}", names(&people)),
        };
        if passphrase {
            by_name + "; and for whoever knows the passphrase"
        } else {
            by_name
        }
    }

    /// "for 4 people: any one of Bob and you, and also Carol and Dan together"
    fn rule(&self, passphrase: bool) -> String {
        let mut locks = Vec::new();
        if passphrase || !self.found.is_empty() {
            let people: Vec<_> = self.found.iter().map(words).collect();
            locks.push(rules::lock(1, &people, passphrase));
        }
        locks.extend(self.quorums.iter().map(Together::words));
        let count = match self.everybody().len() {
            1 => "1 person".to_owned(),
            number => format!("{number} people"),
        };
        format!("for {count}: {}", rules::all(&locks))
    }

    fn with(&self, test: impl Fn(&Found) -> bool) -> Vec<String> {
        let everybody = self.everybody().into_iter();
        everybody
            .filter(|(found, _)| test(found))
            .map(|(found, _)| found.names.words())
            .collect()
    }
}

/// The people with their current keys.
pub(crate) fn addressees(
    found: &mut [Found],
    context: &Context,
) -> Result<Vec<Addressee>, Failure> {
    let addressees = found.iter().map(|found| addressee(found, context));
    let addressees = addressees.collect::<Result<_, _>>()?;
    // Of thousands of people nothing is kept that is not needed any more.
    for found in found {
        found.keys = Vec::new();
    }
    Ok(addressees)
}

pub(crate) fn words(found: &Found) -> String {
    match found.trust {
        Trust::Me => "you".to_owned(),
        _ => found.names.words(),
    }
}

/// `a`, `a and b`, `a, b, c, d, e and 995 more`.
pub(crate) fn names(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if words.len() <= NAMES_SHOWN => {
            format!("{} and {last}", first.join(", "))
        }
        _ => format!(
            "{} and {} more",
            words[..NAMES_SHOWN].join(", "),
            words.len() - NAMES_SHOWN
        ),
    }
}

/// A person as the policy names them: with what stands on the card, never with a nickname. Nobody who is changed, revoked or
/// blocked.
fn addressee(found: &Found, context: &Context) -> Result<Addressee, Failure> {
    if found.trust.stops() {
        let what = format!("cannot wrap for {}", found.names.words());
        return Err(trust::stopped(what, found.trust, &found.names));
    }
    current(found, context)
}

/// The same of whoever may read already.
fn current(found: &Found, context: &Context) -> Result<Addressee, Failure> {
    let key = CardKey::current(&found.keys, context.now).ok_or_else(|| expired(found))?;
    let Names {
        id,
        name,
        addresses,
    } = &found.names;
    Ok(Addressee {
        recipient: Recipient {
            name: name.clone(),
            address: addresses.first().cloned(),
            id: *id,
            key: key.public.key_id(),
        },
        public: key.public.clone(),
    })
}

/// Somebody with all keys that the card certifies.
pub(crate) fn person(found: &Found, context: &Context) -> Result<KnownPerson, Failure> {
    Ok(known_person(found, addressee(found, context)?))
}

fn known_person(found: &Found, current: Addressee) -> KnownPerson {
    KnownPerson {
        current,
        keys: found.keys.iter().map(|key| key.public.key_id()).collect(),
    }
}

/// Everybody whom the keystore knows and whose key can be sealed to.
pub(crate) fn known(people: &People, context: &Context) -> Result<KeyDirectory, Failure> {
    let names = people.names().map_err(|error| store::unreadable(&error))?;
    let ids = names.iter().map(|names| (names.id, ())).collect();
    let read = people.with_ids(ids, |found, ()| {
        // Whose key has expired cannot be sealed to, and that is told when it has to be. Whoever is blocked is known all the
        // same, or else could not be taken out.
        let found = Found::stored(found);
        let current = current(&found, context).ok()?;
        Some(known_person(&found, current))
    });
    let mut known = Vec::new();
    for person in read {
        let person = person.map_err(|error| store::unreadable(&error))?;
        known.extend(person.flatten());
    }
    Ok(KeyDirectory::new(known))
}

fn expired(found: &Found) -> Failure {
    let last = found.keys.iter().filter_map(|key| key.expires).max();
    let when = last.map_or_else(String::new, |last| format!(" at {}", when::local(last)));
    Failure::new(
        Exit::Recipient,
        format!("cannot wrap for {}", found.names.words()),
    )
    .because(format!(
        "the key on the card of {} expired{when}",
        safe(&found.names.name)
    ))
    .hint("ask for a new card")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_counted() {
        let words: Vec<String> = (1..=7).map(|n| n.to_string()).collect();
        assert_eq!(names(&words[..1]), "1");
        assert_eq!(names(&words[..2]), "1 and 2");
        assert_eq!(names(&words[..5]), "1, 2, 3, 4 and 5");
        assert_eq!(names(&words), "1, 2, 3, 4, 5 and 2 more");
    }
}
