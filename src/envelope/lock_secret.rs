//! The secret of a lock, and what opens it: each recipient's part, which is the secret itself or a share, and the passphrase's key.

use super::error::SealError;
use super::seal::LockRequest;
use super::slot::PassphraseKey;
use crate::crypto::kdf;
use crate::crypto::sharing::{self, Share};
use crate::crypto::{CryptoRng, Secret};
use crate::policy::{Hash, SHARES_MAX};

pub(super) struct LockSecret {
    /// S of FORMAT.md, "Secrets".
    pub(super) secret: Secret<32>,
    /// Share x at index x - 1; empty when each recipient gets the secret.
    shares: Vec<Share>,
    pub(super) passphrase: Option<PassphraseKey>,
}

impl LockSecret {
    /// Draws what a lock needs; with a passphrase it takes the time and memory that its cost says.
    pub(super) fn draw(
        request: &LockRequest<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, SealError> {
        let secret = Secret::random(rng);
        let shares = shares(&secret, request, rng)?;
        let passphrase = request.passphrase;
        let passphrase = passphrase.map(|passphrase| PassphraseKey::draw(passphrase, rng));
        Ok(Self {
            secret,
            shares,
            passphrase: passphrase.transpose()?,
        })
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

    /// What the policy says about the passphrase's slot.
    pub(super) fn passphrase_commitment(&self) -> Option<[u8; 32]> {
        let key = self.passphrase.as_ref();
        key.map(|key| key.commitment(&self.secret))
    }
}

/// Shares of which any `need` give the secret; none where each recipient gets the secret.
fn shares(
    secret: &Secret<32>,
    request: &LockRequest<'_>,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<Share>, SealError> {
    let (need, of) = (request.need, request.recipients.len());
    if need == 1 {
        return Ok(Vec::new());
    }
    let number = u8::try_from(of).ok().filter(|of| (1..=*of).contains(&need));
    let of = number.ok_or_else(|| {
        SealError::Request(format!(
            "{need} of {of} people cannot come together: it is 1 to all of them, and at most {SHARES_MAX}"
        ))
    })?;
    Ok(sharing::split(secret, need, of, rng))
}
