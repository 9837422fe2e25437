//! What a person should know of a gate, and what is kept of it.

use std::path::PathBuf;
use std::sync::PoisonError;

use super::Gates;
use crate::gate::client::{KeptCheckpoint, Lie, LieKind, NoReply, Peer, PeerNews};
use crate::gate::protocol::SignedStatement;
use crate::gate::rules::Refusal;
use crate::keystore::{Evidence, GateContact, GateOffer, KeptOutcome, KeystoreError};

/// Something about gates that a person should know, whatever becomes of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateNotice {
    /// It began a new log: what it knew is gone, and is to be told again.
    Forgot {
        /// What the user calls it.
        gate: String,
    },
    /// It has a newer card, which was taken.
    NewCard {
        /// What the user calls it.
        gate: String,
    },
    /// It lied.
    Lied(Deceit),
    /// What this machine kept about an envelope was damaged. What can be read of it stays, and statements are made from the envelope.
    RecordDamaged {
        /// Where the damaged file is now.
        aside: PathBuf,
    },
    /// A file among receipts and exported logs cannot be read. It is left out.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why, in words.
        why: String,
    },
    /// There are exported logs, and none fits what this gate signed, as far as that is known here: the gate is asked.
    NoExportFits {
        /// What the user calls it.
        gate: String,
        /// The first of them.
        export: PathBuf,
    },
}

/// A gate that said something which cannot be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deceit {
    /// What the user calls it.
    pub gate: String,
    /// What is wrong.
    pub what: LieKind,
    /// Where what shows it is kept.
    pub evidence: Option<PathBuf>,
}

/// A gate that refused.
#[derive(Debug, Clone)]
pub struct GateRefused {
    /// What the user calls it.
    pub gate: String,
    /// Why.
    pub reason: Refusal,
    /// The statement of an owner that is the reason; `None`: only the gate says so.
    pub proof: Option<Box<SignedStatement>>,
}

/// A gate that gave no answer that could be used.
#[derive(Debug, Clone)]
pub struct Unreached {
    /// What the user calls it.
    pub gate: String,
    /// Why, in words.
    pub why: String,
}

impl Gates<'_> {
    /// Keeps what is new about a gate, and tells it. Where another process was shown another log meanwhile, the gate lied, and
    /// nothing that it answered is used.
    pub(super) fn keep(
        &self,
        gate: &GateContact,
        peer: &Peer,
        news: &PeerNews,
    ) -> Result<Option<Lie>, KeystoreError> {
        if let Some(card) = &news.card {
            let offer = GateOffer {
                card,
                name: None,
                ca: None,
                is_backed_up: false,
            };
            let change = self.keystore.compare_gate(&offer)?;
            self.keystore.accept_gate(&offer, &change, self.now)?;
            let gate = gate.name.clone();
            (self.on_notice)(&GateNotice::NewCard { gate });
        }
        for lie in &news.lies {
            self.keep_lie(gate, lie)?;
        }
        match &news.log {
            Some((kept, forgot)) => self.keep_log(gate, peer, kept, *forgot),
            None => Ok(None),
        }
    }

    fn keep_log(
        &self,
        gate: &GateContact,
        peer: &Peer,
        kept: &KeptCheckpoint,
        forgot: bool,
    ) -> Result<Option<Lie>, KeystoreError> {
        let id = gate.card.id();
        if forgot {
            // Before the new log is known: after a kill in between this is done again.
            self.keystore.forget_acknowledgements(&id)?;
            let gate = gate.name.clone();
            (self.on_notice)(&GateNotice::Forgot { gate });
        }
        let before = peer.kept.as_ref();
        let outcome = self.keystore.keep_gate_checkpoint(&id, before, kept)?;
        let KeptOutcome::Contradicts(other) = outcome else {
            return Ok(None);
        };
        let lie = Lie::two_logs(&other, kept);
        self.keep_lie(gate, &lie)?;
        Ok(Some(lie))
    }

    /// Tells what comes up again each time that a folder is read.
    pub(super) fn tell_once(&self, notice: &GateNotice) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(notice) {
            told.push(notice.clone());
            (self.on_notice)(notice);
        }
    }

    /// Keeps what shows that a gate lied, and tells it.
    pub(super) fn keep_lie(&self, gate: &GateContact, lie: &Lie) -> Result<(), KeystoreError> {
        let evidence = self.keystore.keep_evidence(&Evidence {
            gate: gate.card.id(),
            at: self.now,
            what: lie.kind.to_string(),
            request: lie.request,
            entry: lie.entry.clone(),
            checkpoints: lie.checkpoints.clone(),
            answer: lie.answer.clone(),
        })?;
        (self.on_notice)(&GateNotice::Lied(Deceit {
            gate: gate.name.clone(),
            what: lie.kind.clone(),
            evidence,
        }));
        Ok(())
    }
}

/// Why a gate gave no answer, in words for a person.
pub(super) fn why(failure: &NoReply) -> String {
    match failure {
        NoReply::Refused(refused) => format!("it refused: {}", refused.reason.word()),
        NoReply::Unreachable(error) => error.to_string(),
        NoReply::NoAnswer(what) => what.clone(),
        NoReply::Lied(lie) => lie.kind.to_string(),
    }
}
