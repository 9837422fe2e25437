//! One request to one gate.

use crate::crypto::CryptoRng;
use crate::crypto::kdf::gate::HolderSecret;
use crate::crypto::signing::{RootId, SigningKey};
use crate::envelope::{GateLock, GateSlot, MaskedPass};
use crate::gate::card::GateCard;
use crate::gate::protocol::{
    Ask, DraftItem, Item, Op, Pending, RequestDraft, RequestError, SignedStatement,
};
use crate::policy::GateKind;
use crate::time::Time;

use super::kept::KeptCheckpoint;

/// Bytes of a request's items that surely fit into its body beside the key for the answer and a checkpoint.
const ITEMS_BYTES_MAX: usize = 1_000_000;

/// What is wanted of the gates of a lock.
pub enum Wanted<'a> {
    /// Their parts of the secret.
    Open {
        /// The slots of the gates.
        slots: Vec<&'a GateSlot>,
        /// What only whoever opened all other locks has.
        holder: &'a HolderSecret,
        /// The passes, one of which may be the asker's.
        passes: Option<&'a [MaskedPass]>,
    },
    /// That they take over a statement.
    State(&'a SignedStatement),
    /// What they logged.
    Log {
        /// The owner who asks.
        by: &'a SigningKey,
        /// What shows that this is an owner.
        blind: [u8; 32],
        /// The number of the first entry; that of the first of all is 1.
        from: u64,
    },
}

/// A question about one lock.
pub struct Question<'a> {
    /// The lock.
    pub lock: &'a GateLock,
    /// What is wanted.
    pub wanted: Wanted<'a>,
    /// From how many gates.
    pub need: usize,
}

impl Question<'_> {
    /// The position of a gate among the servers of the lock.
    pub(super) fn position(&self, gate: RootId) -> Option<u8> {
        let mut gates = self.lock.terms().gates.iter();
        let at = gates.position(|one| one.kind == GateKind::Server && one.id == gate)?;
        u8::try_from(at).ok()
    }

    pub(super) fn op(&self) -> Op {
        match self.wanted {
            Wanted::Open { .. } => Op::Open,
            Wanted::State(_) => Op::State,
            Wanted::Log { .. } => Op::Log,
        }
    }

    /// What is asked of the gate at this position; `None` where the envelope has no slot for it.
    fn ask(&self, gate: u8, who: Option<RootId>) -> Option<Ask> {
        Some(match &self.wanted {
            Wanted::Open {
                slots,
                holder,
                passes,
            } => {
                let slot = slots.iter().find(|slot| slot.gate == gate)?;
                let passes = passes.unwrap_or_default();
                let pass = |who: RootId| {
                    let mut mine = passes.iter().filter_map(|pass| pass.open(who, holder));
                    mine.find(|pass| self.lock.is_pass(who, pass))
                };
                Ask::Open {
                    enc: slot.enc.clone(),
                    ct: slot.ct.clone(),
                    pass: who.and_then(pass),
                }
            }
            Wanted::State(statement) => Ask::State {
                statement: statement.to_bytes(),
            },
            Wanted::Log { by, blind, from } => Ask::Log {
                by: by.id(),
                blind: *blind,
                from: *from,
            },
        })
    }

    /// About as many bytes as the item has in a request.
    fn item_bytes(&self) -> usize {
        2_048 + self.lock.bytes().len() * 4 / 3 + 3_072
    }

    /// Who signs for the item, where it is not the owner.
    fn holder_key(&self) -> Option<SigningKey> {
        match &self.wanted {
            Wanted::Open { holder, .. } => Some(holder.holder_key()),
            Wanted::State(_) | Wanted::Log { .. } => None,
        }
    }
}

/// Puts questions together that fit into one request, by their numbers: no lock is asked for twice in one.
pub(super) fn in_requests(
    questions: &[Question<'_>],
    numbers: &[usize],
    items_max: usize,
) -> Vec<Vec<usize>> {
    let mut requests: Vec<Vec<usize>> = Vec::new();
    for number in numbers {
        let bytes = |one: &usize| questions[*one].item_bytes();
        let ticket = questions[*number].lock.ticket();
        let fits = |request: &Vec<usize>| {
            let all: usize = request.iter().map(bytes).sum();
            let is_other = |one: &usize| questions[*one].lock.ticket() != ticket;
            request.len() < items_max
                && all + bytes(number) <= ITEMS_BYTES_MAX
                && request.iter().all(is_other)
        };
        match requests.iter_mut().find(|request| fits(request)) {
            Some(request) => request.push(*number),
            None => requests.push(vec![*number]),
        }
    }
    requests
}

/// What a request says beside its items.
#[derive(Clone, Copy)]
pub(super) struct Saying<'a> {
    pub(super) who: Option<&'a SigningKey>,
    pub(super) keep: bool,
    pub(super) at: Time,
    pub(super) told: Option<Time>,
}

/// Makes and seals a request with these questions.
pub(super) fn seal(
    questions: &[&Question<'_>],
    (card, kept): (&GateCard, Option<&KeptCheckpoint>),
    saying: Saying<'_>,
    rng: &mut dyn CryptoRng,
) -> Result<(Vec<u8>, Pending), RequestError> {
    let holders: Vec<_> = questions.iter().map(|one| one.holder_key()).collect();
    let mut items = Vec::with_capacity(questions.len());
    for (question, holder) in questions.iter().zip(&holders) {
        let gate = question.position(card.id()).ok_or(RequestError::Item)?;
        let who = saying.who.map(SigningKey::id);
        let ask = question.ask(gate, who).ok_or(RequestError::Item)?;
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let owner = match &question.wanted {
            Wanted::Log { by, .. } => Some(*by),
            _ => None,
        };
        items.push(DraftItem {
            item: Item::new(salt, question.lock, ask),
            proof: holder.as_ref().or(owner),
        });
    }
    let op = questions.first().ok_or(RequestError::Items)?.op();
    let draft = RequestDraft {
        op,
        at: saying.at,
        told: saying.told,
        who: saying.who,
        keep: saying.keep && op == Op::Open,
        seen: saying.who.and(seen(card, kept)),
        items,
    };
    draft.seal((card.id(), card.newest_key()), rng)
}

/// The kept checkpoint, where the gate can know it: of the log that its card names, whichever key it had then.
fn seen<'k>(card: &GateCard, kept: Option<&'k KeptCheckpoint>) -> Option<&'k [u8]> {
    let kept = kept.filter(|kept| kept.log.name == card.log_key().name)?;
    Some(kept.note.as_bytes())
}
