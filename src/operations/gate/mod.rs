//! Gates as a person uses them: asked when an envelope opens, told what an owner decides, read by an owner.
//!
//! Only gates among the contacts are asked, at the address of the contact. What was seen of a gate's log is stored before anything of
//! its answer is used, and what shows that a gate lied is kept for ever.

mod add;
mod ask;
mod compare;
mod known_state;
mod lease;
mod notices;
mod owner;
mod read_log;
mod regular_file;
mod state;

use std::sync::{Arc, Mutex};

pub use add::{AddGateError, FoundGate, find_gate, offered_gate};
pub use ask::{AskError, Asked};
pub use compare::{CompareError, Compared};
pub use known_state::{CarriedOver, KnownState, StateUnknown};
pub use lease::{has_kept_parts, kept_parts};
pub use notices::{Deceit, GateNotice, GateRefused, Unreached};
pub use owner::{Owner, find_owner};
pub use read_log::{EntrySink, GateLog, LogError, ReadLog, Reading, WithheldReceipt};
pub use regular_file::read_short;
pub use state::{Acknowledged, Certainty, Told};

use crate::crypto::CryptoRng;
use crate::crypto::signing::SigningKey;
use crate::envelope::GateLock;
use crate::gate::client::{self, Asker, GatePlace, Outcome, Peer, Question, Transport};
use crate::keystore::{GateContact, GateStanding, Keystore, KeystoreError};
use crate::policy::GateKind;
use crate::time::Time;

/// The gates of one keystore, ready to be asked.
pub struct Gates<'a> {
    keystore: &'a Keystore,
    known: Vec<GateContact>,
    /// Gates that somebody else put there, or changed: they are not asked.
    set_aside: Vec<(GateContact, GateStanding)>,
    transport: Arc<dyn Transport>,
    now: Time,
    on_notice: Box<dyn Fn(&GateNotice) + Send + Sync + 'a>,
    /// What is told once only.
    told: Mutex<Vec<GateNotice>>,
}

impl<'a> Gates<'a> {
    /// The gates among the contacts. `on_notice` hears what a person should know of a gate, whatever becomes of the question.
    ///
    /// # Errors
    /// [`KeystoreError`]. A gate whose file cannot be read is left out.
    pub fn read(
        keystore: &'a Keystore,
        transport: Arc<dyn Transport>,
        now: Time,
        on_notice: impl Fn(&GateNotice) + Send + Sync + 'a,
    ) -> Result<Self, KeystoreError> {
        let (mut known, mut set_aside) = (Vec::new(), Vec::new());
        for gate in keystore.gates()?.found {
            match keystore.gate_standing(&gate)? {
                GateStanding::Known(_) => known.push(gate),
                standing => set_aside.push((gate, standing)),
            }
        }
        Ok(Self {
            keystore,
            known,
            set_aside,
            transport,
            now,
            on_notice: Box::new(on_notice),
            told: Mutex::default(),
        })
    }

    /// Those that are asked.
    #[must_use]
    pub fn known(&self) -> &[GateContact] {
        &self.known
    }

    /// Those that are not asked until the user adds them, and why.
    #[must_use]
    pub fn set_aside(&self) -> &[(GateContact, GateStanding)] {
        &self.set_aside
    }

    /// Whether a gate of this lock can be asked. Asks nobody.
    #[must_use]
    pub fn may_ask(&self, lock: &GateLock) -> bool {
        self.of(lock).next().is_some()
    }

    /// The gates of a lock that can be asked.
    fn of<'s>(&'s self, lock: &'s GateLock) -> impl Iterator<Item = &'s GateContact> {
        let servers = lock.terms().gates.iter();
        let servers = servers.filter(|gate| gate.kind == GateKind::Server);
        servers.filter_map(|gate| self.known.iter().find(|known| known.card.id() == gate.id))
    }

    /// Asks some gates, stores what is to be kept of them, and only then gives back what they said.
    fn ask_some(
        &self,
        questions: &[Question<'_>],
        gates: &[&GateContact],
        who: Option<&SigningKey>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Outcome, KeystoreError> {
        let peer = |gate: &&GateContact| -> Result<Peer, KeystoreError> {
            Ok(Peer {
                card: gate.card.clone(),
                place: GatePlace {
                    url: gate.card.url().clone(),
                    ca: gate.ca.clone(),
                },
                kept: self.keystore.gate_checkpoint(&gate.card.id())?,
            })
        };
        let peers = gates.iter().map(peer).collect::<Result<Vec<_>, _>>()?;
        let asker = Asker {
            who,
            keep: questions.iter().any(|one| one.lock.terms().lease.is_some()),
            now: self.now,
        };
        let mut outcome = client::ask(questions, &peers, &asker, &self.transport, rng);
        for (number, (gate, peer)) in gates.iter().zip(&peers).enumerate() {
            if let Some(lie) = self.keep(gate, peer, &outcome.news[number])? {
                outcome.disbelieve(number, &lie);
            }
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests;
