//! What has to change so that an envelope is for the right people: nothing, more slots, or everything sealed anew.

use std::collections::HashSet;

use super::readers::Reader;
use super::seal::Addressee;
use crate::crypto::KeyId;
use crate::crypto::passphrase::Cost;
use crate::crypto::signing::RootId;
use crate::policy::{Policy, Recipient};

/// Somebody as the keystore knows them.
#[derive(Clone)]
pub struct Person {
    /// Name and ids, with the key that is sealed to now.
    pub current: Addressee,
    /// All keys that the person's card certifies, older ones too. A slot for any other is not this person's for certain,
    /// whatever name stands at it.
    pub keys: Vec<KeyId>,
}

/// Who shall have access.
#[derive(Clone, Copy)]
pub enum Wish<'a> {
    /// Whoever has it now, with the keys that they have now.
    CurrentKeys,
    /// Whoever has it now but for these, with the keys that they have now.
    Without(&'a [RootId]),
    /// In this lock, these and nobody else; in all others whoever has it now.
    Exactly(u16, &'a [Person]),
}

/// How an envelope is brought in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is right as it is.
    Nothing,
    /// Slots are added; payload and signature stay.
    Add,
    /// It is sealed anew.
    Reseal,
}

/// One difference between what is and what is wished, in a lock.
#[derive(Clone)]
pub enum Change {
    /// Somebody has no access yet.
    Joins(u16, Addressee),
    /// Somebody has access with an older key only.
    NewKey(u16, Addressee),
    /// Somebody shall have access no more.
    Leaves(u16, Reader),
}

/// What has to change, and why.
pub struct Plan {
    /// What has to be done.
    pub action: Action,
    /// Why.
    pub changes: Vec<Change>,
    /// Who remains in each lock, for sealing anew.
    pub remaining: Vec<Remaining>,
    /// The author, whose signature is lost when somebody else seals anew.
    pub signature_lost: Option<RootId>,
}

/// Who remains in one lock.
pub struct Remaining {
    /// How many have to come together.
    pub need: u8,
    /// The people, each with one key.
    pub people: Vec<Addressee>,
    /// The cost of a passphrase, which somebody has to know to seal anew.
    pub passphrase: Option<Cost>,
    /// Readers who remain and whose current key nobody knows. With such a one the envelope cannot be sealed anew.
    pub unknown: Vec<Reader>,
}

/// The envelope that is to be brought in line, as it was found when it was opened.
pub struct Present<'a> {
    /// Line 2.
    pub policy: &'a Policy,
    /// Who has access: [`Opened::readers`](super::Opened::readers), or the manifest's where it is not private.
    pub readers: &'a [Reader],
    /// The author, if it is signed.
    pub signer: Option<RootId>,
}

impl Present<'_> {
    /// Compares what is with what is wished. `known` are the people of the keystore; `me` is whoever acts.
    #[must_use]
    pub fn plan(&self, wish: Wish<'_>, known: &[Person], me: RootId) -> Plan {
        let mut plan = Plan {
            action: Action::Nothing,
            changes: Vec::new(),
            remaining: Vec::new(),
            signature_lost: None,
        };
        for (number, lock) in (0..).zip(&self.policy.locks) {
            let mut draft = Draft {
                number,
                present: self,
                known,
                me,
                action: Action::Nothing,
                changes: Vec::new(),
                remaining: Remaining {
                    need: lock.need,
                    people: Vec::new(),
                    passphrase: lock.passphrase,
                    unknown: Vec::new(),
                },
            };
            match wish {
                Wish::Exactly(wished, people) if wished == number => draft.exactly(people),
                Wish::Without(leavers) => draft.without(leavers),
                Wish::CurrentKeys | Wish::Exactly(..) => draft.without(&[]),
            }
            plan.action = plan.action.max(draft.action);
            plan.changes.extend(draft.changes);
            plan.remaining.push(draft.remaining);
        }
        plan.signature_lost = self
            .signer
            .filter(|by| plan.action == Action::Reseal && *by != me);
        plan
    }
}

/// The plan of one lock.
struct Draft<'a> {
    number: u16,
    present: &'a Present<'a>,
    known: &'a [Person],
    me: RootId,
    action: Action,
    changes: Vec<Change>,
    remaining: Remaining,
}

impl<'a> Draft<'a> {
    fn readers(&self) -> impl Iterator<Item = &'a Reader> + use<'a> {
        let number = self.number;
        self.present
            .readers
            .iter()
            .filter(move |reader| reader.lock == number)
    }

    /// Everybody but the leavers remains, with the current key.
    fn without(&mut self, leavers: &[RootId]) {
        let mut done = HashSet::new();
        for reader in self.readers() {
            let person = self.known.iter().find(|one| one.is_behind(reader));
            let said = reader.person.as_ref().map(|person| person.id);
            let ids = [said, person.map(Person::id)];
            if ids.iter().flatten().any(|id| leavers.contains(id)) {
                self.leaves(reader);
                continue;
            }
            match person {
                None => self.remaining.unknown.push(reader.clone()),
                // One slot of a person is enough.
                Some(person) if done.insert(person.id()) => self.stays(person),
                Some(_) => {}
            }
        }
        for reader in self.without_slots() {
            let id = reader.person.as_ref().map(|person| person.id);
            if id.is_some_and(|id| leavers.contains(&id)) {
                self.leaves(&reader);
            }
        }
    }

    /// Whom the policy names and who has no slot any more: they may have kept the key, and are not let in again unasked.
    fn without_slots(&self) -> Vec<Reader> {
        let recipients = self.present.policy.locks[usize::from(self.number)].recipients();
        let keys: HashSet<KeyId> = self.readers().map(|reader| reader.key).collect();
        let dropped = recipients.iter().filter(|one| !keys.contains(&one.key));
        let reader = |one: &Recipient| Reader {
            lock: self.number,
            key: one.key,
            person: Some(one.clone()),
            is_named: true,
        };
        dropped.map(reader).collect()
    }

    /// Everybody who is wished, and no key but theirs.
    fn exactly(&mut self, wished: &[Person]) {
        let dropped = self.without_slots();
        for reader in self.readers().chain(&dropped) {
            if !wished.iter().any(|one| one.keys.contains(&reader.key)) {
                self.leaves(reader);
            }
        }
        for one in wished {
            self.stays(one);
        }
    }

    fn leaves(&mut self, reader: &Reader) {
        self.action = Action::Reseal;
        self.changes
            .push(Change::Leaves(self.number, reader.clone()));
    }

    /// Somebody who shall have access with the current key.
    fn stays(&mut self, person: &Person) {
        let one = &person.current;
        self.remaining.people.push(one.clone());
        let key = one.public.key_id();
        if self.readers().any(|reader| reader.key == key) {
            return;
        }
        let has_access = self.readers().any(|reader| person.is_behind(reader));
        // A share is somebody's own: the holder alone can seal it to another key, and a new one has to be split off.
        let is_quorum = self.remaining.need > 1;
        let own_key = has_access && person.id() == self.me;
        let action = if self.present.policy.private || (is_quorum && !own_key) {
            Action::Reseal
        } else {
            Action::Add
        };
        self.action = self.action.max(action);
        self.changes.push(if has_access {
            Change::NewKey(self.number, one.clone())
        } else {
            Change::Joins(self.number, one.clone())
        });
    }
}

impl Person {
    fn id(&self) -> RootId {
        self.current.recipient.id
    }

    /// By the key, which the card certifies; else as the envelope says.
    fn is_behind(&self, reader: &Reader) -> bool {
        let said = reader.person.as_ref();
        self.keys.contains(&reader.key) || said.is_some_and(|said| said.id == self.id())
    }
}
