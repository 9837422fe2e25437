//! Opening a gate lock, which comes last: with the reader's own part, with approvals, and by asking its gates.

use std::io::Read;

use zeroize::Zeroizing;

use super::gather::{Gathered, in_an_approval};
use super::{Found, Keyring, Unlocked, Unlocking, tampered};
use crate::crypto::KeyId;
use crate::crypto::kdf::gate::HolderSecret;
use crate::envelope::access_line::{GateSlot, Slot};
use crate::envelope::error::{KeyringError, OpenError};
use crate::envelope::gate::lock::{GateLock, MaskedPass};
use crate::envelope::open::{Envelope, Manifest};
use crate::envelope::quorum::Source;
use crate::policy::GateKind;

/// What the gates of a lock are asked: the lock, and what proves that all other locks were opened.
pub struct GateQuestion<'a> {
    /// The lock.
    pub lock: &'a GateLock,
    /// The slots of its gates, in the order of the gates.
    pub slots: Vec<&'a GateSlot>,
    /// What only whoever opened all other locks has.
    pub holder: &'a HolderSecret,
    /// The passes, one of which may be the reader's; `None` where nobody needs one.
    pub passes: Option<&'a [MaskedPass]>,
    /// How many shares are still missing.
    pub missing: u8,
}

/// What the gates of an envelope are to be asked, apart from the envelope.
pub struct HeldQuestion {
    manifest: Manifest,
    holder: HolderSecret,
    missing: u8,
}

impl HeldQuestion {
    /// The question.
    ///
    /// # Panics
    /// Never: an envelope without a gate lock gives none.
    #[must_use]
    pub fn question(&self) -> GateQuestion<'_> {
        GateQuestion {
            lock: self.manifest.gate.as_ref().expect("it was made with one"),
            slots: gate_slots(&self.manifest),
            holder: &self.holder,
            passes: self.manifest.access.passes.as_deref(),
            missing: self.missing,
        }
    }
}

impl<R: Read> Envelope<R> {
    /// Opens all other locks, and gives what its gates are to be asked; `None` where that is nothing, or nobody may be asked.
    ///
    /// # Errors
    /// Those of steps 4 and 5.
    pub fn into_question(
        self,
        keyring: &mut dyn Keyring,
    ) -> Result<Option<HeldQuestion>, OpenError> {
        let (_, manifest, _) = self.into_parts();
        let unlocking = Unlocking::new(&manifest, keyring.keys(), &[]);
        let Some(lock) = manifest.gate.as_ref().filter(|lock| keyring.may_ask(lock)) else {
            return Ok(None);
        };
        let own = unlocking.own_gate_parts(lock, keyring)?;
        let missing = usize::from(lock.lock().need).saturating_sub(own.len());
        let others = unlocking.other_locks(keyring)?;
        let holder = HolderSecret::new(others.iter().map(|lock| &lock.secret));
        Ok((missing > 0).then(|| HeldQuestion {
            missing: u8::try_from(missing).unwrap_or(u8::MAX),
            holder,
            manifest,
        }))
    }
}

/// What the gates answered: the lock's secret or shares, each with the position of its gate.
pub type GateParts = Vec<(u8, Zeroizing<Vec<u8>>)>;

/// Why the gates did not open their lock.
#[derive(Debug)]
pub enum GateFailure {
    /// A gate refused, or an owner's statement does: as the caller words it.
    Refused(KeyringError),
    /// A gate answered something that the lock does not know.
    WrongShare {
        /// The gate's position in the lock.
        gate: u8,
    },
    /// They could not be asked: the caller's own error.
    Failed(KeyringError),
}

impl Unlocking<'_> {
    /// Whether the gate lock may be opened, other than by asking its gates.
    pub(super) fn has_gate_part(&self, lock: &GateLock) -> bool {
        self.own_gate_slots(lock).next().is_some()
            || self.usable_approvals(lock.number()).next().is_some()
    }

    /// Opens the gate lock, once all other locks are open.
    pub(super) fn gate_lock(
        &self,
        lock: &GateLock,
        others: &[Unlocked],
        keyring: &mut dyn Keyring,
    ) -> Result<Unlocked, OpenError> {
        let mut gathered = Gathered::new(lock.number(), lock.lock());
        for slot in self.own_gate_slots(lock) {
            if !gathered.is_enough() {
                gathered.take(own_gate_part(lock, slot, keyring)?)?;
            }
        }
        for (at, approval) in self.usable_approvals(lock.number()) {
            if !gathered.is_enough() {
                gathered.take(in_an_approval(at, approval, keyring)?)?;
            }
        }
        if !gathered.is_enough() && keyring.may_ask(lock) {
            let holder = HolderSecret::new(others.iter().map(|lock| &lock.secret));
            // No gate would answer; and whoever made the policy so has the reader ask under a key of another envelope.
            if holder.holder_key().id() != lock.terms().holder {
                return Err(OpenError::GateHolder);
            }
            let question = GateQuestion {
                lock,
                slots: gate_slots(self.manifest),
                holder: &holder,
                passes: self.manifest.access.passes.as_deref(),
                missing: gathered.missing(),
            };
            for (gate, part) in keyring.ask(&question).map_err(OpenError::from)? {
                if !lock.fits(gate, &part) {
                    return Err(GateFailure::WrongShare { gate }.into());
                }
                gathered.take(Found {
                    source: Source::Gate(gate),
                    key: None,
                    plaintext: part,
                })?;
            }
        }
        match gathered.join()? {
            Some(unlocked) => Ok(unlocked),
            None => Err(self.other_lock(lock.number().into())),
        }
    }

    /// What the reader's own slots of the gate lock hold: the reader is one of its people.
    pub(in crate::envelope) fn own_gate_parts(
        &self,
        lock: &GateLock,
        keyring: &mut dyn Keyring,
    ) -> Result<Vec<Found>, OpenError> {
        let slots = self.own_gate_slots(lock);
        slots
            .map(|slot| own_gate_part(lock, slot, keyring))
            .collect()
    }

    /// The slots of the gate lock for the reader's keys, in their order of preference, each with its place and key.
    fn own_gate_slots<'l>(&'l self, lock: &'l GateLock) -> impl Iterator<Item = OwnSlot<'l>> {
        self.keys.iter().filter_map(|key| {
            let mut gates = (0..).zip(&lock.terms().gates);
            let (number, _) =
                gates.find(|(_, gate)| gate.kind == GateKind::Person && gate.key == key.id)?;
            let mut slots = self.manifest.access.slots.iter().enumerate();
            slots.find_map(|(at, slot)| match slot {
                Slot::Gate(slot) if slot.gate == number => Some((at, key.id, slot)),
                _ => None,
            })
        })
    }
}

/// A slot for one of the reader's keys: its place in line 3, the key, the slot.
type OwnSlot<'a> = (usize, KeyId, &'a GateSlot);

/// What a slot of the reader's holds, which has to be the part of that gate.
fn own_gate_part(
    lock: &GateLock,
    (at, key, slot): OwnSlot<'_>,
    keyring: &mut dyn Keyring,
) -> Result<Found, OpenError> {
    let reader = keyring.private_key(key).map_err(OpenError::Keyring)?;
    let part = lock.open_slot(slot.gate, (&slot.enc, &slot.ct), reader);
    Ok(Found {
        source: Source::Slot(at),
        key: Some(key),
        plaintext: part.ok_or_else(|| tampered(Source::Slot(at), slot.lock))?,
    })
}

/// The slots of the gates, in the order of the gates.
fn gate_slots(manifest: &Manifest) -> Vec<&GateSlot> {
    let slots = manifest.access.slots.iter();
    let mut slots: Vec<&GateSlot> = slots
        .filter_map(|slot| match slot {
            Slot::Gate(slot) => Some(slot),
            _ => None,
        })
        .collect();
    slots.sort_by_key(|slot| slot.gate);
    slots
}

impl From<GateFailure> for OpenError {
    fn from(failure: GateFailure) -> Self {
        match failure {
            GateFailure::Refused(why) => Self::GateRefused(why),
            GateFailure::WrongShare { gate } => Self::GateShare { gate },
            GateFailure::Failed(why) => Self::Keyring(why),
        }
    }
}
