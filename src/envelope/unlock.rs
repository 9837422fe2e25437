//! What a reader's keys make of an envelope's locks: steps 4 and 5 of FORMAT.md, "Reading".

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::access_line::{KeySlot, Slot};
use super::admission::{self, Admission};
use super::error::{KeyringError, NoKey, OpenError, Quorum};
use super::open::Manifest;
use super::private_line::PrivateLine;
use super::slot;
use crate::crypto::kdf;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::{Kem, KeyId, PrivateKey, Secret};
use crate::policy::Lock;

/// The private keys of whoever opens, unlocked only when they are needed.
pub trait Keyring {
    /// All keys, the preferred ones first. Asks nobody anything.
    fn keys(&self) -> Vec<ReaderKey>;

    /// Unlocks one of [`Keyring::keys`].
    ///
    /// # Errors
    /// Whatever keeps it locked; it comes back in [`OpenError::Keyring`].
    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError>;

    /// The passphrase for an envelope that can be opened with one.
    ///
    /// # Errors
    /// When there is none; it comes back in [`OpenError::Keyring`].
    fn passphrase(&mut self) -> Result<Passphrase, KeyringError>;
}

/// What is known of a private key while it is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderKey {
    /// The id of its public half.
    pub id: KeyId,
    /// Its mechanism.
    pub kem: Kem,
}

impl ReaderKey {
    /// In a private envelope a slot tells no more than its mechanism.
    fn might_open(&self, slot: &KeySlot) -> bool {
        slot.key
            .map_or(slot.enc.len() == self.kem.enc_bytes(), |key| key == self.id)
    }
}

/// What a slot gave: a lock's secret, or a share of it.
struct Found {
    slot: usize,
    /// The reader's key; `None` for the passphrase.
    key: Option<KeyId>,
    plaintext: Zeroizing<Vec<u8>>,
}

/// One opened lock, and what opened it.
pub(super) struct Unlocked {
    pub(super) secret: Secret<32>,
    slot: usize,
    key: Option<KeyId>,
}

/// Steps 4 and 5 over one manifest.
pub(super) struct Unlocking<'a> {
    manifest: &'a Manifest,
    keys: Vec<ReaderKey>,
}

impl<'a> Unlocking<'a> {
    pub(super) fn new(manifest: &'a Manifest, keys: Vec<ReaderKey>) -> Self {
        Self { manifest, keys }
    }

    pub(super) fn all_locks(&self, keyring: &mut dyn Keyring) -> Result<Vec<Unlocked>, OpenError> {
        self.refuse_hopeless()?;
        let mut opened = Vec::new();
        for (number, _) in self.numbers() {
            opened.push(self.lock(number, keyring)?);
        }
        // Only a private envelope gets here with a lock that stayed shut: its slots had to be tried.
        match opened.iter().position(Option::is_none) {
            None => Ok(opened.into_iter().flatten().collect()),
            Some(_) if opened.iter().all(Option::is_none) => Err(OpenError::NoKey(NoKey::Private)),
            Some(lock) => Err(self.other_lock(lock)),
        }
    }

    /// The locks with their numbers.
    fn numbers(&self) -> impl Iterator<Item = (u16, &Lock)> {
        (0..).zip(self.manifest.policy.locks.iter())
    }

    /// Step 4, before anything is unlocked or asked: is there something for the reader in every lock?
    fn refuse_hopeless(&self) -> Result<(), OpenError> {
        let policy = &self.manifest.policy;
        let hope: Vec<bool> = self
            .numbers()
            .map(|(number, lock)| self.has_hope(number, lock))
            .collect();
        let named = || {
            policy
                .recipients()
                .any(|recipient| self.keys.iter().any(|key| key.id == recipient.key))
        };
        match hope.iter().position(|hope| !hope) {
            None => Ok(()),
            Some(lock) if hope.contains(&true) => Err(self.other_lock(lock)),
            Some(_) if policy.private => Err(OpenError::NoKey(NoKey::Private)),
            Some(_) if named() => Err(OpenError::NoKey(NoKey::SlotRemoved)),
            Some(_) => Err(OpenError::NoKey(NoKey::NotNamed)),
        }
    }

    fn has_hope(&self, number: u16, lock: &Lock) -> bool {
        let fits = |slot: &KeySlot| self.keys.iter().any(|key| key.might_open(slot));
        lock.passphrase.is_some() || self.key_slots(number).any(|(_, slot)| fits(slot))
    }

    fn key_slots(&self, lock: u16) -> impl Iterator<Item = (usize, &KeySlot)> {
        self.manifest
            .access
            .slots
            .iter()
            .enumerate()
            .filter_map(move |(at, slot)| match slot {
                Slot::Key(slot) if slot.lock == lock => Some((at, slot)),
                _ => None,
            })
    }

    fn other_lock(&self, lock: usize) -> OpenError {
        let others = self.manifest.policy.locks[lock].recipients();
        let others: Vec<_> = others
            .iter()
            .map(|recipient| recipient.name.as_str())
            .collect();
        OpenError::Quorum(Quorum::OtherLock {
            lock,
            others: others.join(", "),
        })
    }

    /// Opens one lock: with a key of the reader's, else with the passphrase. `None`: nothing fits.
    fn lock(&self, number: u16, keyring: &mut dyn Keyring) -> Result<Option<Unlocked>, OpenError> {
        let lock = &self.manifest.policy.locks[usize::from(number)];
        let found = match (self.with_a_key(number, keyring)?, lock.passphrase) {
            (None, Some(cost)) => Some(self.with_passphrase(number, cost, keyring)?),
            (found, _) => found,
        };
        found
            .map(|found| Self::secret(number, lock, &found))
            .transpose()
    }

    /// The reader's keys in their order of preference, each on the slots that it might open.
    ///
    /// In the open there is one slot for a key, and it has to open; in a private envelope there may be many, and any
    /// may be somebody else's.
    fn with_a_key(
        &self,
        number: u16,
        keyring: &mut dyn Keyring,
    ) -> Result<Option<Found>, OpenError> {
        for key in &self.keys {
            let mut slots = self
                .key_slots(number)
                .filter(|(_, slot)| key.might_open(slot))
                .peekable();
            let Some((first, _)) = slots.peek() else {
                continue;
            };
            let shut = OpenError::Slot {
                slot: *first,
                lock: number.into(),
            };
            let reader = keyring.private_key(key.id).map_err(OpenError::Keyring)?;
            let opened = slots.find_map(|(at, slot)| {
                Some((at, slot::open_with_key(slot, reader, &self.manifest.id)?))
            });
            match opened {
                Some((slot, plaintext)) => {
                    return Ok(Some(Found {
                        slot,
                        key: Some(key.id),
                        plaintext,
                    }));
                }
                None if self.manifest.policy.private => {}
                None => return Err(shut),
            }
        }
        Ok(None)
    }

    fn with_passphrase(
        &self,
        number: u16,
        cost: Cost,
        keyring: &mut dyn Keyring,
    ) -> Result<Found, OpenError> {
        let mut slots = self
            .manifest
            .access
            .slots
            .iter()
            .enumerate()
            .filter_map(|(at, slot)| match slot {
                Slot::Passphrase(slot) if slot.lock == number => Some((at, slot)),
                _ => None,
            });
        let (at, slot) = slots
            .next()
            .expect("the access line was checked to have it");
        let passphrase = keyring.passphrase().map_err(OpenError::Keyring)?;
        let plaintext = slot::open_with_passphrase(slot, (&passphrase, cost), &self.manifest.id)
            .map_err(OpenError::PassphraseUnusable)?
            .ok_or(OpenError::Passphrase)?;
        Ok(Found {
            slot: at,
            key: None,
            plaintext,
        })
    }

    /// What was found has to be what the policy commits to.
    fn secret(number: u16, lock: &Lock, found: &Found) -> Result<Unlocked, OpenError> {
        let changed = || OpenError::Slot {
            slot: found.slot,
            lock: number.into(),
        };
        if lock.need > 1 {
            slot::share_number(&found.plaintext, &lock.shares).ok_or_else(changed)?;
            return Err(OpenError::Quorum(Quorum::Shares {
                lock: number.into(),
                need: lock.need,
                have: 1,
            }));
        }
        let secret = Secret::from_slice(&found.plaintext).ok_or_else(changed)?;
        if bool::from(kdf::lock_commitment(&secret).ct_eq(&lock.commit)) {
            Ok(Unlocked {
                secret,
                slot: found.slot,
                key: found.key,
            })
        } else {
            Err(changed())
        }
    }
}

/// Who let the reader in; with several locks the worst counts.
pub(super) fn admission(
    unlocked: &[Unlocked],
    manifest: &Manifest,
    private: &PrivateLine,
) -> Admission {
    let of_lock = |(number, unlocked): (usize, &Unlocked)| match &private.recipients {
        None => {
            let slot = &manifest.access.slots[unlocked.slot];
            admission::of_slot(slot, &manifest.policy, &manifest.access, &manifest.id)
        }
        Some(lists) => {
            let listed = |key| lists[number].iter().any(|recipient| recipient.key == key);
            if unlocked.key.is_none_or(listed) {
                Admission::Named
            } else {
                Admission::Unrecorded
            }
        }
    };
    unlocked
        .iter()
        .enumerate()
        .map(of_lock)
        .max()
        .unwrap_or(Admission::Named)
}
