//! What a person should know of a gate, and what is kept of it.

use std::path::PathBuf;

use super::Gates;
use crate::gate::client::{KeptCheckpoint, Lie, LieKind, NoReply, Peer, PeerNews};
use crate::gate::protocol::SignedStatement;
use crate::gate::rules::Refusal;
use crate::keystore::{Evidence, GateContact, GateOffer, KeystoreError};

/// Something about a gate that a person should know, whatever becomes of the question.
#[derive(Debug, Clone)]
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
}

/// A gate that said something which cannot be true.
#[derive(Debug, Clone)]
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
    /// Keeps what is new about a gate, and tells it.
    pub(super) fn keep(
        &self,
        gate: &GateContact,
        peer: &Peer,
        news: &PeerNews,
    ) -> Result<(), KeystoreError> {
        let name = &gate.name;
        if let Some(card) = &news.card {
            let (name, ca) = (None, None);
            let offer = GateOffer { card, name, ca };
            let change = self.keystore.compare_gate(&offer)?;
            self.keystore.accept_gate(&offer, &change, self.now)?;
            let gate = gate.name.clone();
            (self.on_notice)(&GateNotice::NewCard { gate });
        }
        for lie in &news.lies {
            let evidence = self.keep_lie(gate, lie)?;
            (self.on_notice)(&GateNotice::Lied(Deceit {
                gate: name.clone(),
                what: lie.kind.clone(),
                evidence,
            }));
        }
        if let Some((kept, forgot)) = &news.log {
            self.keep_log(gate, peer, kept, *forgot)?;
        }
        Ok(())
    }

    fn keep_log(
        &self,
        gate: &GateContact,
        peer: &Peer,
        kept: &KeptCheckpoint,
        forgot: bool,
    ) -> Result<(), KeystoreError> {
        let id = gate.card.id();
        if forgot {
            // Before the new log is known: after a kill in between this is done again.
            self.keystore.forget_acknowledgements(&id)?;
            let gate = gate.name.clone();
            (self.on_notice)(&GateNotice::Forgot { gate });
        }
        self.keystore
            .keep_gate_checkpoint(&id, peer.kept.as_ref(), kept)
    }

    fn keep_lie(&self, gate: &GateContact, lie: &Lie) -> Result<Option<PathBuf>, KeystoreError> {
        self.keystore.keep_evidence(&Evidence {
            gate: gate.card.id(),
            at: self.now,
            what: lie.kind.to_string(),
            request: lie.request,
            entry: lie.entry.clone(),
            checkpoints: lie.checkpoints.clone(),
        })
    }
}

/// Why a gate gave no answer, in words for a person.
pub(super) fn why(failure: &NoReply) -> String {
    match failure {
        NoReply::Refused(refused) => format!("it refused: {}", refused.reason.word()),
        NoReply::Unreachable(error) => error.to_string(),
        NoReply::NoAnswer(what) => what.clone(),
        NoReply::Lied(lie) => lie.kind.to_string(),
        NoReply::WrongPart => LieKind::WrongPart.to_string(),
    }
}
