use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::memory::Memory;
use super::*;
use crate::crypto::signing::{RootId, SigningKey};
use crate::crypto::{PrivateKey, Secret};
use crate::envelope::PUBLIC_BLIND;
use crate::gate::log::leaf_hash;
use crate::gate::log::{Checkpoint, root, verify_consistency, verify_inclusion};
use crate::gate::protocol::*;
use crate::gate::rules::{Refusal, Statement};
use crate::gate::scene::{Scene, key, rng, time};
use crate::policy::Conditions;

mod admission;
mod reading;
mod times;

/// The time of the requests of the scene.
const NOW: u64 = 1_800_000_000;

struct Gate {
    keys: GateKeys,
    ledger: Memory,
    now: u64,
    refusals: u32,
}

impl Gate {
    fn new(scene: &Scene) -> Self {
        let kem = PrivateKey::new(scene.kem.kem(), Secret::new(*scene.kem.secret().expose()));
        Self {
            keys: GateKeys {
                id: scene.gate.id(),
                log: key(),
                origin: "gate/1".into(),
                former: Vec::new(),
                kem: vec![(kem.public_key().key_id(), kem)],
            },
            ledger: Memory::default(),
            now: NOW,
            refusals: 100,
        }
    }

    fn checkpoint(&self) -> String {
        let size = self.ledger.size();
        let Ok(root) = root(&self.ledger, size);
        let origin = self.keys.origin.clone();
        Checkpoint { origin, size, root }.sign(&self.keys.log)
    }

    /// Answers a request that was sealed for this gate, and checks all proofs of the answer.
    fn ask(&mut self, bytes: &[u8], pending: &Pending) -> Said {
        let key = self.keys.kem_key(split(bytes).unwrap().0).unwrap();
        let request = Request::open(bytes, self.keys.id, key).unwrap();
        let prepared = Prepared::new(&self.keys, request);
        let left = &mut self.refusals;
        let moment = Moment {
            keys: &self.keys,
            now: time(self.now),
            rng: &mut rng(),
            may_log: &mut |_| {
                *left = left.saturating_sub(1);
                *left > 0
            },
        };
        let Ok(decided) = prepared.decide(&mut self.ledger, moment);
        let (size, checkpoint) = (self.ledger.size(), self.checkpoint());
        let Ok(answer) = decided.answer(&self.ledger, size, &checkpoint);
        let sealed = answer.seal(&self.keys.log, &pending.reply.public_key(), &mut rng());
        assert!(sealed.len() <= ANSWER_BYTES_MAX);
        let answer = Answer::open(&sealed, pending, self.keys.log.id()).unwrap();
        self.check(&answer.said);
        answer.said
    }

    fn check(&self, said: &Said) {
        let Said::Items {
            items, checkpoint, ..
        } = said
        else {
            return;
        };
        let head = Checkpoint::read(checkpoint, &self.keys.note_key()).unwrap();
        for item in items {
            let (ItemAnswer::Share { entry, .. }
            | ItemAnswer::Stated(entry)
            | ItemAnswer::Refused {
                entry: Some(entry), ..
            }) = item
            else {
                continue;
            };
            let place = (Entry::parse(&entry.line).unwrap().seq, head.size);
            verify_inclusion(&leaf_hash(&entry.line), place, &entry.proof, &head.root).unwrap();
        }
    }
}

fn sealed(scene: &Scene, draft: RequestDraft<'_>) -> (Vec<u8>, Pending) {
    let gate = (scene.gate.id(), &scene.kem.public_key());
    draft.seal(gate, &mut rng()).unwrap()
}

fn open(scene: &Scene) -> RequestDraft<'_> {
    scene.draft(Op::Open, vec![scene.open()], Some(&scene.holder))
}

fn state<'a>(scene: &'a Scene, op: Statement, by: &SigningKey) -> RequestDraft<'a> {
    let lock = scene.lock();
    let statement = SignedStatement::new((lock.ticket(), op), time(NOW), PUBLIC_BLIND, by);
    let ask = Ask::State {
        statement: statement.to_bytes(),
    };
    scene.draft(Op::State, vec![Item::new([1; 16], &lock, ask)], None)
}

fn log<'a>(scene: &'a Scene, by: &'a SigningKey, from: u64) -> RequestDraft<'a> {
    let ask = Ask::Log {
        by: by.id(),
        blind: PUBLIC_BLIND,
        from,
    };
    let item = Item::new([1; 16], &scene.lock(), ask);
    scene.draft(Op::Log, vec![item], Some(by))
}

/// The word of the first item, or of the whole answer.
fn word(said: &Said) -> &'static str {
    match said {
        Said::Refused(refusal) => refusal.word(),
        Said::Items { items, .. } => match &items[0] {
            ItemAnswer::Share { .. } => "open",
            ItemAnswer::Refused { reason, .. } => reason.word(),
            ItemAnswer::Stated(_) => "stated",
            ItemAnswer::Log(_) => "log",
        },
    }
}

fn ask(gate: &mut Gate, scene: &Scene, draft: RequestDraft<'_>) -> &'static str {
    let (bytes, pending) = sealed(scene, draft);
    word(&gate.ask(&bytes, &pending))
}
