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
    /// Share x at index x - 1; empty when each holder gets the secret.
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
        let shares = match request.need {
            1 => Vec::new(),
            need => shares(&secret, need, (request.recipients.len(), "people"), rng)?,
        };
        let passphrase = request.passphrase;
        let passphrase = passphrase.map(|passphrase| PassphraseKey::draw(passphrase, rng));
        Ok(Self {
            secret,
            shares,
            passphrase: passphrase.transpose()?,
        })
    }

    /// Draws the secret of a lock that `need` of so many gates open.
    pub(super) fn of_gates(
        need: u8,
        gates: usize,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, SealError> {
        if gates == 0 {
            return Err(refused(need, gates, "gates"));
        }
        let secret = Secret::random(rng);
        let shares = match need {
            1 => Vec::new(),
            need => shares(&secret, need, (gates, "gates"), rng)?,
        };
        Ok(Self {
            secret,
            shares,
            passphrase: None,
        })
    }

    /// What goes into the slot of a recipient, or of a gate, by the position in the lock.
    pub(super) fn share_for(&self, holder: usize) -> &[u8] {
        match self.shares.get(holder) {
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

/// Why so many of so many holders cannot open a lock.
fn refused(need: u8, of: usize, holders: &str) -> SealError {
    SealError::Request(format!(
        "{need} of {of} {holders} cannot come together: it is 1 to all of them, and at most {SHARES_MAX}"
    ))
}

/// Shares of which any `need` give the secret.
fn shares(
    secret: &Secret<32>,
    need: u8,
    (of, holders): (usize, &str),
    rng: &mut dyn CryptoRng,
) -> Result<Vec<Share>, SealError> {
    let number = u8::try_from(of).ok().filter(|of| (1..=*of).contains(&need));
    let number = number.ok_or_else(|| refused(need, of, holders))?;
    Ok(sharing::split(secret, need, number, rng))
}
