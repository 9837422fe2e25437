//! Some gates in memory, and an envelope that they guard.

use std::sync::{Arc, Mutex, PoisonError};

use super::fake::{Fake, Manners};
use crate::crypto::kdf::gate::{self as kdf, HolderSecret};
use crate::crypto::signing::{Purpose, SigningKey};
use crate::crypto::{Secret, hpke, kdf as secrets, sharing};
use crate::envelope::{EnvelopeId, GateLock, GateSlot, MaskedPass, PUBLIC_BLIND};
use crate::gate::card::GateCard;
use crate::gate::client::{GatePlace, Peer};
use crate::gate::scene::{key, rng};
use crate::policy::{Conditions, Gate, GateKind, GateTerms, Hash, Lock, Opens};

/// Some gates, and an envelope that they guard.
pub(crate) struct World {
    pub(crate) fakes: Arc<Mutex<Vec<Fake>>>,
    cards: Vec<GateCard>,
    pub(crate) need: usize,
    pub(crate) secret: Secret<32>,
    parts: Vec<Vec<u8>>,
    terms: GateTerms,
    commit: [u8; 32],
    shares: Vec<Hash>,
    list: SigningKey,
    pub(crate) owner: SigningKey,
    pub(crate) bob: SigningKey,
    others: Secret<32>,
}

impl World {
    pub(crate) fn new(need: usize, count: usize) -> Self {
        let fakes: Vec<Fake> = (0..count).map(Fake::new).collect();
        let (list, owner) = (key(), key());
        let others = Secret::random(&mut rng());
        let gate = |fake: &Fake| Gate {
            kind: GateKind::Server,
            id: fake.card.id(),
            key: fake.card.newest_key().key_id(),
            name: None,
            url: None,
        };
        let terms = GateTerms {
            gates: fakes.iter().map(gate).collect(),
            owners: vec![Hash(kdf::owner(&PUBLIC_BLIND, &owner.id().0))],
            holder: HolderSecret::new([&others]).holder_key().id(),
            members: Some(list.id()),
            conditions: Conditions::default(),
            lease: None,
        };
        let secret = Secret::random(&mut rng());
        let (parts, shares) = shared(&secret, need, count);
        Self {
            cards: fakes.iter().map(|fake| fake.card.clone()).collect(),
            fakes: Arc::new(Mutex::new(fakes)),
            need,
            commit: secrets::lock_commitment(&secret),
            secret,
            parts,
            terms,
            shares,
            list,
            owner,
            bob: key(),
            others,
        }
    }

    pub(crate) fn unlisted() -> Self {
        let mut world = Self::new(1, 1);
        world.terms.members = None;
        world
    }

    pub(crate) fn lock(&self) -> GateLock {
        self.lock_of(0)
    }

    pub(crate) fn lock_of(&self, number: u8) -> GateLock {
        let lock = Lock {
            need: u8::try_from(self.need).unwrap(),
            commit: self.commit,
            shares: self.shares.clone(),
            opens: Opens::Gates(Box::new(self.terms.clone())),
        };
        let bytes = serde_json::to_vec(&lock).unwrap();
        GateLock::parse(EnvelopeId([number; 32]), 1, &bytes).unwrap()
    }

    pub(crate) fn slots(&self, lock: &GateLock) -> Vec<GateSlot> {
        let fakes = self.fakes.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = |(at, fake): (usize, &Fake)| {
            let gate = u8::try_from(at).unwrap();
            let info = kdf::slot_info(&lock.ticket().0, gate);
            let public = fake.kem.public_key();
            let sealed = hpke::seal(&public, &info, &self.parts[at], &mut rng()).unwrap();
            GateSlot {
                lock: 1,
                gate,
                enc: sealed.enc,
                ct: sealed.ct,
            }
        };
        fakes.iter().enumerate().map(slot).collect()
    }

    pub(crate) fn holder(&self) -> HolderSecret {
        HolderSecret::new([&self.others])
    }

    pub(crate) fn pass(&self, lock: &GateLock, who: &SigningKey) -> MaskedPass {
        let message: [&[u8]; 2] = [&lock.ticket().0, &who.id().0];
        let pass = self.list.sign(Purpose::GatePass, &message);
        let holder = self.holder();
        let mut entry = *holder.pass_mask(who.id()).expose();
        for (byte, pass) in entry[16..].iter_mut().zip(pass.0) {
            *byte ^= pass;
        }
        MaskedPass(entry)
    }

    pub(crate) fn peers(&self) -> Vec<Peer> {
        let peer = |card: &GateCard| Peer {
            place: GatePlace {
                url: card.url().clone(),
                ca: None,
            },
            card: card.clone(),
            kept: None,
        };
        self.cards.iter().map(peer).collect()
    }

    pub(crate) fn set(&self, number: usize, manners: Manners) {
        self.fakes.lock().unwrap()[number].manners = manners;
    }

    /// Puts another gate in the place of one, which is given back.
    pub(crate) fn replace(&self, number: usize, fake: Fake) -> Fake {
        std::mem::replace(&mut self.fakes.lock().unwrap()[number], fake)
    }

    pub(crate) fn asked(&self) -> Vec<usize> {
        let fakes = self.fakes.lock().unwrap();
        fakes.iter().map(|fake| fake.asked).collect()
    }

    /// Gives a gate a new log key, and a card that says so.
    pub(crate) fn rotate(&self, number: usize, url: &str) {
        self.fakes.lock().unwrap()[number].rotate(url);
    }
}

/// The parts of the gates, and the hashes of the shares.
fn shared(secret: &Secret<32>, need: usize, count: usize) -> (Vec<Vec<u8>>, Vec<Hash>) {
    if need == 1 {
        return (vec![secret.expose().to_vec(); count], Vec::new());
    }
    let (need, count) = (u8::try_from(need).unwrap(), u8::try_from(count).unwrap());
    let shares = sharing::split(secret, need, count, &mut rng());
    let parts: Vec<Vec<u8>> = shares.iter().map(|share| share.expose().to_vec()).collect();
    let hashes = shares
        .iter()
        .map(|share| Hash(secrets::share_hash(share.expose())));
    (parts, hashes.collect())
}
