//! Approving: the content of the reader's own slot, sealed to a colleague.

use std::io::Read;

use crate::crypto::{CryptoRng, PublicKey};
use crate::envelope::approval::Approval;
use crate::envelope::error::{NoKey, OpenError};
use crate::envelope::open::Envelope;
use crate::envelope::unlock::{Keyring, Unlocking};
use crate::time::Time;

impl<R: Read> Envelope<R> {
    /// Opens the reader's own slots of one lock and seals what they hold to `to`: the secret, or each share of the reader's.
    ///
    /// The content key is not needed, so nothing but the policy, the slots and what is in them is known to be right: a slot
    /// opens for its policy only, and the policy commits to the share. Whether `to` may be helped is the caller's question
    /// where the policy does not name its key.
    ///
    /// # Errors
    /// [`OpenError::NoKey`], `Slot` or `Share` for the reader's slots, `Refused` by the policy's dates, `Keyring`.
    pub fn approve(
        &self,
        lock: u16,
        to: &PublicKey,
        keyring: &mut dyn Keyring,
        now: Time,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<Approval>, OpenError> {
        let manifest = self.manifest();
        let unlocking = Unlocking::new(manifest, keyring.keys(), &[]);
        let parts = match &manifest.gate {
            Some(gate) if gate.number() == lock => {
                // A person among the gates keeps to their dates, by the clock that is at hand.
                let decided = gate.terms().conditions.decide(now);
                let parts = unlocking.own_gate_parts(gate, keyring)?;
                if parts.is_empty() {
                    return Err(OpenError::NoKey(NoKey::NotNamed));
                }
                decided.map_err(OpenError::Refused)?;
                parts
            }
            _ => unlocking.own_shares(lock, keyring)?,
        };
        let decided = manifest.policy.conditions.decide(now);
        decided.map_err(OpenError::Refused)?;
        let seal = |part: &[u8]| Approval::seal(to, lock, &manifest.id, part, rng);
        let parts = parts.iter().map(|found| found.plaintext.as_slice());
        Ok(parts.map(seal).collect())
    }
}
