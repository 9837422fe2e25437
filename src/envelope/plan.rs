//! The plan that brings an envelope in line with its desired readers: nothing, added slots, or sealing again.

use std::collections::{HashMap, HashSet};

use super::readers::Reader;
use super::seal::Addressee;
use crate::crypto::KeyId;
use crate::crypto::passphrase::Cost;
use crate::crypto::signing::RootId;
use crate::policy::{Lock, Policy};

/// A person in the keystore.
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

/// The people and keys whose access is to be removed.
#[derive(Debug, Clone, Default)]
pub struct Removals {
    /// In this lock; `None`: in all.
    pub lock: Option<u16>,
    /// By their root keys.
    pub people: HashSet<RootId>,
    /// By the keys of their slots, if their owners are unknown.
    pub keys: HashSet<KeyId>,
}

/// Who is to have access.
#[derive(Clone, Copy)]
pub enum DesiredAccess<'a> {
    /// The current readers, with their current keys.
    CurrentKeys,
    /// The current readers except these, with their current keys.
    Without(&'a Removals),
    /// In this lock exactly these people; in all other locks the current readers.
    Exactly(u16, &'a KeyDirectory),
    /// The current readers, and in this lock these people too: named in a new policy, so the envelope is sealed again.
    With(u16, &'a KeyDirectory),
}

/// How an envelope is brought in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing has to change.
    Nothing,
    /// Slots are added; payload and signature stay.
    Add,
    /// Slots are removed; payload and signature stay.
    Drop,
    /// The envelope is sealed again.
    Reseal,
}

/// One difference between current and desired access, in a lock.
#[derive(Clone)]
pub enum Change {
    /// A person has no access yet.
    Added(u16, Addressee),
    /// A person has access only with an older key.
    NewKey(u16, Addressee),
    /// A reader's access is to be removed.
    Removed(u16, Reader),
    /// A passphrase that the policy does not commit to: sealed again, it is told from a replaced one.
    Passphrase(u16),
}

/// What has to change, and why.
pub struct Plan {
    /// What has to be done.
    pub action: Action,
    /// Why.
    pub changes: Vec<Change>,
    /// Who remains in each lock, for sealing anew.
    pub remaining: Vec<Remaining>,
    /// The author, whose signature is lost if another person seals again.
    pub signature_lost: Option<RootId>,
}

/// Who remains in one lock.
pub struct Remaining {
    /// How many people are needed together.
    pub need: u8,
    /// The people, each with one key.
    pub people: Vec<Addressee>,
    /// The cost of the passphrase, which is needed to seal again.
    pub passphrase: Option<Cost>,
    /// Remaining readers whose current key is unknown. With one of these the envelope cannot be sealed again.
    pub unknown: Vec<Reader>,
    /// Remaining readers whom not the author but other readers let in. Sealed again, they are named by whoever seals.
    pub let_in: Vec<Reader>,
}

/// Who has access to an envelope now, as found when it was opened.
pub struct CurrentAccess<'a> {
    /// Line 2.
    pub policy: &'a Policy,
    /// Who has access: [`Opened::readers`](super::Opened::readers), or the manifest's where it is not private.
    pub readers: &'a [Reader],
    /// The author, if it is signed.
    pub signer: Option<RootId>,
}

impl CurrentAccess<'_> {
    /// Compares current and desired access. `me` is the identity that acts, and signs if the envelope is sealed again.
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
        let locks = (0..).zip(&self.policy.locks);
        // Whom a gate lock answers follows from the others.
        for (number, lock) in locks.filter(|(_, lock)| lock.gate().is_none()) {
            let mut lock_plan = LockPlan::new(self, number, lock, me);
            match wish {
                DesiredAccess::Exactly(wished, people) if wished == number => {
                    lock_plan.exactly(people);
                }
                DesiredAccess::With(wished, people) if wished == number => {
                    lock_plan.with(people, directory);
                }
                DesiredAccess::Without(removals)
                    if removals.lock.is_none_or(|lock| lock == number) =>
                {
                    lock_plan.without(removals, directory);
                }
                _ => lock_plan.without(&nobody, directory),
            }
            // Only the author can say which passphrase was meant.
            if lock.has_unrecorded_passphrase() && self.signer.is_none_or(|by| Some(by) == me) {
                lock_plan.record_passphrase();
            }
            plan.action = plan.action.max(lock_plan.action);
            plan.changes.extend(lock_plan.changes);
            plan.remaining.push(lock_plan.remaining);
        }
        if let DesiredAccess::With(_, people) = wish {
            plan.reseal_for(people);
        }
        let by_others = self.signer.filter(|by| Some(*by) != me);
        plan.signature_lost = by_others.filter(|_| plan.action == Action::Reseal);
        plan
    }
}

impl Plan {
    /// Seals again if one of these people gets a slot; else nothing is done, also about keys of others that are out of date.
    fn reseal_for(&mut self, people: &KeyDirectory) {
        let gets_slot = |change: &Change| match change {
            Change::Added(_, one) | Change::NewKey(_, one) => {
                people.by_id.contains_key(&one.recipient.id)
            }
            Change::Removed(..) | Change::Passphrase(_) => false,
        };
        if self.changes.iter().any(gets_slot) {
            self.action = Action::Reseal;
        } else {
            self.action = Action::Nothing;
            self.changes.clear();
        }
    }

    /// Where the envelope is sealed again, removes those whom only other readers let in.
    pub fn remove_let_in(&mut self, directory: &KeyDirectory) {
        if self.action != Action::Reseal {
            return;
        }
        for lock in &mut self.remaining {
            for reader in std::mem::take(&mut lock.let_in) {
                let owner = directory.owner_of(&reader).map(Person::id);
                let is_owner = |one: &Addressee| Some(one.recipient.id) == owner;
                lock.people.retain(|one| !is_owner(one));
                lock.unknown.retain(|one| one.key != reader.key);
                self.changes.retain(|change| match change {
                    Change::NewKey(number, one) => *number != reader.lock || !is_owner(one),
                    _ => true,
                });
                self.changes.push(Change::Removed(reader.lock, reader));
            }
        }
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

    /// The owner of a slot: by the key, which a card certifies; otherwise as the envelope says.
    #[must_use]
    pub fn owner_of(&self, reader: &Reader) -> Option<&Person> {
        let by_key = self.by_key.get(&reader.key);
        let at = by_key.or_else(|| self.by_id.get(&reader.person.as_ref()?.id));
        at.map(|at| &self.people[*at])
    }
}

impl Removals {
    /// Whether a reader is one of them, by what the envelope says or by the card that certifies the key.
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
    author: Option<RootId>,
    /// The author, and whom the author let in, by the policy or by a record.
    vouched: HashSet<RootId>,
    /// Who has a slot.
    readers: Vec<&'a Reader>,
    keys: HashSet<KeyId>,
    ids: HashSet<RootId>,
    /// People who are named in the policy but have no slot any more. They are not given one again unless they are asked for.
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
        let named = lock.recipients().iter().map(|one| one.id);
        let granted = readers
            .iter()
            .filter(|reader| is_granted_by(reader, present.signer));
        let granted = granted.filter_map(|reader| Some(reader.person.as_ref()?.id));
        let vouched = named.chain(granted).chain(present.signer).collect();
        let dropped = lock
            .recipients()
            .iter()
            .filter(|one| !keys.contains(&one.key));
        let dropped = dropped.map(|one| Reader {
            lock: number,
            key: one.key,
            person: Some(one.clone()),
            is_named: true,
            granted_by: None,
            granted_at: None,
        });
        Self {
            number,
            is_private: present.policy.private,
            me,
            author: present.signer,
            vouched,
            dropped: dropped.collect(),
            readers,
            keys,
            ids,
            action: Action::Nothing,
            changes: Vec::new(),
            remaining: Remaining {
                need: lock.need,
                people: Vec::new(),
                passphrase: lock.passphrase(),
                unknown: Vec::new(),
                let_in: Vec::new(),
            },
        }
    }

    /// Keeps all readers except the removals, with their current keys.
    fn without(&mut self, removals: &Removals, directory: &KeyDirectory) {
        let (mut done, mut gone) = (HashSet::new(), Vec::new());
        for reader in std::mem::take(&mut self.readers) {
            if removals.include(reader, directory) {
                gone.push(reader.clone());
                continue;
            }
            let owner = directory.owner_of(reader);
            match owner {
                None => self.remaining.unknown.push(reader.clone()),
                // One slot of a person is enough.
                Some(person) if done.insert(person.id()) => self.retain(person),
                Some(_) => continue,
            }
            if !self.is_vouched(reader, owner) {
                self.remaining.let_in.push(reader.clone());
            }
        }
        let dropped = std::mem::take(&mut self.dropped);
        let dropped = dropped.into_iter();
        gone.extend(dropped.filter(|reader| removals.include(reader, directory)));
        for reader in gone {
            self.remove(reader);
        }
    }

    /// Keeps exactly the desired people, and no key but theirs.
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

    /// Keeps all readers, and adds these people.
    fn with(&mut self, wished: &KeyDirectory, directory: &KeyDirectory) {
        self.without(&Removals::default(), directory);
        let is_other = |reader: &Reader| wished.owner_of(reader).is_none();
        self.remaining.unknown.retain(is_other);
        self.remaining.let_in.retain(is_other);
        for one in &wished.people {
            let is_one = |other: &Addressee| other.recipient.id == one.id();
            if !self.remaining.people.iter().any(is_one) {
                self.retain(one);
            }
        }
    }

    /// Whether the author let the reader in.
    fn is_vouched(&self, reader: &Reader, owner: Option<&Person>) -> bool {
        let is_known = owner.is_some_and(|owner| self.vouched.contains(&owner.id()));
        reader.is_named || is_granted_by(reader, self.author) || is_known
    }

    fn remove(&mut self, reader: Reader) {
        self.action = Action::Reseal;
        self.changes.push(Change::Removed(self.number, reader));
    }

    fn record_passphrase(&mut self) {
        self.action = Action::Reseal;
        self.changes.push(Change::Passphrase(self.number));
    }

    /// Keeps a person, with the current key.
    fn retain(&mut self, person: &Person) {
        let one = &person.current;
        self.remaining.people.push(one.clone());
        if self.keys.contains(&one.public.key_id()) {
            return;
        }
        let has_access = self.ids.contains(&person.id())
            || person.keys.iter().any(|key| self.keys.contains(key));
        // Only its holder can seal a share to another key; for a new person the secret has to be split again.
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

fn is_granted_by(reader: &Reader, author: Option<RootId>) -> bool {
    reader.granted_by.is_some() && reader.granted_by == author
}

impl Person {
    fn id(&self) -> RootId {
        self.current.recipient.id
    }
}
