//! The secret of a lock, and what each recipient gets of it: the secret itself, or a share.

use super::error::SealError;
use crate::crypto::kdf;
use crate::crypto::sharing::{self, Share};
use crate::crypto::{CryptoRng, Secret};
use crate::policy::{Hash, SHARES_MAX};

pub(super) struct LockSecret {
    /// S of FORMAT.md, "Secrets".
    pub(super) secret: Secret<32>,
    /// Share x at index x - 1; empty when each recipient gets the secret.
    shares: Vec<Share>,
}

impl LockSecret {
    /// Draws a secret that any `need` of `of` recipients have.
    pub(super) fn draw(need: u8, of: usize, rng: &mut dyn CryptoRng) -> Result<Self, SealError> {
        let secret = Secret::random(rng);
        if need == 1 {
            let shares = Vec::new();
            return Ok(Self { secret, shares });
        }
        let number = u8::try_from(of).ok().filter(|of| (1..=*of).contains(&need));
        let of = number.ok_or_else(|| {
            SealError::Request(format!(
                "{need} of {of} people cannot come together: it is 1 to all of them, and at most {SHARES_MAX}"
            ))
        })?;
        let shares = sharing::split(&secret, need, of, rng);
        Ok(Self { secret, shares })
    }

    /// What goes into the slot of a recipient, by the position in the lock.
    pub(super) fn share_for(&self, recipient: usize) -> &[u8] {
        match self.shares.get(recipient) {
            Some(share) => share.expose(),
            None => self.secret.expose(),
        }
    }

    /// What the policy says about the shares.
    pub(super) fn share_hashes(&self) -> Vec<Hash> {
        let hash = |share: &Share| Hash(kdf::share_hash(share.expose()));
        self.shares.iter().map(hash).collect()
    }
}
