//! Opening the locks of an envelope with a reader's keys: steps 4 and 5 of FORMAT.md, "Reading".

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::access_line::{KeySlot, Slot};
use super::admission::{self, Admission, NoRecord};
use super::approval::Approval;
use super::error::{KeyringError, NoKey, OpenError};
use super::gate::lock::GateLock;
use super::open::Manifest;
use super::private_line::PrivateLine;
use super::quorum::{Quorum, Source};
use super::slot::{self, PassphraseKey};
use crate::crypto::kdf;
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::{Kem, KeyId, PrivateKey, Secret};
use crate::policy::{Lock, Recipient};

mod gate;
mod gather;

pub use gate::{GateFailure, GateParts, GateQuestion, HeldQuestion};

/// The private keys of the reader, unlocked only when they are needed.
pub trait Keyring {
    /// All keys, the preferred ones first. Never prompts.
    fn keys(&self) -> Vec<ReaderKey>;

    /// Unlocks one of [`Keyring::keys`].
    ///
    /// # Errors
    /// Whatever keeps it locked; it comes back in [`OpenError::Keyring`].
    fn private_key(&mut self, key: KeyId) -> Result<&PrivateKey, KeyringError>;

    /// Whether the memory that a passphrase of this cost takes may be spent. Asked before [`Keyring::passphrase`].
    ///
    /// # Errors
    /// When it may not; it comes back in [`OpenError::Keyring`].
    fn allow_cost(&mut self, cost: Cost) -> Result<(), KeyringError> {
        let _ = cost;
        Ok(())
    }

    /// The passphrase for an envelope that can be opened with one.
    ///
    /// # Errors
    /// When there is none; it comes back in [`OpenError::Keyring`].
    fn passphrase(&mut self) -> Result<Passphrase, KeyringError>;

    /// Whether one of the gates of a lock may be asked. Never prompts, and asks nobody.
    fn may_ask(&self, lock: &GateLock) -> bool {
        let _ = lock;
        false
    }

    /// Asks the gates of a lock for what is missing; called when all other locks are open.
    ///
    /// # Errors
    /// [`GateFailure`].
    fn ask(&mut self, question: &GateQuestion<'_>) -> Result<GateParts, GateFailure> {
        let _ = question;
        Ok(GateParts::new())
    }
}

/// A keyring for what a passphrase alone locks, such as a file of private keys.
pub struct OnlyPassphrase<'a>(pub &'a Passphrase);

impl Keyring for OnlyPassphrase<'_> {
    fn keys(&self) -> Vec<ReaderKey> {
        Vec::new()
    }

    fn private_key(&mut self, _: KeyId) -> Result<&PrivateKey, KeyringError> {
        Err("there are no keys here".into())
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Ok(self.0.clone())
    }
}

/// The public facts about a private key, known while it is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReaderKey {
    /// The id of its public half.
    pub id: KeyId,
    /// Its mechanism.
    pub kem: Kem,
}

impl ReaderKey {
    /// Whether a slot may be for this key. In a private envelope a slot reveals only its mechanism.
    fn might_open(&self, slot: &KeySlot) -> bool {
        slot.key
            .map_or(slot.enc.len() == self.kem.enc_bytes(), |key| key == self.id)
    }
}

/// What a slot or an approval gave: a lock's secret, or a share of it.
pub(super) struct Found {
    source: Source,
    /// The reader's key; `None` for the passphrase.
    key: Option<KeyId>,
    pub(super) plaintext: Zeroizing<Vec<u8>>,
}

/// One opened lock, and what opened it.
pub(super) struct Unlocked {
    pub(super) secret: Secret<32>,
    by: Vec<Found>,
}

impl Unlocked {
    /// The reader's keys that had a part in it.
    pub(super) fn keys(&self) -> impl Iterator<Item = KeyId> {
        self.by.iter().filter_map(|found| found.key)
    }

    /// A share that came from a slot of the reader's.
    pub(super) fn own_share(&self) -> Option<&[u8]> {
        let mut slots = self.by.iter();
        let own = slots.find(|found| matches!(found.source, Source::Slot(_)));
        own.map(|found| found.plaintext.as_slice())
    }
}

/// Steps 4 and 5 over one manifest.
pub(super) struct Unlocking<'a> {
    manifest: &'a Manifest,
    keys: Vec<ReaderKey>,
    approvals: &'a [Approval],
}

impl<'a> Unlocking<'a> {
    pub(super) fn new(
        manifest: &'a Manifest,
        keys: Vec<ReaderKey>,
        approvals: &'a [Approval],
    ) -> Self {
        Self {
            manifest,
            keys,
            approvals,
        }
    }

    pub(super) fn all_locks(&self, keyring: &mut dyn Keyring) -> Result<Vec<Unlocked>, OpenError> {
        let mut opened = self.other_locks(keyring)?;
        if let Some(lock) = &self.manifest.gate {
            opened.push(self.gate_lock(lock, &opened, keyring)?);
        }
        Ok(opened)
    }

    /// All locks but that of gates.
    pub(super) fn other_locks(
        &self,
        keyring: &mut dyn Keyring,
    ) -> Result<Vec<Unlocked>, OpenError> {
        self.check_openable(keyring)?;
        let mut opened = Vec::new();
        for (number, _) in self.numbers() {
            opened.push(self.lock(number, keyring)?);
        }
        // Only a private envelope gets here with an unopened lock: its slots had to be tried.
        match opened.iter().position(Option::is_none) {
            None => {}
            Some(_) if opened.iter().all(Option::is_none) => {
                return Err(OpenError::NoKey(NoKey::Private));
            }
            Some(lock) => return Err(self.other_lock(lock)),
        }
        Ok(opened.into_iter().flatten().collect())
    }

    /// The locks with their numbers, but for the gate lock.
    fn numbers(&self) -> impl Iterator<Item = (u16, &Lock)> {
        let locks = (0..).zip(self.manifest.policy.locks.iter());
        locks.filter(|(_, lock)| lock.gate().is_none())
    }

    /// Step 4, before any key is unlocked or passphrase asked for: the reader may be able to open every lock.
    fn check_openable(&self, keyring: &dyn Keyring) -> Result<(), OpenError> {
        let policy = &self.manifest.policy;
        let mut openable: Vec<bool> = self
            .numbers()
            .map(|(number, lock)| self.may_open(number, lock))
            .collect();
        if let Some(lock) = &self.manifest.gate {
            // That a gate may be asked is no hope where there is none for any other lock.
            let is_for_me = self.has_gate_part(lock);
            openable.push(is_for_me || (openable.contains(&true) && keyring.may_ask(lock)));
        }
        let named = || {
            policy
                .recipients()
                .any(|recipient| self.keys.iter().any(|key| key.id == recipient.key))
        };
        match openable.iter().position(|openable| !openable) {
            None => Ok(()),
            Some(lock) if openable.contains(&true) => Err(self.other_lock(lock)),
            Some(_) if policy.private => Err(OpenError::NoKey(NoKey::Private)),
            Some(_) if named() => Err(OpenError::NoKey(NoKey::SlotRemoved)),
            Some(_) => Err(OpenError::NoKey(NoKey::NotNamed)),
        }
    }

    fn may_open(&self, number: u16, lock: &Lock) -> bool {
        let fits = |slot: &KeySlot| self.keys.iter().any(|key| key.might_open(slot));
        lock.passphrase().is_some()
            || self.key_slots(number).any(|(_, slot)| fits(slot))
            || self.usable_approvals(number).next().is_some()
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
        let number = u16::try_from(lock).expect("there are at most eight locks");
        let quorum = Quorum::new(number, &self.manifest.policy.locks[lock], &[]);
        OpenError::Quorum(Box::new(quorum))
    }

    /// Opens one lock: with what the reader's keys and approvals give, else with the passphrase. `None`: nothing fits.
    fn lock(&self, number: u16, keyring: &mut dyn Keyring) -> Result<Option<Unlocked>, OpenError> {
        let lock = &self.manifest.policy.locks[usize::from(number)];
        if lock.need > 1 {
            return self.gather(number, lock, keyring);
        }
        let found = match self.with_a_key(number, keyring)? {
            None => self.with_an_approval(number, keyring)?,
            found => found,
        };
        let found = match (found, lock.passphrase()) {
            (None, Some(cost)) => {
                return self.with_passphrase(number, lock, cost, keyring).map(Some);
            }
            (found, _) => found,
        };
        found
            .map(|found| Self::secret(number, lock, found))
            .transpose()
    }

    /// The first of the reader's keys, in their order of preference, that has a slot which opens.
    fn with_a_key(
        &self,
        number: u16,
        keyring: &mut dyn Keyring,
    ) -> Result<Option<Found>, OpenError> {
        for key in &self.keys {
            let found = self.in_a_slot(key, number, keyring)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// One of the reader's keys, on the slots that it might open.
    ///
    /// In the open there is one slot for a key, and it has to open; in a private envelope there may be many, and any
    /// may be somebody else's.
    fn in_a_slot(
        &self,
        key: &ReaderKey,
        number: u16,
        keyring: &mut dyn Keyring,
    ) -> Result<Option<Found>, OpenError> {
        let mut slots = self
            .key_slots(number)
            .filter(|(_, slot)| key.might_open(slot))
            .peekable();
        let Some((first, _)) = slots.peek() else {
            return Ok(None);
        };
        let first_slot = Source::Slot(*first);
        let reader = keyring.private_key(key.id).map_err(OpenError::Keyring)?;
        let opened = slots.find_map(|(at, slot)| {
            Some((at, slot::open_with_key(slot, reader, &self.manifest.id)?))
        });
        match opened {
            Some((slot, plaintext)) => Ok(Some(Found {
                source: Source::Slot(slot),
                key: Some(key.id),
                plaintext,
            })),
            None if self.manifest.policy.private => Ok(None),
            None => Err(tampered(first_slot, number)),
        }
    }

    /// Opens the passphrase's slot, which has to be the author's where the policy commits to it.
    fn with_passphrase(
        &self,
        number: u16,
        lock: &Lock,
        cost: Cost,
        keyring: &mut dyn Keyring,
    ) -> Result<Unlocked, OpenError> {
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
        keyring.allow_cost(cost).map_err(OpenError::Keyring)?;
        let passphrase = keyring.passphrase().map_err(OpenError::Keyring)?;
        let (key, secret) = PassphraseKey::open(slot, (&passphrase, cost), &self.manifest.id)
            .map_err(OpenError::PassphraseUnusable)?
            .ok_or(OpenError::Passphrase)?;
        let commit = lock.passphrase_commit();
        let is_authors = commit.is_none_or(|commit| key.commitment(&secret).ct_eq(&commit).into());
        if !opens(lock, &secret) || !is_authors {
            return Err(tampered(Source::Slot(at), number));
        }
        let found = Found {
            source: Source::Slot(at),
            key: None,
            plaintext: Zeroizing::new(secret.expose().to_vec()),
        };
        let by = vec![found];
        Ok(Unlocked { secret, by })
    }

    /// Checks a secret against the commitment in the policy.
    fn secret(number: u16, lock: &Lock, found: Found) -> Result<Unlocked, OpenError> {
        let secret = Secret::from_slice(&found.plaintext).filter(|secret| opens(lock, secret));
        match secret {
            None => Err(tampered(found.source, number)),
            Some(secret) => Ok(Unlocked {
                secret,
                by: vec![found],
            }),
        }
    }
}

fn opens(lock: &Lock, secret: &Secret<32>) -> bool {
    kdf::lock_commitment(secret).ct_eq(&lock.commit).into()
}

/// A slot or an approval that does not open, or opens to something else than it should.
fn tampered(source: Source, lock: u16) -> OpenError {
    let lock = lock.into();
    match source {
        Source::Slot(slot) => OpenError::Slot { slot, lock },
        Source::Approval(approval) => OpenError::Approval { approval, lock },
        Source::Gate(gate) => OpenError::GateShare { gate },
    }
}

/// Who gave the reader access; with several locks and slots the worst counts. Approvals count only where there is no slot.
pub(super) fn admission(
    unlocked: &[Unlocked],
    manifest: &Manifest,
    private: &PrivateLine,
) -> Admission {
    let lists: Vec<&[Recipient]> = match &private.recipients {
        Some(lists) => lists.iter().map(Vec::as_slice).collect(),
        None => manifest.policy.locks.iter().map(Lock::recipients).collect(),
    };
    let of_slot = |number: usize, at: usize, key: Option<KeyId>| {
        if private.recipients.is_none() {
            let slot = &manifest.access.slots[at];
            return admission::of_slot(slot, &manifest.policy, &manifest.access, &manifest.id);
        }
        match key {
            None => admission::by_passphrase(&manifest.policy.locks[number]),
            Some(key) => named_if(lists[number].iter().any(|recipient| recipient.key == key)),
        }
    };
    let mut by_slots = Vec::new();
    let mut with_approvals = Vec::new();
    let gate = manifest
        .policy
        .gate()
        .map(|(number, _)| usize::from(number));
    for (number, unlocked) in unlocked.iter().enumerate() {
        // Gates open for whoever opened all other locks; by those the reader got in.
        if Some(number) == gate {
            continue;
        }
        for found in &unlocked.by {
            match found.source {
                Source::Slot(at) => by_slots.push(of_slot(number, at, found.key)),
                Source::Approval(_) | Source::Gate(_) => with_approvals.extend(found.key),
            }
        }
    }
    let named = |key| lists.iter().copied().flatten().any(|one| one.key == key);
    let worst = by_slots.into_iter().max();
    worst.unwrap_or_else(|| named_if(with_approvals.into_iter().all(named)))
}

fn named_if(is_named: bool) -> Admission {
    if is_named {
        Admission::Named
    } else {
        Admission::Unrecorded(NoRecord::OfKey)
    }
}
