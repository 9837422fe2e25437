//! Rewriting of the access line: slots are added and removed, while policy, payload and signature stay byte for byte
//! (FORMAT.md, "Rewriting").

use std::collections::HashSet;
use std::io::{self, Read, Write};

use super::access_line::{self, Grant, Slot};
use super::admission::{Admission, grant_message};
use super::approval::Approval;
use super::error::{Class, OpenError};
use super::input::Input;
use super::input::armor::ArmorWriter;
use super::open::{Envelope, Manifest};
use super::private_line::PrivateLine;
use super::seal::{self, ALIGNMENT, Addressee};
use super::slot;
use super::unlock::{Keyring, Unlocked, Unlocking, admission};
use crate::crypto::kdf::ContentKey;
use crate::crypto::kdf::gate::HolderSecret;
use crate::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use crate::crypto::{CryptoRng, KeyId};
use crate::json;
use crate::policy::{Gate, Policy};
use crate::time::Time;

/// Why an access line is not rewritten.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The envelope does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The names of its readers are sealed into the payload, so they cannot be changed without sealing the envelope again.
    #[error("it is private: adding or removing people means encrypting it again")]
    Private,
    /// It has several locks, and none was chosen.
    #[error("it has {locks} locks: say which one, from 0")]
    WhichLock {
        /// How many.
        locks: usize,
    },
    /// It has no such lock.
    #[error("it has no lock {lock}: it has {locks}, counted from 0")]
    NoSuchLock {
        /// The lock that was asked for, from 0.
        lock: u16,
        /// How many there are.
        locks: usize,
    },
    /// The lock was opened with approvals alone, so there is no share of the reader's own to give.
    #[error("you have no share of your own in lock {lock}")]
    NoShare {
        /// The lock, from 0.
        lock: u16,
    },
    /// Too few slots would be left in a lock for anybody to open it.
    #[error("nobody could open lock {lock} any more")]
    NobodyLeft {
        /// The lock, from 0.
        lock: u16,
    },
    /// Somebody who is one of the gates would open it alone.
    #[error("{name} is one of its gates, and could open it alone")]
    IsGate {
        /// What the newcomer is called.
        name: String,
    },
    /// A limit of the format stands in the way.
    #[error("{0}")]
    Request(#[from] json::Error),
}

impl RewriteError {
    /// The class, where the envelope itself is to blame.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Open(error) => error.class(),
            _ => None,
        }
    }
}

/// The result of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// There is a slot more.
    Added,
    /// The key had a slot in this lock already.
    HasSlot,
}

/// An envelope that was opened as far as its access line (steps 1 to 7), which is about to change.
pub struct Rewriting<R: Read> {
    input: Input<R>,
    manifest: Manifest,
    policy_line: Vec<u8>,
    key: ContentKey,
    unlocked: Vec<Unlocked>,
    admission: Admission,
}

impl<R: Read> Envelope<R> {
    /// Opens all locks, checks the access line and the conditions: steps 4 to 7. The payload is not looked at.
    ///
    /// # Errors
    /// [`RewriteError::Private`], before anything is unlocked; [`RewriteError::Open`].
    pub fn rewrite(
        self,
        approvals: &[Approval],
        keyring: &mut dyn Keyring,
        now: Time,
    ) -> Result<Rewriting<R>, RewriteError> {
        if self.manifest().policy.private {
            return Err(RewriteError::Private);
        }
        let unlocking = Unlocking::new(self.manifest(), keyring.keys(), approvals);
        let unlocked = unlocking.all_locks(keyring)?;
        let (input, manifest, policy_line) = self.into_parts();
        let secrets = unlocked.iter().map(|lock| &lock.secret);
        let key = ContentKey::new(&manifest.id.0, secrets);
        manifest.check(&key, Some(now))?;
        let admission = admission(&unlocked, &manifest, &PrivateLine::default());
        Ok(Rewriting {
            input,
            manifest,
            policy_line,
            key,
            unlocked,
            admission,
        })
    }
}

impl<R: Read> Rewriting<R> {
    /// The four lines, authenticated but for the author's signature; the slots as they are by now.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Who let the reader in.
    #[must_use]
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// The reader's keys that opened it.
    #[must_use]
    pub fn opened_with(&self) -> HashSet<KeyId> {
        let keys = self.unlocked.iter().flat_map(Unlocked::keys);
        keys.collect()
    }

    /// The content key, which opens the envelope without its locks: see [`Envelope::reopen`].
    #[must_use]
    pub fn into_key(self) -> ContentKey {
        self.key
    }

    /// Whether a record by this root key can lead back to the author: it is the author's, a recipient's, or that of a reader
    /// who was granted access with such a record. A grant by any other key counts as `unrecorded`.
    #[must_use]
    pub fn can_record(&self, by: RootId) -> bool {
        let policy = &self.manifest.policy;
        policy.signer == Some(by)
            || policy.recipients().any(|recipient| recipient.id == by)
            || (self.manifest.readers().iter())
                .any(|reader| reader.person.as_ref().is_some_and(|one| one.id == by))
    }

    /// Gives a newcomer what the reader has of a lock, with a record signed by the reader's root key. `lock` may be left out
    /// where there is only one.
    ///
    /// # Errors
    /// [`RewriteError::WhichLock`], `NoSuchLock` or `NoShare`. Names over their limits come out in [`Rewriting::finish`].
    pub fn grant(
        &mut self,
        newcomer: &Addressee,
        lock: Option<u16>,
        (by, at): (&SigningKey, Time),
        rng: &mut dyn CryptoRng,
    ) -> Result<Granted, RewriteError> {
        let lock = self.choose(lock)?;
        let key = newcomer.public.key_id();
        let is_newcomer = |gate: &Gate| gate.id == newcomer.recipient.id || gate.key == key;
        let gates = self.manifest.policy.gate().map(|(_, terms)| &terms.gates);
        if gates.is_some_and(|gates| gates.iter().any(is_newcomer)) {
            let name = newcomer.recipient.name.clone();
            return Err(RewriteError::IsGate { name });
        }
        let has_slot = |slot: &Slot| match slot {
            Slot::Key(slot) => (slot.lock, slot.key) == (lock, Some(key)),
            Slot::Passphrase(_) | Slot::Gate(_) => false,
        };
        if self.manifest.access.slots.iter().any(has_slot) {
            return Ok(Granted::HasSlot);
        }
        let id = self.manifest.id;
        let part = self.own_share(lock).ok_or(RewriteError::NoShare { lock })?;
        let newcomers = std::slice::from_ref(newcomer);
        let mut slots = slot::seal_to_keys(newcomers, lock, &id, |_| part, false, rng);
        let mut slot = slots.pop().expect("one slot for one newcomer");
        let mut grant = Grant {
            name: newcomer.recipient.name.clone(),
            address: newcomer.recipient.address.clone(),
            id: newcomer.recipient.id,
            by: by.id(),
            at,
            sig: Signature([0; Signature::BYTES]),
        };
        grant.sig = by.sign(Purpose::Grant, &[&grant_message(&grant, lock, key, &id)]);
        slot.grant = Some(Box::new(grant));
        self.manifest.access.slots.push(Slot::Key(slot));
        Ok(Granted::Added)
    }

    /// Removes the slots of these keys, in one lock or in all, and returns how many there were. Their holders may still have
    /// a copy of the secret.
    ///
    /// # Errors
    /// [`RewriteError::NoSuchLock`], or [`RewriteError::NobodyLeft`], and then no slot is removed.
    pub fn remove_slots(
        &mut self,
        keys: &HashSet<KeyId>,
        lock: Option<u16>,
    ) -> Result<usize, RewriteError> {
        if let Some(lock) = lock {
            self.choose(Some(lock))?;
        }
        let stays = |slot: &Slot| match slot {
            Slot::Key(slot) => {
                lock.is_some_and(|lock| lock != slot.lock)
                    || slot.key.is_none_or(|key| !keys.contains(&key))
            }
            Slot::Passphrase(_) | Slot::Gate(_) => true,
        };
        let slots = &mut self.manifest.access.slots;
        let locks = (0..).zip(&self.manifest.policy.locks);
        for (number, lock) in locks.filter(|(_, lock)| lock.gate().is_none()) {
            let here = || slots.iter().filter(|slot| slot.lock() == number);
            let left = here().filter(|slot| stays(slot)).count();
            if left < here().count() && left < usize::from(lock.need) {
                return Err(RewriteError::NobodyLeft { lock: number });
            }
        }
        let (before, people) = (slots.len(), self.people());
        self.manifest.access.slots.retain(stays);
        self.remove_passes(&people);
        Ok(before - self.manifest.access.slots.len())
    }

    /// Who has a slot, by what policy and grants say.
    fn people(&self) -> HashSet<RootId> {
        let readers = self.manifest.readers().into_iter();
        let people = readers.filter_map(|reader| Some(reader.person?.id));
        people.collect()
    }

    /// Removes the passes of those who had a slot and have none any more.
    fn remove_passes(&mut self, before: &HashSet<RootId>) {
        if self.manifest.access.passes.is_none() {
            return;
        }
        let after = self.people();
        let others = self.unlocked.iter().map(|lock| &lock.secret);
        let others = others.take(self.unlocked.len() - 1); // the last one is the gates'
        let holder = HolderSecret::new(others);
        let gone = before.difference(&after);
        let gone: Vec<_> = gone.map(|who| holder.pass_mask(*who)).collect();
        if let Some(passes) = &mut self.manifest.access.passes {
            passes.retain(|pass| !gone.iter().any(|mask| pass.is_of(mask)));
        }
    }

    /// Whether a newcomer needs an owner's word at the gates: there is a list of those who are answered.
    #[must_use]
    pub fn needs_allowance(&self) -> bool {
        self.manifest.access.passes.is_some()
    }

    /// Writes the lines anew. The manifest is filled up as it was, so that files can share the payload's blocks.
    ///
    /// # Errors
    /// [`RewriteError::Request`] when a limit of the format is exceeded.
    pub fn finish(self) -> Result<Rewritten<R>, RewriteError> {
        let Self {
            input,
            manifest,
            policy_line,
            key,
            ..
        } = self;
        let access_line = access_line::write(&manifest.access, &manifest.policy)?;
        let aligned = manifest.bytes.is_multiple_of(ALIGNMENT as u64);
        Ok(Rewritten {
            manifest: seal::manifest(&policy_line, access_line, &key, aligned),
            payload_at: manifest.bytes,
            payload: input,
            key,
        })
    }

    fn choose(&self, lock: Option<u16>) -> Result<u16, RewriteError> {
        chosen_lock(&self.manifest.policy, lock)
    }

    /// The lock's secret; where several people are needed, the reader's own share.
    fn own_share(&self, lock: u16) -> Option<&[u8]> {
        let unlocked = &self.unlocked[usize::from(lock)];
        if self.manifest.policy.locks[usize::from(lock)].need == 1 {
            Some(unlocked.secret.expose())
        } else {
            unlocked.own_share()
        }
    }
}

/// The lock that is meant: the only one, unless it was named.
///
/// # Errors
/// [`RewriteError::WhichLock`] or `NoSuchLock`.
pub fn chosen_lock(policy: &Policy, lock: Option<u16>) -> Result<u16, RewriteError> {
    let locks = policy.locks.iter();
    let locks = locks.filter(|lock| lock.gate().is_none()).count();
    match lock {
        None if locks == 1 => Ok(0),
        None => Err(RewriteError::WhichLock { locks }),
        Some(lock) if usize::from(lock) < locks => Ok(lock),
        Some(lock) => Err(RewriteError::NoSuchLock { lock, locks }),
    }
}

/// A rewritten manifest, and the payload that belongs to it.
pub struct Rewritten<R: Read> {
    manifest: Vec<u8>,
    payload_at: u64,
    payload: Input<R>,
    key: ContentKey,
}

impl<R: Read> Rewritten<R> {
    /// Lines 1 to 4 with their line feeds.
    #[must_use]
    pub fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// Where the payload begins in the old envelope. Without armor that is the place in its file, from which the bytes can be
    /// copied behind the new manifest as they are.
    #[must_use]
    pub fn payload_at(&self) -> u64 {
        self.payload_at
    }

    /// Whether the old envelope is armored, as the new one will be.
    #[must_use]
    pub fn is_armored(&self) -> bool {
        matches!(self.payload, Input::Armored(_))
    }

    /// The key, still in hand: see [`Envelope::reopen`].
    #[must_use]
    pub fn key(&self) -> &ContentKey {
        &self.key
    }

    /// Writes the new envelope, armored if the old one is: for whatever is not a file. Returns the bytes of the payload.
    ///
    /// # Errors
    /// `Read`, `Write`, and armor's faults. What was written then is no envelope.
    pub fn copy_to(mut self, out: &mut dyn Write) -> Result<u64, OpenError> {
        if !self.is_armored() {
            out.write_all(&self.manifest).map_err(OpenError::Write)?;
            let bytes = copy(&mut self.payload, out)?;
            return out.flush().map(|()| bytes).map_err(OpenError::Write);
        }
        let mut armor = ArmorWriter::new(out).map_err(OpenError::Write)?;
        armor.write_all(&self.manifest).map_err(OpenError::Write)?;
        let bytes = copy(&mut self.payload, &mut armor)?;
        let out = armor.finish().map_err(OpenError::Write)?;
        out.flush().map(|()| bytes).map_err(OpenError::Write)
    }
}

fn copy(input: &mut dyn Read, out: &mut dyn Write) -> Result<u64, OpenError> {
    let mut buffer = vec![0; 64 << 10];
    let mut bytes = 0;
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(count) => {
                out.write_all(&buffer[..count]).map_err(OpenError::Write)?;
                bytes += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(OpenError::reading(error)),
        }
    }
}
