//! Plans the change of one envelope, and applies what was planned.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::changes::{AccessChanges, AccessHolder};
use super::unmeant::{EnvelopeReaders, perhaps_unmeant};
use super::wish::{LetInPolicy, PlannedUpdate, RequestedAccess, SigningPolicy, UpdateOptions};
use crate::crypto::CryptoRng;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::signing::{RootId, SigningKey};
use crate::directory::{
    DirectoryError, People, Person, ResolvedRecipient, key_directory, known_person,
};
use crate::envelope::{
    Action, ArmorWriter, Change, Content, CurrentAccess, DesiredAccess, EnvelopeId, GateLock,
    KeyDirectory, KeyringError, LockRequest, Opened, Person as KnownPerson, Plan, Reader,
    Remaining, Removals, ResealError, ResealRequest, RewriteError, Rewriting, SealError, Sealed,
    Workers, chosen_lock,
};
use crate::operations::MyKeys;
use crate::operations::gate::StateUnknown;
use crate::operations::seal::Encoding;
use crate::policy::{Gate, Policy};
use crate::time::Time;

/// One change for all envelopes of a run.
pub struct AccessUpdate<'a> {
    pub(super) people: &'a People,
    requested: RequestedAccess,
    pub(super) options: UpdateOptions<'a>,
    now: Time,
    directory: KeyDirectory,
    /// The complete list for each set of my identities that is added to it.
    with_me: Mutex<HashMap<Vec<RootId>, Arc<KeyDirectory>>>,
}

/// How an envelope is sealed again.
pub struct ResealForm<'a> {
    /// The new passphrase, where [`PlannedUpdate::needs_passphrase`] says so.
    pub passphrase: Option<&'a Passphrase>,
    /// How it is written.
    pub encoding: Encoding,
    /// How many threads share the work.
    pub workers: Workers,
}

/// What was sealed again.
pub struct Resealed {
    /// The new envelope.
    pub id: EnvelopeId,
    /// Its gate lock: at the gates it is another envelope than the old one.
    pub gate: Option<GateLock>,
}

/// Why an envelope is not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// Its slots cannot be changed.
    #[error(transparent)]
    Rewrite(#[from] RewriteError),
    /// It has to be sealed again, and for these readers there is no key here.
    #[error("there is no key for {} of its readers", .0.len())]
    UnknownReaders(Vec<AccessHolder>),
    /// It has to be sealed again, and the key of this gate is not known here.
    #[error("there is no key for one of its gates")]
    UnknownGate(Box<Gate>),
    /// It has to be sealed again, and these people, who would stay, were denied at its gates.
    #[error("{} who would stay were denied at its gates", .0.len())]
    Denied(Vec<String>),
    /// It, or what is known about its readers, was changed since it was planned.
    #[error("it was changed since it was planned")]
    ChangedSince,
    /// Adding a reader is signed, and there is no identity to sign.
    #[error("there is no identity to sign the grant")]
    NoIdentity,
    /// The identity that signs stays locked.
    #[error("the identity that signs cannot be unlocked")]
    Locked(#[source] KeyringError),
    /// One of my identities cannot be encrypted to.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// It has to be sealed again, and what owners took away at its gates is not known, so it would be given back.
    #[error("it is not known what its owners took away at its gates")]
    GateState(StateUnknown),
    /// It has to be sealed again, and an owner revoked it at its gates: a new envelope would undo that.
    #[error("an owner revoked it at its gates")]
    GateRevoked,
    /// It could not be sealed again.
    #[error(transparent)]
    Reseal(#[from] ResealError),
    /// A complete list leaves out people whom nobody here knows, and nobody has said that they are meant.
    #[error("{} who would lose access may be newer than the list", .0.len())]
    Unmeant(Vec<AccessHolder>),
}

impl<'a> AccessUpdate<'a> {
    /// # Errors
    /// [`DirectoryError::Keystore`].
    pub fn new(
        people: &'a People,
        requested: RequestedAccess,
        options: UpdateOptions<'a>,
        now: Time,
    ) -> Result<Self, DirectoryError> {
        Ok(Self {
            people,
            requested,
            options,
            now,
            directory: key_directory(people, now)?,
            with_me: Mutex::default(),
        })
    }

    /// Compares an opened envelope with the wish.
    ///
    /// # Errors
    /// [`UpdateError::UnknownReaders`] and what keeps its slots from being changed.
    pub fn plan(&self, opened: &Opened) -> Result<PlannedUpdate, UpdateError> {
        let (policy, readers) = (&opened.manifest.policy, opened.readers());
        let plan = self.compare(policy, &readers, opened.signer())?;
        if plan.action == Action::Reseal {
            self.refuse_unknown(&plan)?;
            self.refuse_denied(&plan, opened)?;
        }
        let changes = self.changes(&plan, policy);
        let can_record = |by: RootId| {
            let mut people = readers.iter().filter_map(|reader| reader.person.as_ref());
            opened.signer() == Some(by)
                || policy.recipients().any(|one| one.id == by)
                || people.any(|one| one.id == by)
        };
        Ok(PlannedUpdate {
            id: opened.manifest.id,
            action: plan.action,
            unmeant: self.unmeant(&changes, opened)?,
            changes,
            granter: (self.options).granter(self.people, opened.signer(), can_record),
            signature_lost: plan.signature_lost,
            was_signed: opened.signer().is_some(),
            signer: self.signer(opened.signer()).map(|one| one.card.id()),
            needs_passphrase: plan.action == Action::Reseal
                && plan.remaining.iter().any(|lock| lock.passphrase.is_some()),
        })
    }

    /// Adds the planned slots; policy, content and signature stay.
    ///
    /// # Errors
    /// [`UpdateError`]; nothing was written then.
    pub fn add<R: Read>(
        &self,
        planned: &PlannedUpdate,
        rewriting: &mut Rewriting<R>,
        keys: &MyKeys<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), UpdateError> {
        let manifest = rewriting.manifest();
        let (policy, id) = (&manifest.policy, manifest.id);
        let plan = self.compare(policy, &manifest.readers(), policy.signer)?;
        refuse_changed(planned, id, &self.changes(&plan, policy))?;
        let by = planned.granter.ok_or(UpdateError::NoIdentity)?;
        let key = keys.signing_key(by.id).map_err(UpdateError::Locked)?;
        for change in &plan.changes {
            if let Change::Added(lock, one) | Change::NewKey(lock, one) = change {
                rewriting.grant(one, Some(*lock), (key, self.now), rng)?;
            }
        }
        Ok(())
    }

    /// Seals the content again, for the readers who remain.
    ///
    /// # Errors
    /// [`UpdateError`]; what was written so far is to be thrown away.
    pub fn reseal<R: Read + Send>(
        &self,
        planned: &PlannedUpdate,
        content: Content<R>,
        keys: &MyKeys<'_>,
        form: &ResealForm<'_>,
        out: &mut (dyn Write + Send),
        rng: &mut dyn CryptoRng,
    ) -> Result<Resealed, UpdateError> {
        let opened = content.metadata();
        let policy = &opened.manifest.policy;
        let plan = self.compare(policy, &opened.readers(), opened.signer())?;
        refuse_changed(planned, opened.manifest.id, &self.changes(&plan, policy))?;
        let lock = |remaining: Remaining| LockRequest {
            need: remaining.need,
            recipients: remaining.people,
            passphrase: (remaining.passphrase).map(|cost: Cost| {
                let passphrase = form.passphrase.expect("asked for where one is needed");
                (passphrase, cost)
            }),
        };
        let request = ResealRequest {
            locks: plan.remaining.into_iter().map(lock).collect(),
            gate: self.gate(opened)?,
            signer: self.signing_key(opened.signer(), keys)?,
            workers: form.workers,
        };
        let sealed: Result<(Opened, Sealed), ResealError> = match form.encoding {
            Encoding::Binary => content.reseal(&request, out, rng),
            Encoding::Armor => ArmorWriter::new(out)
                .map_err(|error| SealError::Write(error).into())
                .and_then(|mut armor| {
                    let sealed = content.reseal(&request, &mut armor, rng)?;
                    armor.finish().map_err(SealError::Write)?;
                    Ok(sealed)
                }),
        };
        let (_, sealed) = sealed?;
        Ok(Resealed {
            id: sealed.id,
            gate: sealed.gate,
        })
    }

    fn compare(
        &self,
        policy: &Policy,
        readers: &[Reader],
        signer: Option<RootId>,
    ) -> Result<Plan, UpdateError> {
        let signs = self.options.signing != SigningPolicy::Never;
        let me = self.acting(signer).filter(|_| signs);
        let me = me.map(|person| person.card.id());
        let current = CurrentAccess {
            policy,
            readers,
            signer,
        };
        let plan = |desired| current.plan(desired, &self.directory, me);
        let mut plan = match &self.requested {
            RequestedAccess::CurrentKeys => plan(DesiredAccess::CurrentKeys),
            RequestedAccess::Without(removals) => {
                only_with_removals(plan(DesiredAccess::Without(removals)))
            }
            RequestedAccess::Exactly {
                people, no_self, ..
            } => {
                let lock = chosen_lock(policy, self.options.lock)?;
                let adds_me = !no_self && policy.locks[usize::from(lock)].need == 1;
                let mine = match adds_me {
                    true => self.mine_with_access(readers, lock),
                    false => Vec::new(),
                };
                plan(DesiredAccess::Exactly(lock, &*self.with_me(people, mine)?))
            }
            RequestedAccess::With(people) => {
                let lock = chosen_lock(policy, self.options.lock)?;
                plan(DesiredAccess::With(
                    lock,
                    &*self.with_me(people, Vec::new())?,
                ))
            }
        };
        // Whoever acts knows about his own access.
        for lock in &mut plan.remaining {
            lock.let_in.retain(|reader| !self.is_mine(reader));
        }
        if self.options.let_in == LetInPolicy::Remove {
            plan.remove_let_in(&self.directory);
        }
        Ok(plan)
    }

    fn is_mine(&self, reader: &Reader) -> bool {
        let mine = self.people.active.iter().chain(&self.people.retired);
        let mut keys = mine.flat_map(|person| person.card.keys());
        keys.any(|key| key.public.key_id() == reader.key)
    }

    /// My identities that have access to a lock. If a retired one has, so does the default one.
    fn mine_with_access(&self, readers: &[Reader], lock: u16) -> Vec<&Person> {
        let has_access = |person: &Person| {
            let keys = || person.card.keys().iter().map(|key| key.public.key_id());
            let mut here = readers.iter().filter(|reader| reader.lock == lock);
            here.any(|reader| keys().any(|key| key == reader.key))
        };
        let was_mine = self.people.retired.iter().any(has_access);
        let active = self.people.active.iter().enumerate();
        let reads = active
            .filter(|(place, person)| has_access(person) || was_mine && *place == 0)
            .map(|(_, person)| person);
        reads.collect()
    }

    /// The complete list with my identities in it, made once for all envelopes.
    fn with_me(
        &self,
        people: &[KnownPerson],
        mine: Vec<&Person>,
    ) -> Result<Arc<KeyDirectory>, DirectoryError> {
        let ids: Vec<RootId> = mine.iter().map(|person| person.card.id()).collect();
        let mut cache = self.with_me.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = cache.get(&ids) {
            return Ok(Arc::clone(list));
        }
        let others = people
            .iter()
            .filter(|one| !ids.contains(&one.current.recipient.id));
        let mut all: Vec<KnownPerson> = others.cloned().collect();
        for me in mine {
            let me = ResolvedRecipient::stored(me.clone());
            all.push(known_person(&me, self.now)?);
        }
        let list = Arc::new(KeyDirectory::new(all));
        cache.insert(ids, Arc::clone(&list));
        Ok(list)
    }

    /// The identity that acts: the one that was named, else the author if that is me, else the default one.
    pub(super) fn acting(&self, author: Option<RootId>) -> Option<&'a Person> {
        let mine = &self.people.active;
        let is_author = |person: &&Person| author == Some(person.card.id());
        let preferred = || mine.iter().find(is_author);
        self.options
            .actor
            .or_else(preferred)
            .or_else(|| mine.first())
    }

    /// The identity that signs what is sealed again, if any does.
    fn signer(&self, author: Option<RootId>) -> Option<&'a Person> {
        let signs = match self.options.signing {
            SigningPolicy::WhereSigned => author.is_some(),
            SigningPolicy::Always => true,
            SigningPolicy::Never => false,
        };
        self.acting(author).filter(|_| signs)
    }

    fn signing_key<'k>(
        &self,
        author: Option<RootId>,
        keys: &'k MyKeys<'_>,
    ) -> Result<Option<&'k SigningKey>, UpdateError> {
        let signer = self.signer(author);
        let key = signer.map(|person| keys.signing_key(person.card.id()));
        key.transpose().map_err(UpdateError::Locked)
    }

    /// Those whom a complete list leaves out without anybody having said that they are meant. Who is removed from another lock was
    /// let in by others, and [`LetInPolicy::Remove`] says that.
    fn unmeant(
        &self,
        changes: &AccessChanges,
        opened: &Opened,
    ) -> Result<Vec<AccessHolder>, UpdateError> {
        let RequestedAccess::Exactly { groups, .. } = &self.requested else {
            return Ok(Vec::new());
        };
        let policy = &opened.manifest.policy;
        let lock = chosen_lock(policy, self.options.lock)?;
        let is_meant = |holder: &AccessHolder| {
            let named = |meant: &Removals| {
                meant.keys.contains(&holder.key)
                    || holder.id.is_some_and(|id| meant.people.contains(&id))
            };
            self.options.meant.is_some_and(named)
        };
        let left_out = changes.removed.iter();
        let left_out = left_out.filter(|holder| holder.lock == lock && !is_meant(holder));
        let left_out: Vec<AccessHolder> = left_out.cloned().collect();
        perhaps_unmeant(&left_out, &EnvelopeReaders::of(opened), groups, self.people)
            .map_err(|error| UpdateError::Directory(error.into()))
    }

    fn changes(&self, plan: &Plan, policy: &Policy) -> AccessChanges {
        AccessChanges::new(plan, &self.directory, policy.locks.len())
    }

    /// A reader who remains needs a key to encrypt to.
    fn refuse_unknown(&self, plan: &Plan) -> Result<(), UpdateError> {
        let unknown = plan.remaining.iter().flat_map(|lock| &lock.unknown);
        let unknown: Vec<AccessHolder> = unknown
            .map(|reader| AccessHolder::of_reader(reader, &self.directory))
            .collect();
        match unknown.is_empty() {
            true => Ok(()),
            false => Err(UpdateError::UnknownReaders(unknown)),
        }
    }
}

/// Where nobody is removed, nothing is done, also about keys that are out of date.
fn only_with_removals(mut plan: Plan) -> Plan {
    let removes = |change: &Change| matches!(change, Change::Removed(..));
    if !plan.changes.iter().any(removes) {
        plan.action = Action::Nothing;
        plan.changes.clear();
        plan.signature_lost = None;
    }
    plan
}

/// What was shown and agreed to is what is done, or nothing is.
fn refuse_changed(
    planned: &PlannedUpdate,
    id: EnvelopeId,
    changes: &AccessChanges,
) -> Result<(), UpdateError> {
    match id == planned.id && *changes == planned.changes {
        true => Ok(()),
        false => Err(UpdateError::ChangedSince),
    }
}
