//! What owners have restricted at the gates of an envelope, whichever machine they said it from, and how many gates know it.

use std::collections::BTreeMap;

use super::{Acknowledged, Gates, Owner, ReadLog, Reading, Told, Unreached};
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::envelope::GateLock;
use crate::gate::protocol::SignedStatement;
use crate::gate::rules::{Statement, TicketState};
use crate::keystore::{KeystoreError, SealedWithGate};
use crate::policy::GateKind;
use crate::time::Time;

/// What is known of the restrictions of an envelope.
pub struct KnownState {
    /// What all statements say together: those that this machine keeps, and those that gates show.
    pub state: TicketState,
    /// The gates that did not say what they know.
    pub unreached: Vec<Unreached>,
    /// Whether so many gates were asked that no restriction which was acknowledged by enough gates can be missing.
    pub is_complete: bool,
}

/// What was said of an envelope while a new one was made to take its place.
pub struct CarriedOver {
    /// Restrictions that are said of the new envelope as well, and who knows them.
    pub told: Vec<(Statement, Told)>,
    /// How often owners have revoked the old one; this machine does it once at most. What another one revoked is not said of the new
    /// one: that machine may have put another new one in its place.
    pub revocations: usize,
    /// The gates of the old one that did not say what they know.
    pub unreached: Vec<Unreached>,
    /// Whether so many answered that nothing which was acknowledged by enough gates can be missing.
    pub is_complete: bool,
}

/// Why it is not known what owners have restricted.
#[derive(Debug, Clone)]
pub enum StateUnknown {
    /// Only an owner can ask.
    NotOwner,
    /// No gate may be asked in this run.
    NotAsked,
    /// Too few gates said it.
    Unreached(Vec<Unreached>),
    /// It cannot be looked up: in words.
    Failed(String),
}

impl Gates<'_> {
    /// Asks the gates of a lock what owners have restricted. A restriction that is sure is known to all gates but need - 1, so `need`
    /// gates that answer know it.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn known_state(
        &self,
        record: &SealedWithGate,
        owner: Owner<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<KnownState, KeystoreError> {
        let mut reading = Reading {
            sink: &mut (),
            from: None,
        };
        let logs = self.read_logs(&record.lock, owner, &mut reading, rng);
        self.learn(record, &logs)?;
        let mut state = self.kept_state(record)?;
        let mut answered = Vec::new();
        let mut failures = Vec::new();
        for (gate, log) in &logs {
            match log {
                Ok(log) => {
                    add(&mut state, &log.state);
                    answered.push(gate.card.id());
                }
                Err(error) => failures.push((gate.card.id(), error.to_string())),
            }
        }
        let known = Acknowledged::of(&record.lock, &answered);
        Ok(KnownState {
            state,
            unreached: self.missing(&record.lock, &answered, &failures),
            is_complete: known.known >= known.need.min(known.servers),
        })
    }

    /// Says of a new envelope what owners have said of the old one since its state was looked up. To be called when the old one is
    /// revoked: what is said of it later is said of an envelope that is over.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn carry_over(
        &self,
        (old, old_owner): (&SealedWithGate, Owner<'_>),
        looked_up: &TicketState,
        (new, new_owner): (&SealedWithGate, Owner<'_>),
        rng: &mut dyn CryptoRng,
    ) -> Result<CarriedOver, KeystoreError> {
        let now = self.known_state(old, old_owner, rng)?;
        let denied = now.state.denied.difference(&looked_up.denied);
        let is_earlier = |end: &Time| looked_up.until.is_none_or(|before| *end < before);
        let end = now.state.until.filter(is_earlier);
        let later = denied.copied().map(Statement::Deny);
        let mut told = Vec::new();
        for statement in later.chain(end.map(Statement::Expire)) {
            told.push((statement, self.state(new, statement, new_owner, rng)?));
        }
        Ok(CarriedOver {
            told,
            revocations: self.count_revocations(old)?,
            unreached: now.unreached,
            is_complete: now.is_complete,
        })
    }

    /// How many statements that revoke an envelope are kept.
    fn count_revocations(&self, record: &SealedWithGate) -> Result<usize, KeystoreError> {
        let kept = self.kept_record(record)?;
        let statements = kept.iter().flat_map(|record| &record.statements);
        let signed = statements.filter_map(|kept| SignedStatement::parse(&kept.statement).ok());
        let revoking = signed.filter(|one| one.op() == Statement::Revoke);
        Ok(revoking.filter(|one| one.is_of(&record.lock)).count())
    }

    /// What the statements say that this machine keeps.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn kept_state(&self, record: &SealedWithGate) -> Result<TicketState, KeystoreError> {
        let kept = self.kept_record(record)?;
        let mut state = TicketState::default();
        for kept in kept.iter().flat_map(|record| &record.statements) {
            if let Ok(statement) = SignedStatement::parse(&kept.statement)
                && statement.is_of(&record.lock)
            {
                // There are fewer than a ticket takes.
                let _ = state.add(statement.op());
            }
        }
        Ok(state)
    }

    /// Of all restrictions of an envelope, how many gates know the one that the fewest know; `None` where nothing is restricted.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn least_known(
        &self,
        record: &SealedWithGate,
        logs: &[ReadLog],
    ) -> Result<Option<Acknowledged>, KeystoreError> {
        let kept = self.kept_record(record)?;
        let states = states(&record.lock, kept.as_ref(), logs);
        let mut all = TicketState::default();
        for state in states.values() {
            add(&mut all, state);
        }
        add(&mut all, &self.kept_state(record)?);
        let knows = |state: &TicketState, restriction: &Statement| match restriction {
            Statement::Revoke => state.revoked,
            Statement::Expire(until) => state.until.is_some_and(|end| end <= *until),
            Statement::Deny(who) => state.denied.contains(who),
            Statement::Allow(who) => state.allowed.contains(who),
        };
        let known = restrictions(&all).into_iter().map(|restriction| {
            let states = states.iter();
            let knowing = states.filter(|(_, state)| knows(state, &restriction));
            Acknowledged::of(&record.lock, knowing.map(|(id, _)| id))
        });
        Ok(known.min_by_key(|known| known.known))
    }
}

/// What each gate knows: by its log, or by what it acknowledged if that was not read.
fn states(
    lock: &GateLock,
    kept: Option<&SealedWithGate>,
    logs: &[ReadLog],
) -> BTreeMap<RootId, TicketState> {
    let servers = lock.terms().gates.iter();
    let servers = servers.filter(|gate| gate.kind == GateKind::Server);
    let state = |id: RootId| {
        let log = logs.iter().find(|(gate, _)| gate.card.id() == id);
        if let Some((_, Ok(log))) = log {
            return log.state.clone();
        }
        let mut state = TicketState::default();
        let statements = kept.iter().flat_map(|record| &record.statements);
        for kept in statements.filter(|kept| kept.known_by.contains(&id)) {
            if let Ok(statement) = SignedStatement::parse(&kept.statement)
                && statement.is_of(lock)
            {
                // There are fewer than a ticket takes.
                let _ = state.add(statement.op());
            }
        }
        state
    };
    servers.map(|gate| (gate.id, state(gate.id))).collect()
}

/// What is restricted; all else is without effect once it is revoked.
fn restrictions(state: &TicketState) -> Vec<Statement> {
    if state.revoked {
        return vec![Statement::Revoke];
    }
    let denied = state.denied.iter().map(|who| Statement::Deny(*who));
    denied.chain(state.until.map(Statement::Expire)).collect()
}

fn add(all: &mut TicketState, state: &TicketState) {
    all.revoked |= state.revoked;
    all.until = all.until.into_iter().chain(state.until).min();
    all.denied.extend(&state.denied);
    all.allowed.extend(&state.allowed);
}
