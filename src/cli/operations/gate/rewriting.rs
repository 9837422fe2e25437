//! What gates are told when an envelope is changed: whom to answer beside those who were named, and that the old one is over.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use encl::crypto::PublicKey;
use encl::crypto::signing::RootId;
use encl::directory::{People, ResolvedRecipient, known_person};
use encl::envelope::{GateLock, Ticket};
use encl::gate::rules::{Statement, TicketState};
use encl::keystore::{GateContact, SealedWithGate};
use encl::operations::MyKeys;
use encl::operations::gate::{CarriedOver, Certainty, Owner, StateUnknown, Unreached, find_owner};
use encl::policy::{Gate, GateKind};

use crate::cli::context::Context;
use crate::cli::context::asking::AskPolicy;
use crate::cli::display::names::list;
use crate::cli::errors::envelope::unlock_failure;
use crate::cli::errors::gate::{describe_unknown, unreachable};
use crate::cli::errors::keystore::{self, unreadable};
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::gate::gates;
use crate::cli::operations::gate::report::person;

/// The keys of all gates that are known here, and of the people who help.
pub(crate) struct GateKeyBook<'a> {
    servers: Vec<GateContact>,
    people: &'a People,
    context: &'a Context,
}

impl<'a> GateKeyBook<'a> {
    pub(crate) fn read(people: &'a People, context: &'a Context) -> Result<Self, Failure> {
        Ok(Self {
            servers: gates(context)?.known().to_vec(),
            people,
            context,
        })
    }

    /// The key that a gate's slot is sealed to now.
    pub(crate) fn key_of(&self, gate: &Gate) -> Option<PublicKey> {
        if gate.kind == GateKind::Server {
            let mut servers = self.servers.iter();
            let known = servers.find(|known| known.card.id() == gate.id)?;
            return Some(known.card.newest_key().clone());
        }
        let person = self.people.with_id(gate.id).ok().flatten()?;
        let person = ResolvedRecipient::stored(person);
        let known = known_person(&person, self.context.now).ok()?;
        Some(known.current.public)
    }
}

/// Me as an owner of a gate lock.
fn owner<'k>(
    lock: &GateLock,
    people: &People,
    keys: &'k MyKeys<'_>,
) -> Result<Option<Owner<'k>>, Failure> {
    find_owner(lock, people, keys).map_err(unlock_failure)
}

/// What owners have restricted at the gates of envelopes that are sealed again: asked once for each. A restriction that was said from
/// another machine would end with the old envelope if nobody asked.
pub(crate) struct GateStates<'a> {
    people: &'a People,
    keys: &'a MyKeys<'a>,
    /// Whether the user takes what this machine knows, where the gates do not say it.
    may_be_unasked: bool,
    context: &'a Context,
    asked: Mutex<HashMap<Ticket, TicketState>>,
}

impl<'a> GateStates<'a> {
    pub(crate) fn new(
        (people, keys): (&'a People, &'a MyKeys<'a>),
        may_be_unasked: bool,
        context: &'a Context,
    ) -> Self {
        Self {
            people,
            keys,
            may_be_unasked,
            context,
            asked: Mutex::default(),
        }
    }

    pub(crate) fn of(&self, lock: &GateLock) -> Result<TicketState, StateUnknown> {
        if lock.terms().owners.is_empty() {
            return Ok(TicketState::default()); // nobody can say anything
        }
        // Held while a gate is asked, so that each envelope is asked for once.
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = asked.get(&lock.ticket()) {
            return Ok(state.clone());
        }
        let state = match self.ask(lock) {
            Err(unknown) if self.may_be_unasked => self.kept(lock, &unknown)?,
            state => state?,
        };
        asked.insert(lock.ticket(), state.clone());
        Ok(state)
    }

    fn ask(&self, lock: &GateLock) -> Result<TicketState, StateUnknown> {
        let failed = |what: String| StateUnknown::Failed(what);
        let owner = owner(lock, self.people, self.keys).map_err(|error| failed(error.what))?;
        let owner = owner.ok_or(StateUnknown::NotOwner)?;
        if self.context.asking.policy == AskPolicy::Never {
            return Err(StateUnknown::NotAsked);
        }
        let gates = gates(self.context).map_err(|error| failed(error.what))?;
        let record = SealedWithGate::new(lock.clone(), self.context.now, None);
        let known = gates.known_state(&record, owner, &mut self.context.rng());
        let known = known.map_err(|error| failed(error.to_string()))?;
        match known.is_complete {
            true => Ok(known.state),
            false => Err(StateUnknown::Unreached(known.unreached)),
        }
    }

    /// What was said from this machine.
    fn kept(&self, lock: &GateLock, unknown: &StateUnknown) -> Result<TicketState, StateUnknown> {
        self.context.terminal.warning(&format!(
            "{}; what was restricted from another machine ends with the old envelope",
            describe_unknown(unknown)
        ));
        let record = SealedWithGate::new(lock.clone(), self.context.now, None);
        let failed = |what: String| StateUnknown::Failed(what);
        let gates = gates(self.context).map_err(|error| failed(error.what))?;
        let state = gates.kept_state(&record);
        state.map_err(|error| failed(error.to_string()))
    }
}

/// An envelope that was sealed again, and the new one that is on the disk in its place.
pub(crate) struct Replacement<'a> {
    pub(crate) old: &'a GateLock,
    pub(crate) new: &'a GateLock,
    pub(crate) name: &'a str,
    /// Whether this machine revokes the old one: with `-o` it stays.
    pub(crate) revokes_old: bool,
}

impl GateStates<'_> {
    /// Says of the new envelope what was said of the old one after the gates were asked: another machine may have taken access away
    /// while this one asked its user, or wrote.
    pub(crate) fn carry_over(&self, replacement: &Replacement<'_>) -> Result<(), Failure> {
        let Replacement { old, new, .. } = replacement;
        let of = |lock| owner(lock, self.people, self.keys);
        let (Some(old_owner), Some(new_owner)) = (of(old)?, of(new)?) else {
            return Ok(()); // Nobody here can ask, or say anything: that was told before.
        };
        if self.context.asking.policy == AskPolicy::Never {
            return Ok(());
        }
        let looked_up = {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.get(&old.ticket()).cloned().unwrap_or_default()
        };
        let record = |lock: &GateLock| SealedWithGate::new(lock.clone(), self.context.now, None);
        let carried = gates(self.context)?.carry_over(
            (&record(old), old_owner),
            &looked_up,
            (&record(new), new_owner),
            &mut self.context.rng(),
        );
        let carried = carried.map_err(|error| {
            let what = format!(
                "{} is encrypted again, but what its owners said meanwhile is not said of it",
                replacement.name
            );
            keystore::failure(&what, &error)
        })?;
        self.report(replacement, &carried)
    }

    fn report(&self, replacement: &Replacement<'_>, carried: &CarriedOver) -> Result<(), Failure> {
        let Replacement { old, new, name, .. } = replacement;
        let (old, new) = (RootId(old.ticket().0), RootId(new.ticket().0));
        let failure = |what: &str| {
            let what = format!("{name} is encrypted again, but {what}");
            Failure::new(Exit::Failed, what)
        };
        if carried.revocations > usize::from(replacement.revokes_old) {
            let failure = failure("an owner revoked the old envelope meanwhile, for everybody");
            return Err(failure
                .exit(Exit::Refused)
                .reason("the new envelope can still be opened")
                .hint(format!("`encl gate revoke {new}` revokes it too")));
        }
        let people = self.context.people()?;
        for (statement, told) in &carried.told {
            let said = match statement {
                Statement::Deny(who) => format!("access was taken from {}", person(*who, &people)),
                _ => "an end was set".to_owned(),
            };
            if let Certainty::NotYet { .. } = told.acknowledged.certainty() {
                let what = format!("{said} meanwhile, which not enough of its gates know yet");
                return Err(unreachable(failure(&what), &told.missing)
                    .hint(format!("`encl gate status {new}` tells the others again")));
            }
            self.context.terminal.warning(&format!(
                "{name}: {said} meanwhile; that holds for the new envelope too"
            ));
        }
        if carried.is_complete || self.may_be_unasked {
            return Ok(());
        }
        let what = "its gates did not say whether an owner took access away meanwhile";
        Err(unreachable(failure(what), &carried.unreached).hint(format!(
            "`encl gate status {old}` asks them again; from whom it was taken there, `encl gate revoke {new} --who WHO` takes it too"
        )))
    }
}

/// Lets newcomers in at the gates, which answer only those whom the author named or an owner allows.
pub(crate) fn allow(
    lock: &GateLock,
    newcomers: impl Iterator<Item = RootId>,
    (people, keys): (&People, &MyKeys<'_>),
    cannot: &Failure,
    context: &Context,
) -> Result<(), Failure> {
    let Some(owner) = owner(lock, people, keys)? else {
        let failure = Failure::new(Exit::Refused, cannot.what.clone())
            .reason("its gates answer only those whom its author named: only an owner can let others in there");
        return Err(failure.hint("ask its author; or encrypt it again under your name: --resign"));
    };
    if context.asking.policy == AskPolicy::Never {
        let failure = Failure::new(Exit::Usage, cannot.what.clone());
        return Err(failure
            .reason(
                "its gates have to be told of whoever is let in, and no gate is asked (--no-gate)",
            )
            .hint("leave --no-gate out"));
    }
    let gates = gates(context)?;
    let record = SealedWithGate::new(lock.clone(), context.now, None);
    let newcomers: Vec<RootId> = newcomers.collect();
    let known = gates.known_state(&record, owner, &mut context.rng());
    let known = known.map_err(|error| unreadable(&error))?;
    refuse_denied(&known.state, &newcomers, cannot, context)?;
    let too_few = |missing: &[Unreached]| {
        let failure = Failure::new(Exit::Failed, cannot.what.clone());
        unreachable(failure, missing)
            .hint("nothing was written; `encl gate status` shows what the gates know")
    };
    if !known.is_complete {
        return Err(too_few(&known.unreached));
    }
    for newcomer in newcomers {
        let told = gates.state(
            &record,
            Statement::Allow(newcomer),
            owner,
            &mut context.rng(),
        );
        let told = told.map_err(|error| unreadable(&error))?;
        if told.acknowledged.known < usize::from(lock.lock().need) {
            return Err(too_few(&told.missing));
        }
    }
    Ok(())
}

/// A denial outlives every allowance, and is one of the keys that replaced the denied one as well.
pub(crate) fn refuse_denied(
    state: &TicketState,
    newcomers: &[RootId],
    cannot: &Failure,
    context: &Context,
) -> Result<(), Failure> {
    let people = context.people()?;
    let mut names = Vec::new();
    for who in newcomers {
        let ids = people.ids_of(*who).map_err(|error| unreadable(&error))?;
        if ids.iter().any(|id| state.denied.contains(id)) {
            names.push(person(*who, &people));
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let names = list(&names);
    let failure = Failure::new(Exit::Refused, cannot.what.clone());
    Err(failure
        .reason(format!(
            "its gates deny {names} for ever: an owner took access away there, and that cannot be taken back"
        ))
        .hint(format!(
            "decrypt it, and encrypt it anew for {names} too: `encl unwrap`, then `encl wrap`"
        )))
}

/// Revokes an envelope in whose place there is a new one now. The new one is on the disk, so what fails here can be done again: as long
/// as too few gates know, copies of the old one can be opened, and that is no success.
pub(crate) fn revoke_old(
    lock: &GateLock,
    (people, keys): (&People, &MyKeys<'_>),
    name: &str,
    context: &Context,
) -> Result<(), Failure> {
    let Some(owner) = owner(lock, people, keys)? else {
        context.terminal.warning(&format!(
            "{name}: the old envelope is not revoked at its gate, since you are no owner of it: copies of it can still be opened"
        ));
        return Ok(());
    };
    let record = SealedWithGate::new(lock.clone(), context.now, None);
    if context.asking.policy == AskPolicy::Never {
        return not_revoked_now(&record, name, context);
    }
    let told = gates(context)?.state(&record, Statement::Revoke, owner, &mut context.rng());
    let told = told.map_err(|error| {
        let what =
            format!("{name} is encrypted again, but the old envelope is not revoked at its gate");
        keystore::failure(&what, &error)
    })?;
    let known = &told.acknowledged;
    let count = format!("{} of {} gates know it", known.known, known.servers);
    let ticket = RootId(lock.ticket().0);
    if let Certainty::NotYet { .. } = known.certainty() {
        let what = format!(
            "{name} is encrypted again, but it is not yet sure that the old envelope is revoked: {count}"
        );
        let failure = unreachable(Failure::new(Exit::Failed, what), &told.missing);
        return Err(failure
            .reason("copies of the old envelope can still be opened")
            .hint(format!(
                "`encl gate status {ticket}` tells the others again"
            )));
    }
    if !told.missing.is_empty() {
        context.terminal.notice(&format!(
            "{name}: the old envelope is revoked; {count}, `encl gate status {ticket}` tells the others"
        ));
    }
    Ok(())
}

/// The old envelope is gone from the disk: its ticket is kept, so that it can still be revoked.
fn not_revoked_now(record: &SealedWithGate, name: &str, context: &Context) -> Result<(), Failure> {
    let kept = context.keystore.record_sealed(record);
    kept.map_err(|error| {
        let what = format!("{name} is encrypted again, but the old envelope cannot be revoked");
        keystore::failure(&what, &error)
    })?;
    let ticket = RootId(record.lock.ticket().0);
    context.terminal.warning(&format!(
        "{name}: the old envelope is not revoked at its gate, since no gate is asked (--no-gate): copies of it can still be opened; `encl gate revoke {ticket}` revokes it"
    ));
    Ok(())
}
