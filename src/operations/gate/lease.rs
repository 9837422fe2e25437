//! What gates gave out to be kept for a time: used until then, without asking.

use super::super::MyKeys;
use super::{Asked, Gates};
use crate::crypto::CryptoRng;
use crate::crypto::signing::RootId;
use crate::envelope::{GateLock, GateParts};
use crate::keystore::{Keystore, KeystoreError, Lease};
use crate::time::Time;

/// The parts of a lock that are kept and may still be used. Unlocks the identity that they are sealed to.
#[must_use]
pub fn kept_parts(keystore: &Keystore, lock: &GateLock, keys: &MyKeys<'_>, now: Time) -> GateParts {
    let leases = keystore.leases(lock.ticket(), now).into_iter();
    let part = |lease: Lease| {
        let key = keys.private_key(lease.part.key()).ok()?;
        let part = lock.kept_part(lease.gate, &lease.part, key)?;
        Some((lease.gate, part))
    };
    leases.filter_map(part).collect()
}

/// Whether enough parts of a lock are kept. Unlocks nothing.
#[must_use]
pub fn has_kept_parts(keystore: &Keystore, lock: &GateLock, now: Time) -> bool {
    !keystore.leases(lock.ticket(), now).is_empty()
}

impl Gates<'_> {
    /// Keeps what was given out, if that was allowed, sealed to the key of the identity that asked.
    ///
    /// # Errors
    /// [`KeystoreError`].
    pub fn keep_parts(
        &self,
        lock: &GateLock,
        asked: &Asked,
        (me, keys): (Option<RootId>, &MyKeys<'_>),
        rng: &mut dyn CryptoRng,
    ) -> Result<(), KeystoreError> {
        let me = me.and_then(|id| keys.newest_key(id));
        let (Some(until), Some(me)) = (asked.keep, me) else {
            return Ok(());
        };
        let mut lease = |(gate, part): &(u8, zeroize::Zeroizing<Vec<u8>>)| Lease {
            until,
            gate: *gate,
            part: lock.keep_part(part, me, rng),
        };
        let leases: Vec<Lease> = asked.parts.iter().map(&mut lease).collect();
        self.keystore.keep_leases(lock.ticket(), &leases)
    }
}
