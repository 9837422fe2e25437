//! Locks and requests for the tests beside the code.

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::protocol::{Ask, DraftItem, Item, Op, RequestDraft};
use crate::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use crate::crypto::{Kem, PrivateKey, Secret, hpke, kdf};
use crate::envelope::{EnvelopeId, GateLock, PUBLIC_BLIND};
use crate::policy::{Conditions, Gate, GateKind, GateTerms, Hash, Lock, Opens};
use crate::time::Time;

pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate(&mut rng())
}

pub(crate) fn time(seconds: u64) -> Time {
    Time::from_unix(seconds).unwrap()
}

/// A gate, an envelope's gate lock, and all who have to do with it.
pub(crate) struct Scene {
    pub(crate) gate: SigningKey,
    pub(crate) kem: PrivateKey,
    pub(crate) holder: SigningKey,
    pub(crate) list: SigningKey,
    pub(crate) owner: SigningKey,
    pub(crate) bob: SigningKey,
    pub(crate) secret: Secret<32>,
    pub(crate) envelope: EnvelopeId,
    pub(crate) terms: GateTerms,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let (gate, holder, list, owner) = (key(), key(), key(), key());
        let kem = PrivateKey::generate(Kem::XWing, &mut rng());
        let terms = GateTerms {
            gates: vec![Gate {
                kind: GateKind::Server,
                id: gate.id(),
                key: kem.public_key().key_id(),
                name: Some("gate".into()),
                url: None,
            }],
            owners: vec![Hash(kdf::gate::owner(&PUBLIC_BLIND, &owner.id().0))],
            holder: holder.id(),
            members: Some(list.id()),
            conditions: Conditions::default(),
            lease: None,
        };
        Self {
            gate,
            kem,
            holder,
            list,
            owner,
            bob: key(),
            secret: Secret::random(&mut rng()),
            envelope: EnvelopeId(*Secret::<32>::random(&mut rng()).expose()),
            terms,
        }
    }

    pub(crate) fn lock(&self) -> GateLock {
        let lock = Lock {
            need: 1,
            commit: kdf::lock_commitment(&self.secret),
            shares: Vec::new(),
            opens: Opens::Gates(Box::new(self.terms.clone())),
        };
        let bytes = serde_json::to_vec(&lock).unwrap();
        GateLock::parse(self.envelope, 1, &bytes).unwrap()
    }

    pub(crate) fn pass(&self, who: RootId) -> Signature {
        let ticket = self.lock().ticket();
        self.list.sign(Purpose::GatePass, &[&ticket.0, &who.0])
    }

    /// To open the lock, as a reader with a pass asks.
    pub(crate) fn open(&self) -> Item {
        let lock = self.lock();
        let info = kdf::gate::slot_info(&lock.ticket().0, 0);
        let public = self.kem.public_key();
        let slot = hpke::seal(&public, &info, self.secret.expose(), &mut rng()).unwrap();
        let ask = Ask::Open {
            enc: slot.enc,
            ct: slot.ct,
            pass: Some(self.pass(self.bob.id())),
        };
        Item::new(*Secret::<16>::random(&mut rng()).expose(), &lock, ask)
    }

    /// A request of Bob's for these items, which `proof` signs.
    pub(crate) fn draft<'a>(
        &'a self,
        op: Op,
        items: Vec<Item>,
        proof: Option<&'a SigningKey>,
    ) -> RequestDraft<'a> {
        let items = items.into_iter().map(|item| DraftItem { item, proof });
        RequestDraft {
            op,
            at: time(1_800_000_000),
            told: None,
            who: Some(&self.bob),
            keep: false,
            seen: None,
            items: items.collect(),
        }
    }
}
