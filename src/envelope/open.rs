//! Opening an envelope, in the order of FORMAT.md, "Reading": the first failure wins.

use std::io::{Read, Write};

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::access_line::{self, ACCESS_BYTES_MAX, Access, KeySlot, Slot};
use super::admission::{self, Admission};
use super::body::Body;
use super::error::{KeyringError, NoKey, OpenError, Quorum};
use super::id::{EnvelopeId, access_hash};
use super::input::Input;
use super::policy_line::{self, POLICY_BYTES_MAX};
use super::private_line::{self, PrivateLine};
use super::slot;
use crate::crypto::kdf::{self, ContentKey};
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::signing::RootId;
use crate::crypto::{Kem, KeyId, PrivateKey, Secret};
use crate::json;
use crate::payload::Opener;
use crate::policy::{Lock, Policy};
use crate::time::Time;

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

/// An envelope whose manifest was read and checked for form (steps 1 to 3). What it says is a claim until it is opened.
pub struct Envelope<R: Read> {
    input: Input<R>,
    manifest: Manifest,
}

/// The four lines in front of the payload.
pub struct Manifest {
    /// Line 2.
    pub policy: Policy,
    /// Line 3.
    pub access: Access,
    /// SHA-256 of lines 1 and 2.
    pub id: EnvelopeId,
    /// Bytes of the four lines with their line feeds, without armor.
    pub bytes: u64,
    access_hash: [u8; 32],
    mac: [u8; 32],
}

impl<R: Read> Envelope<R> {
    /// Reads the manifest; armor is detected and taken off.
    ///
    /// # Errors
    /// [`OpenError::NotAnEnvelope`], `Truncated`, `Mangled`, `Newer`, `OverLimit`, `Malformed` or `Read`.
    pub fn read(input: R) -> Result<Self, OpenError> {
        let mut input = Input::new(input)?;
        let policy_line = input.line("the policy (line 2)", POLICY_BYTES_MAX)?;
        let access_line = input.line("the access line (line 3)", ACCESS_BYTES_MAX)?;
        let mac_line = mac_line(&mut input)?;
        let policy = policy_line::parse(&policy_line)?;
        let access = access_line::parse(&access_line, &policy)?;
        let mac = json::from_b64(&mac_line).map_err(|_| {
            OpenError::Malformed("line 4 is not 44 characters of base64".to_owned())
        })?;
        let manifest = Manifest {
            id: EnvelopeId::of(&policy_line),
            access_hash: access_hash(&policy_line, &access_line),
            bytes: (7 + policy_line.len() + 1 + access_line.len() + 1 + MAC_CHARACTERS + 1) as u64,
            policy,
            access,
            mac,
        };
        Ok(Self { input, manifest })
    }

    /// What the four lines say, not verified.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Counts what follows the manifest, to the end of the input, without checking it.
    ///
    /// # Errors
    /// [`OpenError::Read`], and armor's faults.
    pub fn payload_bytes(&mut self) -> Result<u64, OpenError> {
        std::io::copy(&mut self.input, &mut std::io::sink()).map_err(OpenError::reading)
    }

    /// Opens all locks, checks the access line and the conditions, and reads the private line: steps 4 to 10.
    ///
    /// # Errors
    /// Any [`OpenError`] but `Signature` and `Write`.
    pub fn unlock(self, keyring: &mut dyn Keyring, now: Time) -> Result<Content<R>, OpenError> {
        let Self { input, manifest } = self;
        let unlocked = Unlocking {
            manifest: &manifest,
            keys: keyring.keys(),
        }
        .all_locks(keyring)?;
        let key = ContentKey::new(&manifest.id.0, unlocked.iter().map(|lock| &lock.secret));
        if !key.mac_matches(&manifest.access_hash, &manifest.mac) {
            return Err(OpenError::Header);
        }
        manifest
            .policy
            .conditions
            .decide(now)
            .map_err(OpenError::Refused)?;
        let opener = Opener::new(input, &key.payload_key(), &manifest.id.0)?;
        let mut body = Body::new(opener, &manifest.policy);
        let private = private_line::parse(&body.private_line()?, &manifest.policy)?;
        let admission = admission(&unlocked, &manifest, &private);
        Ok(Content {
            body,
            about: Opened {
                manifest,
                private,
                admission,
            },
        })
    }
}

const MAC_CHARACTERS: usize = 44;

fn mac_line<R: Read>(input: &mut Input<R>) -> Result<Vec<u8>, OpenError> {
    let wrong = || OpenError::Malformed("line 4 has not 44 characters".to_owned());
    let line = input
        .line("line 4", MAC_CHARACTERS)
        .map_err(|error| match error {
            OpenError::OverLimit(_) => wrong(),
            other => other,
        })?;
    if line.len() == MAC_CHARACTERS {
        Ok(line)
    } else {
        Err(wrong())
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
struct Unlocked {
    secret: Secret<32>,
    slot: usize,
    key: Option<KeyId>,
}

/// Steps 4 and 5 over one manifest.
struct Unlocking<'a> {
    manifest: &'a Manifest,
    keys: Vec<ReaderKey>,
}

impl Unlocking<'_> {
    fn all_locks(&self, keyring: &mut dyn Keyring) -> Result<Vec<Unlocked>, OpenError> {
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
fn admission(unlocked: &[Unlocked], manifest: &Manifest, private: &PrivateLine) -> Admission {
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

/// An opened envelope, read as far as its private line. The content follows.
pub struct Content<R: Read> {
    body: Body<Input<R>>,
    about: Opened,
}

/// What is certain about an envelope once it is opened; the signature only after [`Content::copy_to`].
pub struct Opened {
    /// The four lines.
    pub manifest: Manifest,
    /// The first line of the content.
    pub private: PrivateLine,
    /// Who let the reader in.
    pub admission: Admission,
}

impl Opened {
    /// The key that signed, wherever it is named.
    #[must_use]
    pub fn signer(&self) -> Option<RootId> {
        self.manifest.policy.signer.or(self.private.signer)
    }

    /// When the envelope was made, wherever that stands.
    #[must_use]
    pub fn created(&self) -> Option<Time> {
        self.manifest.policy.created.or(self.private.created)
    }
}

impl<R: Read> Content<R> {
    /// What is known before the content is read.
    #[must_use]
    pub fn about(&self) -> &Opened {
        &self.about
    }

    /// Writes the content to `out`, authenticated chunk by chunk, and checks end, padding and signature:
    /// steps 9, 11 and 12. `out` is not flushed. Returns what is known and the bytes of content.
    ///
    /// # Errors
    /// `Truncated`, `Damaged`, `Signature`, `Read`, `Write`. What was written before an error was authentic,
    /// but it may not be all, and it is not signed.
    pub fn copy_to(mut self, out: &mut dyn Write) -> Result<(Opened, u64), OpenError> {
        let bytes = self.body.copy(out)?;
        self.body
            .verify(self.about.signer(), &self.about.manifest.id)?;
        Ok((self.about, bytes))
    }
}
