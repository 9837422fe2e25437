//! One slot: a lock's secret sealed to a key or to a passphrase, and opened again.

use zeroize::Zeroizing;

use super::access_line::{KeySlot, PassphraseSlot};
use super::id::EnvelopeId;
use super::seal::Addressee;
use crate::crypto::passphrase::{Cost, Passphrase, PassphraseError};
use crate::crypto::{CryptoRng, PrivateKey, Secret, hpke, kdf};
use crate::payload::{open_message, seal_message};
use crate::pipeline::parallel_map;
use crate::policy::Hash;

/// From so many recipients on the work is shared among threads: for fewer, starting them costs more than they save.
const SHARED_FROM: usize = 8;

/// Seals a lock's secret, or the share that `part` gives for a place, to each of `recipients`; the slots are in their order.
///
/// What is drawn is drawn here and in that order, so that the slots depend on `rng` alone and not on the number of threads.
pub(super) fn seal_to_keys<'r, 'p>(
    recipients: &'r [Addressee],
    lock: u16,
    id: &EnvelopeId,
    part: impl Fn(usize) -> &'p [u8] + Sync,
    private: bool,
    rng: &mut dyn CryptoRng,
) -> Vec<KeySlot> {
    let draw = |(at, addressee): (usize, &'r Addressee)| {
        let public = &addressee.public;
        (at, public, public.ephemeral(rng))
    };
    let due: Vec<_> = recipients.iter().enumerate().map(draw).collect();
    let info = kdf::slot_info(&id.0, lock);
    parallel_map(due, SHARED_FROM, |(at, recipient, ephemeral)| {
        let sealed = hpke::seal_drawn(recipient, &info, part(at), ephemeral)
            .expect("a key that was accepted gives no all-zero secret");
        KeySlot {
            lock,
            key: (!private).then(|| recipient.key_id()),
            enc: sealed.enc,
            ct: sealed.ct,
            grant: None,
        }
    })
}

/// A passphrase's key with its salt: made before line 2, which commits to both.
pub(super) struct PassphraseKey {
    salt: [u8; 16],
    key: Secret<32>,
}

impl PassphraseKey {
    /// Draws the salt and derives the key; takes the time and memory that `cost` says.
    pub(super) fn draw(
        (passphrase, cost): (&Passphrase, Cost),
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, PassphraseError> {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        let key = passphrase.derive(&salt, cost)?;
        Ok(Self { salt, key })
    }

    /// `passphrase_commit` of a lock with this secret.
    pub(super) fn commitment(&self, secret: &Secret<32>) -> [u8; 32] {
        kdf::passphrase_commitment(&self.salt, &self.key, secret)
    }

    /// Seals a lock's secret.
    pub(super) fn seal(
        &self,
        lock: u16,
        id: &EnvelopeId,
        secret: &Secret<32>,
        rng: &mut dyn CryptoRng,
    ) -> PassphraseSlot {
        let context = kdf::passphrase_context(&id.0, lock);
        let ct = seal_message(&self.key, &context, secret.expose(), rng);
        PassphraseSlot {
            lock,
            salt: self.salt,
            ct: ct.try_into().expect("32 bytes become 104"),
        }
    }

    /// Opens a slot; `Ok(None)` when the passphrase is wrong.
    pub(super) fn open(
        slot: &PassphraseSlot,
        (passphrase, cost): (&Passphrase, Cost),
        id: &EnvelopeId,
    ) -> Result<Option<(Self, Secret<32>)>, PassphraseError> {
        let salt = slot.salt;
        let key = passphrase.derive(&salt, cost)?;
        let context = kdf::passphrase_context(&id.0, slot.lock);
        let opened = open_message(&key, &context, &slot.ct).ok();
        let secret = opened.and_then(|plaintext| Secret::from_slice(&plaintext));
        Ok(secret.map(|secret| (Self { salt, key }, secret)))
    }
}

/// Opens a slot; `None` when it does not open with this key.
pub(super) fn open_with_key(
    slot: &KeySlot,
    reader: &PrivateKey,
    id: &EnvelopeId,
) -> Option<Zeroizing<Vec<u8>>> {
    hpke::open(
        reader,
        &slot.enc,
        &kdf::slot_info(&id.0, slot.lock),
        &slot.ct,
    )
    .ok()
}

/// The number x of a share, if it is one that the policy commits to: 1 ≤ x ≤ n and its hash at x - 1.
pub(super) fn share_number(share: &[u8], hashes: &[Hash]) -> Option<u8> {
    let x = *share.first()?;
    let hash = hashes.get(usize::from(x.checked_sub(1)?))?;
    (kdf::share_hash(share) == hash.0).then_some(x)
}
