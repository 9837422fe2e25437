//! Who is asked, who asks, and what comes back of all questions together.

use super::check::Lie;
use super::kept::KeptCheckpoint;
use super::reply::{NoReply, Reply};
use super::transport::GatePlace;
use crate::crypto::signing::SigningKey;
use crate::gate::card::GateCard;
use crate::time::Time;

/// A gate that may be asked.
#[derive(Clone)]
pub struct Peer {
    /// Its card.
    pub card: GateCard,
    /// Where it is reached.
    pub place: GatePlace,
    /// What is remembered of its log.
    pub kept: Option<KeptCheckpoint>,
}

/// Who asks, and how.
pub struct Asker<'a> {
    /// The root key that signs; `None` to ask without a name.
    pub who: Option<&'a SigningKey>,
    /// Whether the answer shall be kept for as long as the lock allows.
    pub keep: bool,
    /// When.
    pub now: Time,
}

/// What is new about a gate.
#[derive(Default)]
pub struct PeerNews {
    /// A newer card, which the gate signed its answer by: the same root key at the same address.
    pub card: Option<GateCard>,
    /// A checkpoint to be kept, and whether the gate has forgotten the log that was known.
    pub log: Option<(KeptCheckpoint, bool)>,
    /// In which ways it lied.
    pub lies: Vec<Lie>,
}

/// All answers.
pub struct Outcome {
    /// For each question what the gates said, each with its number among the peers.
    pub answers: Vec<Vec<(usize, Result<Reply, NoReply>)>>,
    /// For each peer what is to be kept.
    pub news: Vec<PeerNews>,
}

impl Outcome {
    /// Takes nothing that this peer answered for an answer.
    pub fn disbelieve(&mut self, peer: usize, lie: &Lie) {
        let answers = self.answers.iter_mut().flatten();
        for (_, answer) in answers.filter(|(number, _)| *number == peer) {
            *answer = Err(NoReply::Lied(Box::new(lie.clone())));
        }
    }
}
