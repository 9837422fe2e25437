//! Statements of an owner, carried to all gates of a lock, and again to those that did not hear them.

use super::notices::why;
use super::{GateNotice, Gates, Owner, ReadLog, Reading, Unreached};
use crate::crypto::CryptoRng;
use crate::crypto::signing::{RootId, SigningKey};
use crate::envelope::GateLock;
use crate::gate::client::{Question, Reply, Wanted};
use crate::gate::protocol::SignedStatement;
use crate::gate::rules::Statement;
use crate::keystore::{GateContact, KeptStatement, KeystoreError, SealedWithGate};
use crate::policy::GateKind;

/// Whether a restriction holds from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The gates that do not know it open nothing without those that do.
    Sure,
    /// They do not, unless persons among the gates help, who do not ask a server.
    UnlessPersonsHelp,
    /// So many gates that know it are needed.
    NotYet {
        /// How many.
        needed: usize,
    },
    /// The persons among the gates are enough without any server.
    Never,
}

/// Who knows a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// Gates that know it.
    pub known: usize,
    /// All gates of the lock that are servers.
    pub servers: usize,
    /// Persons among the gates.
    pub persons: usize,
    /// How many parts open the lock.
    pub need: usize,
}

impl Acknowledged {
    /// Of a lock, and of the gates that know.
    #[must_use]
    pub fn of<'i>(lock: &GateLock, known_by: impl IntoIterator<Item = &'i RootId>) -> Self {
        let gates = &lock.terms().gates;
        let servers: Vec<RootId> = gates
            .iter()
            .filter(|gate| gate.kind == GateKind::Server)
            .map(|gate| gate.id)
            .collect();
        let known = known_by.into_iter().filter(|id| servers.contains(id));
        Self {
            known: known.count(),
            servers: servers.len(),
            persons: gates.len() - servers.len(),
            need: usize::from(lock.lock().need),
        }
    }

    /// Servers alone open nothing once s - k + 1 know it, of s servers where k parts are needed.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        let needed = (self.servers + 1).saturating_sub(self.need).max(1);
        match () {
            () if self.persons >= self.need => Certainty::Never,
            () if self.known < needed => Certainty::NotYet { needed },
            () if self.persons > 0 => Certainty::UnlessPersonsHelp,
            () => Certainty::Sure,
        }
    }
}

/// What became of a statement.
pub struct Told {
    /// Who knows it now.
    pub acknowledged: Acknowledged,
    /// The gates of the lock that do not, by the names that the user or the lock has for them.
    pub missing: Vec<Unreached>,
}

impl Gates<'_> {
    /// Makes a statement, keeps it, and carries it to all gates of the lock. It is kept first, so that nothing that a gate may have
    /// heard is forgotten.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn state(
        &self,
        record: &SealedWithGate,
        statement: Statement,
        owner: Owner<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Told, KeystoreError> {
        let lock = &record.lock;
        let same = |kept: &KeptStatement| {
            let parsed = SignedStatement::parse(&kept.statement).ok();
            parsed.filter(|one| one.op() == statement && one.is_of(lock))
        };
        let earlier = self.kept_record(record)?;
        let earlier = earlier.and_then(|record| record.statements.iter().find_map(same));
        let signed = earlier.unwrap_or_else(|| {
            let about = (lock.ticket(), statement);
            SignedStatement::new(about, self.now, owner.blind, owner.key)
        });
        let said = |known_by| SealedWithGate {
            statements: vec![KeptStatement {
                statement: signed.to_bytes(),
                known_by,
            }],
            ..record.clone()
        };
        self.keystore
            .record_sealed(&said(std::iter::empty().collect()))?;
        self.carry(record, &signed, Some(owner.key), rng)
    }

    /// Carries all statements of a record to the gates that have not acknowledged them. Returns how many of them came to be known to
    /// more gates.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn carry_again(
        &self,
        record: &SealedWithGate,
        who: Option<&SigningKey>,
        rng: &mut dyn CryptoRng,
    ) -> Result<usize, KeystoreError> {
        let mut carried = 0;
        let Some(record) = self.kept_record(record)? else {
            return Ok(0);
        };
        for kept in &record.statements {
            let is_missing = |gate: &GateContact| !kept.known_by.contains(&gate.card.id());
            let signed = SignedStatement::parse(&kept.statement).ok();
            let signed = signed.filter(|statement| statement.is_of(&record.lock));
            if let (Some(signed), true) = (signed, self.of(&record.lock).any(is_missing)) {
                let before = Acknowledged::of(&record.lock, &kept.known_by).known;
                let told = self.carry(&record, &signed, who, rng)?;
                carried += usize::from(told.acknowledged.known > before);
            }
        }
        Ok(carried)
    }

    /// Reads what each gate of a lock logged of it, and carries all statements of the record to the gates that do not show them: they
    /// did not hear them, or forgot. Statements that were said from another machine are kept here, and carried as well. Returns how
    /// many came to be known to more gates.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn refreshed_logs(
        &self,
        record: &SealedWithGate,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<ReadLog>, usize), KeystoreError> {
        let told = self.carry_again(record, Some(owner.key), rng)?;
        let logs = self.read_logs(&record.lock, owner, reading, rng);
        self.note_forgotten(record, &logs)?;
        self.learn(record, &logs)?;
        match self.carry_again(record, Some(owner.key), rng)? {
            0 => Ok((logs, told)),
            more => {
                let logs = self.read_logs(&record.lock, owner, reading, rng);
                Ok((logs, told + more))
            }
        }
    }

    /// A statement that a gate acknowledged and does not show is not known to it.
    fn note_forgotten(
        &self,
        record: &SealedWithGate,
        logs: &[ReadLog],
    ) -> Result<(), KeystoreError> {
        let kept = self.keystore.sealed_with_gate(record.lock.ticket())?;
        let kept = kept.map_or_else(Vec::new, |record| record.statements);
        for (gate, log) in logs {
            let Ok(log) = log else { continue };
            // What an operator exported may be older than the statement.
            if log.exported.is_some() || log.is_full() {
                continue;
            }
            let id = gate.card.id();
            let forgot = |kept: &KeptStatement| {
                let signed = SignedStatement::parse(&kept.statement).ok();
                let is_shown = signed.is_some_and(|signed| log.shows(&signed));
                kept.known_by.contains(&id) && !is_shown
            };
            if kept.iter().any(forgot) {
                self.keystore.forget_acknowledgements(&id)?;
            }
        }
        Ok(())
    }

    /// What this machine keeps about an envelope. A damaged file is set aside first, and told.
    pub(super) fn kept_record(
        &self,
        record: &SealedWithGate,
    ) -> Result<Option<SealedWithGate>, KeystoreError> {
        if let Some(aside) = self.keystore.repair_sealed(record)? {
            (self.on_notice)(&GateNotice::RecordDamaged { aside });
        }
        self.keystore.sealed_with_gate(record.lock.ticket())
    }

    /// Carries a statement to the gates that do not know it yet, and records who does.
    fn carry(
        &self,
        record: &SealedWithGate,
        statement: &SignedStatement,
        who: Option<&SigningKey>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Told, KeystoreError> {
        let lock = &record.lock;
        let known = self.known_by(record, statement)?;
        let is_missing = |gate: &&GateContact| !known.contains(&gate.card.id());
        let gates: Vec<&GateContact> = self.of(lock).filter(is_missing).collect();
        let question = Question {
            lock,
            wanted: Wanted::State(statement),
            need: gates.len(),
        };
        let mut failures: Vec<(RootId, String)> = Vec::new();
        let mut news = Vec::new();
        if !gates.is_empty() {
            let mut outcome = self.ask_some(&[question], &gates, who, rng)?;
            for (number, answer) in outcome.answers.remove(0) {
                let id = gates[number].card.id();
                match answer {
                    Ok(Reply::Stated(_)) => news.push(id),
                    Ok(_) => {}
                    Err(failure) => failures.push((id, why(&failure))),
                }
            }
        }
        self.keystore.record_sealed(&SealedWithGate {
            statements: vec![KeptStatement {
                statement: statement.to_bytes(),
                known_by: news.into_iter().collect(),
            }],
            ..record.clone()
        })?;
        // A gate that forgot on the way counts no more.
        let known = self.known_by(record, statement)?;
        Ok(Told {
            acknowledged: Acknowledged::of(lock, &known),
            missing: self.missing(lock, &known, &failures),
        })
    }

    fn known_by(
        &self,
        record: &SealedWithGate,
        statement: &SignedStatement,
    ) -> Result<Vec<RootId>, KeystoreError> {
        let kept = self.keystore.sealed_with_gate(record.lock.ticket())?;
        let kept = kept.map_or_else(Vec::new, |record| record.statements);
        let bytes = statement.to_bytes();
        let mut same = kept.iter().filter(|kept| kept.statement == bytes);
        let known = same
            .next()
            .map(|kept| kept.known_by.iter().copied().collect());
        Ok(known.unwrap_or_default())
    }

    /// The servers of a lock that are not among these, and why.
    pub(super) fn missing(
        &self,
        lock: &GateLock,
        known: &[RootId],
        failures: &[(RootId, String)],
    ) -> Vec<Unreached> {
        let servers = lock.terms().gates.iter();
        let servers = servers.filter(|gate| gate.kind == GateKind::Server);
        servers
            .filter(|gate| !known.contains(&gate.id))
            .map(|gate| {
                let contact = self.known.iter().find(|one| one.card.id() == gate.id);
                let name = contact.map(|one| one.name.clone()).or(gate.name.clone());
                let failure = failures.iter().find(|(id, _)| *id == gate.id);
                Unreached {
                    gate: name.unwrap_or_else(|| crate::identity::short_fingerprint(&gate.id)),
                    why: match (failure, contact) {
                        (Some((_, failure)), _) => failure.clone(),
                        (None, Some(_)) => "it did not answer".to_owned(),
                        (None, None) => "it is not among your contacts".to_owned(),
                    },
                }
            })
            .collect()
    }
}
