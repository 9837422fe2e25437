//! What has to change so that an envelope is for the right people: nothing, more slots, or everything sealed anew.

use std::collections::{HashMap, HashSet};

use super::readers::Reader;
use super::seal::Addressee;
use crate::crypto::KeyId;
use crate::crypto::passphrase::Cost;
use crate::crypto::signing::RootId;
use crate::policy::{Lock, Policy};

/// Somebody as the keystore knows them.
#[derive(Clone)]
pub struct Person {
    /// Name and ids, with the key that is sealed to now.
    pub current: Addressee,
    /// All keys that the person's card certifies, older ones too. A slot for any other is not this person's for certain,
    /// whatever name stands at it.
    pub keys: Vec<KeyId>,
}

/// People of the keystore, found by their keys and ids.
#[derive(Default)]
pub struct KeyDirectory {
    people: Vec<Person>,
    by_key: HashMap<KeyId, usize>,
    by_id: HashMap<RootId, usize>,
}

/// Those who shall have access no more.
#[derive(Debug, Clone, Default)]
pub struct Removals {
    /// In this lock; `None`: in all.
    pub lock: Option<u16>,
    /// By their root keys.
    pub people: HashSet<RootId>,
    /// By the keys of their slots, where nobody knows whose they are.
    pub keys: HashSet<KeyId>,
}

/// Who shall have access.
#[derive(Clone, Copy)]
pub enum DesiredAccess<'a> {
    /// Whoever has it now, with the keys that they have now.
    CurrentKeys,
    /// Whoever has it now but for these, with the keys that they have now.
    Without(&'a Removals),
    /// In this lock, these and nobody else; in all others whoever has it now.
    Exactly(u16, &'a KeyDirectory),
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
    Added(u16, Addressee),
    /// Somebody has access with an older key only.
    NewKey(u16, Addressee),
    /// Somebody shall have access no more.
    Removed(u16, Reader),
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
pub struct CurrentAccess<'a> {
    /// Line 2.
    pub policy: &'a Policy,
    /// Who has access: [`Opened::readers`](super::Opened::readers), or the manifest's where it is not private.
    pub readers: &'a [Reader],
    /// The author, if it is signed.
    pub signer: Option<RootId>,
}

impl CurrentAccess<'_> {
    /// Compares what is with what is wished. `me` is whoever acts, and signs what is sealed anew.
    #[must_use]
    pub fn plan(
        &self,
        wish: DesiredAccess<'_>,
        directory: &KeyDirectory,
        me: Option<RootId>,
    ) -> Plan {
        let nobody = Removals::default();
        let mut plan = Plan {
            action: Action::Nothing,
            changes: Vec::new(),
            remaining: Vec::new(),
            signature_lost: None,
        };
        for (number, lock) in (0..).zip(&self.policy.locks) {
            let mut lock_plan = LockPlan::new(self, number, lock, me);
            match wish {
                DesiredAccess::Exactly(wished, people) if wished == number => {
                    lock_plan.exactly(people)
                }
                DesiredAccess::Without(removals)
                    if removals.lock.is_none_or(|lock| lock == number) =>
                {
                    lock_plan.without(removals, directory);
                }
                _ => lock_plan.without(&nobody, directory),
            }
            plan.action = plan.action.max(lock_plan.action);
            plan.changes.extend(lock_plan.changes);
            plan.remaining.push(lock_plan.remaining);
        }
        let by_others = self.signer.filter(|by| Some(*by) != me);
        plan.signature_lost = by_others.filter(|_| plan.action == Action::Reseal);
        plan
    }
}

impl KeyDirectory {
    /// All these people.
    #[must_use]
    pub fn new(people: Vec<Person>) -> Self {
        let mut known = Self::default();
        for (at, person) in people.iter().enumerate() {
            known.by_id.insert(person.id(), at);
            known
                .by_key
                .extend(person.keys.iter().map(|key| (*key, at)));
        }
        Self { people, ..known }
    }

    /// Whose slot it is: by the key, which a card certifies; else as the envelope says.
    #[must_use]
    pub fn owner_of(&self, reader: &Reader) -> Option<&Person> {
        let by_key = self.by_key.get(&reader.key);
        let at = by_key.or_else(|| self.by_id.get(&reader.person.as_ref()?.id));
        at.map(|at| &self.people[*at])
    }
}

impl Removals {
    /// Whether somebody is one of them, as the envelope says or as a card says whose key it is.
    #[must_use]
    pub fn include(&self, reader: &Reader, directory: &KeyDirectory) -> bool {
        let said = reader.person.as_ref().map(|person| person.id);
        let ids = [said, directory.owner_of(reader).map(Person::id)];
        self.keys.contains(&reader.key) || ids.iter().flatten().any(|id| self.people.contains(id))
    }
}

/// The plan of one lock.
struct LockPlan<'a> {
    number: u16,
    is_private: bool,
    me: Option<RootId>,
    /// Who has a slot.
    readers: Vec<&'a Reader>,
    keys: HashSet<KeyId>,
    ids: HashSet<RootId>,
    /// Whom the policy names and who has no slot any more: they may have kept the key, and are not let in again unasked.
    dropped: Vec<Reader>,
    action: Action,
    changes: Vec<Change>,
    remaining: Remaining,
}

impl<'a> LockPlan<'a> {
    fn new(present: &'a CurrentAccess<'a>, number: u16, lock: &Lock, me: Option<RootId>) -> Self {
        let readers = present.readers.iter();
        let readers: Vec<_> = readers.filter(|reader| reader.lock == number).collect();
        let keys: HashSet<_> = readers.iter().map(|reader| reader.key).collect();
        let said = readers.iter().filter_map(|reader| reader.person.as_ref());
        let ids = said.map(|person| person.id).collect();
        let dropped = lock
            .recipients()
            .iter()
            .filter(|one| !keys.contains(&one.key));
        let dropped = dropped.map(|one| Reader {
            lock: number,
            key: one.key,
            person: Some(one.clone()),
            is_named: true,
        });
        Self {
            number,
            is_private: present.policy.private,
            me,
            dropped: dropped.collect(),
            readers,
            keys,
            ids,
            action: Action::Nothing,
            changes: Vec::new(),
            remaining: Remaining {
                need: lock.need,
                people: Vec::new(),
                passphrase: lock.passphrase,
                unknown: Vec::new(),
            },
        }
    }

    /// Everybody but the removals remains, with the current key.
    fn without(&mut self, removals: &Removals, directory: &KeyDirectory) {
        let (mut done, mut gone) = (HashSet::new(), Vec::new());
        for reader in std::mem::take(&mut self.readers) {
            if removals.include(reader, directory) {
                gone.push(reader.clone());
                continue;
            }
            match directory.owner_of(reader) {
                None => self.remaining.unknown.push(reader.clone()),
                // One slot of a person is enough.
                Some(person) if done.insert(person.id()) => self.retain(person),
                Some(_) => {}
            }
        }
        let dropped = std::mem::take(&mut self.dropped);
        let dropped = dropped.into_iter();
        gone.extend(dropped.filter(|reader| removals.include(reader, directory)));
        for reader in gone {
            self.remove(reader);
        }
    }

    /// Everybody who is wished, and no key but theirs.
    fn exactly(&mut self, wished: &KeyDirectory) {
        let readers = std::mem::take(&mut self.readers).into_iter().cloned();
        let dropped = std::mem::take(&mut self.dropped);
        for reader in readers.chain(dropped) {
            if !wished.by_key.contains_key(&reader.key) {
                self.remove(reader);
            }
        }
        for one in &wished.people {
            self.retain(one);
        }
    }

    fn remove(&mut self, reader: Reader) {
        self.action = Action::Reseal;
        self.changes.push(Change::Removed(self.number, reader));
    }

    /// Somebody who shall have access with the current key.
    fn retain(&mut self, person: &Person) {
        let one = &person.current;
        self.remaining.people.push(one.clone());
        if self.keys.contains(&one.public.key_id()) {
            return;
        }
        let has_access = self.ids.contains(&person.id())
            || person.keys.iter().any(|key| self.keys.contains(key));
        // A share is somebody's own: the holder alone can seal it to another key, and a new one has to be split off.
        let is_quorum = self.remaining.need > 1;
        let own_key = has_access && Some(person.id()) == self.me;
        let action = if self.is_private || (is_quorum && !own_key) {
            Action::Reseal
        } else {
            Action::Add
        };
        self.action = self.action.max(action);
        self.changes.push(if has_access {
            Change::NewKey(self.number, one.clone())
        } else {
            Change::Added(self.number, one.clone())
        });
    }
}

impl Person {
    fn id(&self) -> RootId {
        self.current.recipient.id
    }
}
