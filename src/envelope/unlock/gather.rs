//! Secrets and shares from approvals, and shares collected until there are enough of them.

use super::{Found, Keyring, Unlocked, Unlocking, opens, tampered};
use crate::crypto::Secret;
use crate::crypto::sharing::{self, Share};
use crate::envelope::approval::Approval;
use crate::envelope::error::{NoKey, OpenError};
use crate::envelope::quorum::{Quorum, Source, WrongShare};
use crate::envelope::slot::share_number;
use crate::policy::Lock;

impl<'a> Unlocking<'a> {
    /// The approvals for a lock that are sealed to one of the reader's keys, each with its place among all.
    pub(super) fn usable_approvals(
        &self,
        lock: u16,
    ) -> impl Iterator<Item = (usize, &'a Approval)> {
        let counts = move |approval: &Approval| {
            approval.lock() == lock && approval.usable(self.manifest, &self.keys).is_ok()
        };
        let approvals = self.approvals.iter().enumerate();
        approvals.filter(move |(_, approval)| counts(approval))
    }

    /// Opens a lock that needs one person with its first approval.
    pub(super) fn with_an_approval(
        &self,
        number: u16,
        keyring: &mut dyn Keyring,
    ) -> Result<Option<Found>, OpenError> {
        let mut approvals = self.usable_approvals(number);
        let approval = approvals.next();
        approval
            .map(|(at, approval)| in_an_approval(at, approval, keyring))
            .transpose()
    }

    /// Opens a lock that needs several people: shares from the reader's slots, then from approvals, until there are enough.
    pub(super) fn gather(
        &self,
        number: u16,
        lock: &Lock,
        keyring: &mut dyn Keyring,
    ) -> Result<Option<Unlocked>, OpenError> {
        let mut gathered = Gathered::new(number, lock);
        for key in &self.keys {
            if !gathered.is_enough()
                && let Some(found) = self.in_a_slot(key, number, keyring)?
            {
                gathered.take(found)?;
            }
        }
        for (at, approval) in self.usable_approvals(number) {
            if !gathered.is_enough() {
                gathered.take(in_an_approval(at, approval, keyring)?)?;
            }
        }
        gathered.join()
    }

    /// Opens the reader's own slots of one lock: returns the secret once, or each share.
    pub(in crate::envelope) fn own_shares(
        &self,
        number: u16,
        keyring: &mut dyn Keyring,
    ) -> Result<Vec<Found>, OpenError> {
        let locks = &self.manifest.policy.locks;
        let Some(lock) = locks.get(usize::from(number)) else {
            return Err(OpenError::NoKey(NoKey::NotNamed));
        };
        let mut shares = Vec::new();
        for key in &self.keys {
            if let Some(found) = self.in_a_slot(key, number, keyring)? {
                let has_secret = lock.need == 1;
                if has_secret {
                    return Ok(Self::secret(number, lock, found)?.by);
                }
                number_of(&found, number, lock)?;
                // A reader with a new key has the same share in two slots.
                if shares
                    .iter()
                    .all(|other: &Found| *other.plaintext != *found.plaintext)
                {
                    shares.push(found);
                }
            }
        }
        let named = |one: &crate::policy::Recipient| self.keys.iter().any(|key| key.id == one.key);
        match shares.is_empty() {
            false => Ok(shares),
            true if self.manifest.policy.private => Err(OpenError::NoKey(NoKey::Private)),
            true if lock.recipients().iter().any(named) => {
                Err(OpenError::NoKey(NoKey::SlotRemoved))
            }
            true => Err(OpenError::NoKey(NoKey::NotNamed)),
        }
    }
}

/// An approval that names a key of the reader's has to open with it.
pub(super) fn in_an_approval(
    at: usize,
    approval: &Approval,
    keyring: &mut dyn Keyring,
) -> Result<Found, OpenError> {
    let reader = keyring.private_key(approval.key());
    let plaintext = approval.open(reader.map_err(OpenError::Keyring)?);
    Ok(Found {
        source: Source::Approval(at),
        key: Some(approval.key()),
        plaintext: plaintext.ok_or_else(|| tampered(Source::Approval(at), approval.lock()))?,
    })
}

/// The number of a share that the policy knows.
fn number_of(found: &Found, number: u16, lock: &Lock) -> Result<u8, OpenError> {
    share_number(&found.plaintext, &lock.shares).ok_or_else(|| {
        let wrong = WrongShare::new(found.source, number, lock, &found.plaintext);
        OpenError::Share(Box::new(wrong))
    })
}

/// Shares with different numbers, each of them one that the policy knows; where one is enough, the secret.
pub(super) struct Gathered<'a> {
    number: u16,
    lock: &'a Lock,
    shares: Vec<(u8, Share)>,
    /// Everything that the reader has, including duplicates of a share.
    by: Vec<Found>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(number: u16, lock: &'a Lock) -> Self {
        Self {
            number,
            lock,
            shares: Vec::new(),
            by: Vec::new(),
        }
    }

    pub(super) fn is_enough(&self) -> bool {
        self.missing() == 0
    }

    /// How many more are needed.
    pub(super) fn missing(&self) -> u8 {
        let have = match self.lock.need {
            1 => self.by.len(),
            _ => self.shares.len(),
        };
        let have = u8::try_from(have).unwrap_or(u8::MAX);
        self.lock.need.saturating_sub(have)
    }

    pub(super) fn take(&mut self, found: Found) -> Result<(), OpenError> {
        if self.lock.need == 1 {
            self.by.push(found);
            return Ok(());
        }
        let x = number_of(&found, self.number, self.lock)?;
        if self.shares.iter().all(|(other, _)| *other != x) {
            let share = Share::from_slice(&found.plaintext);
            self.shares
                .push((x, share.expect("its hash was the share's")));
        }
        self.by.push(found);
        Ok(())
    }

    /// The secret; `None` if nothing was found, which happens only in a private envelope.
    pub(super) fn join(mut self) -> Result<Option<Unlocked>, OpenError> {
        if self.by.is_empty() {
            return Ok(None);
        }
        if self.lock.need == 1 {
            let found = self.by.swap_remove(0);
            return Unlocking::secret(self.number, self.lock, found).map(Some);
        }
        if !self.is_enough() {
            let given: Vec<u8> = self.shares.iter().map(|(x, _)| *x).collect();
            let quorum = Quorum::new(self.number, self.lock, &given);
            return Err(OpenError::Quorum(Box::new(quorum)));
        }
        let joined = sharing::join(self.shares.iter().map(|(_, share)| share));
        // Each share has the hash that the policy names, so no reader is to blame: the author made them so.
        let secret: Option<Secret<32>> = joined.ok().filter(|secret| opens(self.lock, secret));
        match secret {
            None => Err(OpenError::Shares {
                lock: self.number.into(),
            }),
            Some(secret) => Ok(Some(Unlocked {
                secret,
                by: self.by,
            })),
        }
    }
}
