//! Opening an envelope, in the order of FORMAT.md, "Reading": the first failure wins.

use std::io::{Read, Write};

use super::access_line::{self, ACCESS_BYTES_MAX, Access};
use super::admission::Admission;
use super::approval::Approval;
use super::body::Body;
use super::error::OpenError;
use super::gate::lock::GateLock;
use super::id::{EnvelopeId, id_and_access_hash};
use super::input::Input;
use super::policy_line::{self, POLICY_BYTES_MAX};
use super::private_line::{self, PrivateLine};
use super::unlock::{Keyring, Unlocking, admission};
use crate::crypto::kdf::ContentKey;
use crate::crypto::signing::RootId;
use crate::json;
use crate::payload::{Opener, Workers};
use crate::pipeline::join;
use crate::policy::Policy;
use crate::time::Time;

/// An access line of more is hashed by a thread of its own.
const LONG_BYTES: usize = 256 << 10;

/// An envelope whose manifest was read and checked for form (steps 1 to 3). What it says is a claim until it is opened.
pub struct Envelope<R: Read> {
    input: Input<R>,
    manifest: Manifest,
    /// Line 2 as it stands in the file, copied when the envelope is rewritten.
    policy_line: Vec<u8>,
}

/// The four lines in front of the payload.
pub struct Manifest {
    /// Line 2.
    pub policy: Policy,
    /// Line 3.
    pub access: Access,
    /// SHA-256 of lines 1 and 2.
    pub id: EnvelopeId,
    /// The gate lock, if there is one.
    pub gate: Option<GateLock>,
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
        // Of many recipients the hashing takes as long as the reading.
        let in_parallel = access_line.len() > LONG_BYTES;
        let hash = || id_and_access_hash(&policy_line, &access_line);
        let ((id, access_hash), parsed) = join(in_parallel, hash, || {
            let policy = policy_line::parse(&policy_line)?;
            let access = access_line::parse(&access_line, &policy)?;
            Ok::<_, OpenError>((policy, access))
        });
        let (policy, access) = parsed?;
        let mac = json::from_b64(&mac_line).map_err(|_| {
            OpenError::Malformed("line 4 is not 44 characters of base64".to_owned())
        })?;
        let manifest = Manifest {
            id,
            gate: GateLock::in_policy(&policy, &policy_line, id),
            access_hash,
            bytes: (7 + policy_line.len() + 1 + access_line.len() + 1 + MAC_CHARACTERS + 1) as u64,
            policy,
            access,
            mac,
        };
        Ok(Self {
            input,
            manifest,
            policy_line,
        })
    }

    /// The payload's input, the manifest, and line 2 as it stands in the file.
    pub(super) fn into_parts(self) -> (Input<R>, Manifest, Vec<u8>) {
        (self.input, self.manifest, self.policy_line)
    }

    /// The content of the four lines, not verified.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether it is in its text form.
    #[must_use]
    pub fn is_armored(&self) -> bool {
        matches!(self.input, Input::Armored(_))
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
        self.unlock_with(&[], keyring, now)
    }

    /// Opens the envelope like [`Envelope::unlock`], with approvals, which count as slots of the reader's. Unusable ones are
    /// ignored: [`Approval::usable`] says which and why.
    ///
    /// # Errors
    /// Any [`OpenError`] but `Signature` and `Write`.
    pub fn unlock_with(
        self,
        approvals: &[Approval],
        keyring: &mut dyn Keyring,
        now: Time,
    ) -> Result<Content<R>, OpenError> {
        let unlocking = Unlocking::new(&self.manifest, keyring.keys(), approvals);
        let unlocked = unlocking.all_locks(keyring)?;
        let key = ContentKey::new(
            &self.manifest.id.0,
            unlocked.iter().map(|lock| &lock.secret),
        );
        self.open_with(&key, Some(now), |manifest, private| {
            admission(&unlocked, manifest, private)
        })
    }

    /// Opens an envelope with its content key ([`Sealed::key`](super::Sealed)), to check right after sealing that it was written
    /// correctly. No private key is needed, and conditions are not checked.
    ///
    /// # Errors
    /// [`OpenError::Header`] when it is another envelope, and those of [`Envelope::unlock`] from there on.
    pub fn reopen(self, key: &ContentKey) -> Result<Content<R>, OpenError> {
        self.open_with(key, None, |_, _| Admission::Named)
    }

    /// Steps 6 to 10.
    fn open_with(
        self,
        key: &ContentKey,
        now: Option<Time>,
        admission: impl FnOnce(&Manifest, &PrivateLine) -> Admission,
    ) -> Result<Content<R>, OpenError> {
        let Self {
            input, manifest, ..
        } = self;
        manifest.check(key, now)?;
        let opener = Opener::new(input, &key.payload_key(), &manifest.id.0)?;
        let mut body = Body::new(opener, &manifest.policy);
        let private = private_line::parse(body.private_line()?, &manifest.policy)?;
        let admission = admission(&manifest, &private);
        Ok(Content {
            body,
            opened: Opened {
                manifest,
                private,
                admission,
            },
        })
    }
}

impl Manifest {
    /// Steps 6 and 7; without a time, step 6 alone.
    pub(super) fn check(&self, key: &ContentKey, now: Option<Time>) -> Result<(), OpenError> {
        if !key.mac_matches(&self.access_hash, &self.mac) {
            return Err(OpenError::Header);
        }
        let decided = now.map_or(Ok(()), |now| self.policy.conditions.decide(now));
        decided.map_err(OpenError::Refused)
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

/// An opened envelope, read as far as its private line. The content follows.
pub struct Content<R: Read> {
    body: Body<Input<R>>,
    opened: Opened,
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
    /// What the manifest and the private line say, known before the content is read.
    #[must_use]
    pub fn metadata(&self) -> &Opened {
        &self.opened
    }

    /// What the manifest and the private line say. The content is not read.
    #[must_use]
    pub fn into_metadata(self) -> Opened {
        self.opened
    }

    pub(super) fn into_parts(self) -> (Body<Input<R>>, Opened) {
        (self.body, self.opened)
    }

    /// Writes the content to `out`, authenticated chunk by chunk, and checks end, padding and signature:
    /// steps 9, 11 and 12. `out` is not flushed. `workers` share the work. Returns what is known and the bytes of content.
    ///
    /// # Errors
    /// `Truncated`, `Damaged`, `Signature`, `Read`, `Write`. What was written before an error was authentic,
    /// but it may not be all, and it is not signed.
    pub fn copy_to(
        mut self,
        out: &mut (dyn Write + Send),
        workers: Workers,
    ) -> Result<(Opened, u64), OpenError>
    where
        R: Send,
    {
        let bytes = self.body.copy(out, workers)?;
        self.body
            .verify(self.opened.signer(), &self.opened.manifest.id)?;
        Ok((self.opened, bytes))
    }
}
