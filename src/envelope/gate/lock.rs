//! The gate lock of an envelope: its ticket, its slots, its passes and owners (FORMAT.md, "Gate locks").

use serde::Serialize;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::kdf::gate::{self as kdf, HolderSecret, PASS_ENTRY_BYTES};
use crate::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use crate::crypto::{CryptoRng, PrivateKey, PublicKey, Secret, hpke, kdf as secrets};
use crate::envelope::access_line::GateSlot;
use crate::envelope::approval::Approval;
use crate::envelope::gate::seal::{GateAddressee, GateRequest};
use crate::envelope::id::EnvelopeId;
use crate::envelope::policy_line;
use crate::envelope::slot::share_number;
use crate::json::Error;
use crate::policy::{Gate, GateTerms, Lock};

/// What a gate is asked for: one gate lock of one envelope with all its terms. The same in every file that is a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Ticket(#[serde(serialize_with = "crate::json::b64")] pub [u8; 32]);

/// A gate lock as it stands in line 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateLock {
    envelope: EnvelopeId,
    number: u16,
    bytes: Vec<u8>,
    lock: Lock,
    ticket: Ticket,
}

impl GateLock {
    /// Reads the lock's object, as a gate is given it, and checks all that can be checked without the rest of the policy.
    ///
    /// # Errors
    /// [`Error`], also for a lock of another kind.
    pub fn parse(envelope: EnvelopeId, number: u16, bytes: &[u8]) -> Result<Self, Error> {
        let lock = policy_line::parse_lock(bytes)?;
        // From its `{` to its `}`: with blanks around it, it would be another ticket.
        if !bytes.starts_with(b"{") || !bytes.ends_with(b"}") {
            return Err(Error::malformed("blanks around the lock"));
        }
        if lock.gate().is_none() {
            return Err(Error::malformed("it is not a gate lock"));
        }
        Ok(Self::new(envelope, number, bytes, lock))
    }

    /// The gate lock of a policy that was read from `line`, if it has one.
    pub(in crate::envelope) fn in_policy(
        policy: &crate::policy::Policy,
        line: &[u8],
        envelope: EnvelopeId,
    ) -> Option<Self> {
        let (number, _) = policy.gate()?;
        let bytes = policy_line::last_lock(line)?;
        let lock = policy.locks[usize::from(number)].clone();
        Some(Self::new(envelope, number, bytes, lock))
    }

    fn new(envelope: EnvelopeId, number: u16, bytes: &[u8], lock: Lock) -> Self {
        let ticket = Ticket(kdf::ticket(&envelope.0, number, bytes));
        Self {
            envelope,
            number,
            bytes: bytes.to_vec(),
            lock,
            ticket,
        }
    }

    /// The envelope that it is in.
    #[must_use]
    pub fn envelope(&self) -> EnvelopeId {
        self.envelope
    }

    /// Its number among the envelope's locks, from 0.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Its bytes as they stand in line 2.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What the gates are asked for.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// The lock.
    #[must_use]
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Its terms.
    #[must_use]
    pub fn terms(&self) -> &GateTerms {
        self.lock.gate().expect("only a gate lock is made one")
    }

    /// Whether this is the secret, or the share, of the gate at this position.
    #[must_use]
    pub fn fits(&self, gate: u8, part: &[u8]) -> bool {
        match self.lock.need {
            1 => Secret::<32>::from_slice(part).is_some_and(|secret| {
                secrets::lock_commitment(&secret)
                    .ct_eq(&self.lock.commit)
                    .into()
            }),
            _ => share_number(part, &self.lock.shares) == gate.checked_add(1),
        }
    }

    /// Opens the slot of the gate at this position: the lock's secret, or that gate's share. `None` when it does not open, or
    /// holds something else.
    #[must_use]
    pub fn open_slot(
        &self,
        gate: u8,
        (enc, ct): (&[u8], &[u8]),
        key: &PrivateKey,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let info = kdf::slot_info(&self.ticket.0, gate);
        let part = hpke::open(key, enc, &info, ct).ok()?;
        self.fits(gate, &part).then_some(part)
    }

    /// Seals a part to the gate at this position.
    pub(in crate::envelope) fn seal_slot(
        &self,
        gate: u8,
        (key, part): (&PublicKey, &[u8]),
        rng: &mut dyn CryptoRng,
    ) -> GateSlot {
        let info = kdf::slot_info(&self.ticket.0, gate);
        let sealed = hpke::seal(key, &info, part, rng)
            .expect("a key that was accepted gives no all-zero secret");
        GateSlot {
            lock: self.number,
            gate,
            enc: sealed.enc,
            ct: sealed.ct,
        }
    }

    /// Seals a part to a key of the reader's, to be kept for as long as the gate allowed.
    #[must_use]
    pub fn keep_part(&self, part: &[u8], to: &PublicKey, rng: &mut dyn CryptoRng) -> Approval {
        Approval::seal(to, self.number, &self.envelope, part, rng)
    }

    /// A part that was kept; `None` when it is not that of the gate at this position.
    #[must_use]
    pub fn kept_part(
        &self,
        gate: u8,
        kept: &Approval,
        key: &PrivateKey,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let is_here = kept.envelope() == self.envelope && kept.lock() == self.number;
        let part = kept.open(key).filter(|_| is_here)?;
        self.fits(gate, &part).then_some(part)
    }

    /// Whether this is the pass of a person for this envelope.
    #[must_use]
    pub fn is_pass(&self, who: RootId, pass: &Signature) -> bool {
        let message: [&[u8]; 2] = [&self.ticket.0, &who.0];
        let members = self.terms().members;
        members.is_some_and(|key| key.verify(Purpose::GatePass, &message, pass).is_ok())
    }

    /// Whether a person is one of the owners. `blind` is [`PUBLIC_BLIND`] unless the envelope is private.
    #[must_use]
    pub fn is_owner(&self, who: RootId, blind: &[u8; 32]) -> bool {
        let owner = kdf::owner(blind, &who.0);
        self.terms().owners.iter().any(|one| one.0 == owner)
    }

    /// The same gates again, for sealing anew: what the terms say, with these owners and the keys that are in use now.
    ///
    /// # Errors
    /// The gate whose key is not known.
    pub fn request(
        &self,
        owners: Vec<RootId>,
        key_of: impl Fn(&Gate) -> Option<PublicKey>,
    ) -> Result<GateRequest, Box<Gate>> {
        let terms = self.terms();
        let gate = |gate: &Gate| -> Result<GateAddressee, Box<Gate>> {
            Ok(GateAddressee {
                kind: gate.kind,
                id: gate.id,
                name: gate.name.clone(),
                url: gate.url.clone(),
                public: key_of(gate).ok_or_else(|| Box::new(gate.clone()))?,
            })
        };
        Ok(GateRequest {
            need: self.lock.need,
            gates: terms.gates.iter().map(gate).collect::<Result<_, _>>()?,
            owners,
            is_listed: terms.members.is_some(),
            conditions: terms.conditions,
            lease: terms.lease,
            keeper: None,
        })
    }

    /// What shows an author to be the owner: of a private envelope only the author's own seed gives it. `None`: no owner.
    #[must_use]
    pub fn blind_of(&self, author: &SigningKey) -> Option<[u8; 32]> {
        let own = kdf::owner_blind(author.seed(), &self.lock.commit);
        [PUBLIC_BLIND, own]
            .into_iter()
            .find(|blind| self.is_owner(author.id(), blind))
    }
}

/// The blind of an owner who is not hidden.
pub const PUBLIC_BLIND: [u8; 32] = [0; 32];

/// An entry of the passes: a pass, masked so that only whoever opened all other locks finds and reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MaskedPass(#[serde(serialize_with = "crate::json::b64")] pub [u8; PASS_ENTRY_BYTES]);

/// The bytes of an entry by which a person finds it.
const TAG_BYTES: usize = PASS_ENTRY_BYTES - Signature::BYTES;

impl MaskedPass {
    /// The pass of a person, signed with the key of the list.
    pub(in crate::envelope) fn seal(
        who: RootId,
        ticket: Ticket,
        list: &SigningKey,
        holder: &HolderSecret,
    ) -> Self {
        let pass = list.sign(Purpose::GatePass, &[&ticket.0, &who.0]);
        let mut entry = *holder.pass_mask(who).expose();
        let masked = entry[TAG_BYTES..].iter_mut().zip(pass.0);
        masked.for_each(|(byte, pass)| *byte ^= pass);
        Self(entry)
    }

    /// The pass of a person, if this is the entry of that person.
    #[must_use]
    pub fn open(&self, who: RootId, holder: &HolderSecret) -> Option<Signature> {
        let mask = holder.pass_mask(who);
        self.is_of(&mask).then(|| {
            let mut pass = [0; Signature::BYTES];
            let masked = self.0[TAG_BYTES..].iter().zip(&mask.expose()[TAG_BYTES..]);
            for (byte, (masked, mask)) in pass.iter_mut().zip(masked) {
                *byte = masked ^ mask;
            }
            Signature(pass)
        })
    }

    /// Whether this is the entry of the person with this mask.
    pub(in crate::envelope) fn is_of(&self, mask: &Secret<PASS_ENTRY_BYTES>) -> bool {
        self.0[..TAG_BYTES] == mask.expose()[..TAG_BYTES]
    }
}
