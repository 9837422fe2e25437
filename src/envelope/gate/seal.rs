//! Sealing a gate lock: its secret, its terms, the slots of its gates and the passes of the people named in the other locks.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::crypto::kdf::gate::{self as kdf, HolderSecret};
use crate::crypto::kdf::lock_commitment;
use crate::crypto::signing::{RootId, SigningKey};
use crate::crypto::{CryptoRng, PublicKey, Secret};
use crate::envelope::access_line::{Access, Slot};
use crate::envelope::error::{KeyringError, SealError};
use crate::envelope::gate::lock::{GateLock, MaskedPass, PUBLIC_BLIND};
use crate::envelope::lock_secret::LockSecret;
use crate::policy::{Conditions, Gate, GateKind, GateTerms, Hash, Lock, Opens};

/// A gate lock to be sealed.
#[derive(Clone)]
pub struct GateRequest {
    /// How many of the gates have to answer.
    pub need: u8,
    /// The gates, at most 8.
    pub gates: Vec<GateAddressee>,
    /// The root keys of those who may restrict access and read the log. In a private envelope the author alone counts, and is
    /// hidden.
    pub owners: Vec<RootId>,
    /// Whether only those named in the other locks are answered; otherwise whoever opened these.
    pub is_listed: bool,
    /// When it may be opened, by the clocks of the gates.
    pub conditions: Conditions,
    /// For how many seconds a reader may keep what a gate answered.
    pub lease: Option<u32>,
    /// Called with the lock before anything is written: by the lock an owner revokes also what was sent away.
    pub keeper: Option<GateKeeper>,
}

/// Keeps the gate lock of an envelope that is being sealed. An error ends the sealing.
pub type GateKeeper = Arc<dyn Fn(&GateLock) -> Result<(), KeyringError> + Send + Sync>;

/// A gate as the policy will describe it, with the key to seal to.
#[derive(Clone)]
pub struct GateAddressee {
    /// A server or a person.
    pub kind: GateKind,
    /// Its root key.
    pub id: RootId,
    /// What it is called; left out of private envelopes.
    pub name: Option<String>,
    /// Where it is reached; left out of private envelopes.
    pub url: Option<String>,
    /// The key.
    pub public: PublicKey,
}

/// Who owns a gate lock.
#[derive(Clone, Copy)]
pub(in crate::envelope) enum Owners<'a> {
    /// Those of the request.
    Requested,
    /// The author of a private envelope, if it has one, so that only the author can tell.
    Hidden(Option<&'a SigningKey>),
}

/// What is drawn for a gate lock before line 2 is written.
pub(in crate::envelope) struct DrawnGate<'r> {
    request: &'r GateRequest,
    /// Everybody who is named in the other locks.
    people: BTreeSet<RootId>,
    secret: LockSecret,
    holder: HolderSecret,
    /// The key of the passes. It is forgotten with this value.
    list: Option<SigningKey>,
}

impl<'r> DrawnGate<'r> {
    pub(in crate::envelope) fn draw<'a>(
        request: &'r GateRequest,
        others: impl Iterator<Item = &'a Secret<32>>,
        people: BTreeSet<RootId>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, SealError> {
        let both = request.gates.iter().find(|gate| people.contains(&gate.id));
        if let Some(both) = both {
            return Err(SealError::Request(format!(
                "{} is a recipient and a gate as well, and could open it alone",
                both.name.as_deref().unwrap_or("somebody")
            )));
        }
        Ok(Self {
            request,
            people,
            secret: LockSecret::of_gates(request.need, request.gates.len(), rng)?,
            holder: HolderSecret::new(others),
            list: request.is_listed.then(|| SigningKey::generate(rng)),
        })
    }

    pub(in crate::envelope) fn secret(&self) -> &Secret<32> {
        &self.secret.secret
    }

    /// The lock for line 2.
    pub(in crate::envelope) fn lock(&self, owners: Owners<'_>) -> Lock {
        let request = self.request;
        let is_private = matches!(owners, Owners::Hidden(_));
        let commit = lock_commitment(&self.secret.secret);
        let hidden_owner = |author: &SigningKey| {
            kdf::owner(&kdf::owner_blind(author.seed(), &commit), &author.id().0)
        };
        let public = |id: &RootId| kdf::owner(&PUBLIC_BLIND, &id.0);
        // A set: an owner is named once, and the order tells nothing.
        let owners: BTreeSet<[u8; 32]> = match owners {
            Owners::Hidden(author) => author.map(hidden_owner).into_iter().collect(),
            Owners::Requested => request.owners.iter().map(public).collect(),
        };
        let gate = |gate: &GateAddressee| Gate {
            kind: gate.kind,
            id: gate.id,
            key: gate.public.key_id(),
            name: gate.name.clone().filter(|_| !is_private),
            url: gate.url.clone().filter(|_| !is_private),
        };
        let terms = GateTerms {
            gates: request.gates.iter().map(gate).collect(),
            owners: owners.into_iter().map(Hash).collect(),
            holder: self.holder.holder_key().id(),
            members: self.list.as_ref().map(SigningKey::id),
            conditions: request.conditions,
            lease: request.lease,
        };
        Lock {
            need: request.need,
            commit,
            shares: self.secret.share_hashes(),
            opens: Opens::Gates(Box::new(terms)),
        }
    }

    /// Adds the slots of the gates, and the passes, to the access line.
    pub(in crate::envelope) fn fill(
        &self,
        access: &mut Access,
        lock: &GateLock,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), SealError> {
        if let Some(keep) = &self.request.keeper {
            keep(lock).map_err(SealError::GateKeeper)?;
        }
        for (at, gate) in (0_u8..).zip(&self.request.gates) {
            let part = self.secret.share_for(usize::from(at));
            let slot = lock.seal_slot(at, (&gate.public, part), rng);
            access.slots.push(Slot::Gate(slot));
        }
        let list = self.list.as_ref();
        access.passes = list.map(|list| {
            let pass = |who: &RootId| MaskedPass::seal(*who, lock.ticket(), list, &self.holder);
            let mut passes: Vec<_> = self.people.iter().map(pass).collect();
            passes.sort_unstable();
            passes
        });
        Ok(())
    }
}
