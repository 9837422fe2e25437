//! Sealing an envelope: one pass over the content, constant memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use super::access_line::{self, Access, Slot};
use super::digest::RootHasher;
use super::error::SealError;
use super::gate::lock::GateLock;
use super::gate::seal::{DrawnGate, GateRequest, Owners};
use super::id::{EnvelopeId, MAGIC, access_hash};
use super::lock_secret::LockSecret;
use super::private_line::{self, ContentInfo, PrivateLine};
use super::{padding, policy_line, slot};
use crate::crypto::kdf::{self, ContentKey};
use crate::crypto::passphrase::{Cost, Passphrase};
use crate::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use crate::crypto::{CryptoRng, PublicKey};
use crate::json;
use crate::payload::{CopyError, HashChunk, Sealer, Workers};
use crate::policy::{Conditions, Lock, Opens, Padding, Policy, Recipient};
use crate::time::Time;

/// The manifest of an envelope with much content ends at a multiple of this, so that files can share blocks.
pub(super) const ALIGNMENT: usize = 4_096;
/// Line 4: 44 characters of base64 and a line feed.
const MAC_LINE_BYTES: usize = 45;

/// The envelope to be sealed: who may read it and what is said about it. By default nobody may, nobody signs, nothing is said, and the
/// calling thread does all the work.
#[derive(Default)]
pub struct SealRequest<'a> {
    /// The locks, in their order; all of them have to be opened.
    pub locks: Vec<LockRequest<'a>>,
    /// Gates that have to be asked too, when all locks are open.
    pub gate: Option<GateRequest>,
    /// Who signs; `None` for an unsigned envelope.
    pub signer: Option<&'a SigningKey>,
    /// Whether recipients, signer and time of making are sealed too.
    pub private: bool,
    /// How the content's length is hidden.
    pub padding: Padding,
    /// When the envelope is made.
    pub created: Option<Time>,
    /// When it may be opened.
    pub conditions: Conditions,
    /// Public handling labels.
    pub labels: BTreeMap<String, String>,
    /// What is said about the content to its readers; unfit texts are left out.
    pub info: ContentInfo,
    /// Whether the manifest is filled up to a multiple of 4,096 bytes; advised for contents over 1 MiB.
    pub aligned: bool,
    /// How many threads share the work on the content.
    pub workers: Workers,
}

/// One lock: `need` of its recipients open it together, or where one is enough the passphrase.
pub struct LockRequest<'a> {
    /// How many recipients have to come together.
    pub need: u8,
    /// The recipients; may be empty only beside a passphrase. Where `need` is over 1, different people, at most 255.
    pub recipients: Vec<Addressee>,
    /// The passphrase and its cost.
    pub passphrase: Option<(&'a Passphrase, Cost)>,
}

impl LockRequest<'_> {
    /// A copy that borrows the same passphrase.
    pub(super) fn duplicate(&self) -> Self {
        Self {
            recipients: self.recipients.clone(),
            ..*self
        }
    }
}

/// One person is enough, and nobody is named.
impl Default for LockRequest<'_> {
    fn default() -> Self {
        Self {
            need: 1,
            recipients: Vec::new(),
            passphrase: None,
        }
    }
}

/// A recipient as the policy will name it, with the key to seal to.
#[derive(Clone)]
pub struct Addressee {
    /// Name, address and ids; its `key` is that of `public`.
    pub recipient: Recipient,
    /// The key.
    pub public: PublicKey,
}

/// What was sealed.
pub struct Sealed {
    /// The envelope's id.
    pub id: EnvelopeId,
    /// Bytes of content.
    pub content_bytes: u64,
    /// The content key, which opens it: see [`Envelope::reopen`](super::Envelope::reopen).
    pub key: ContentKey,
    /// Its gate lock, by which the author revokes it, also without having the file.
    pub gate: Option<GateLock>,
}

/// Without the key.
impl std::fmt::Debug for Sealed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            id, content_bytes, ..
        } = self;
        write!(out, "Sealed {{ id: {id}, content_bytes: {content_bytes} }}")
    }
}

/// Seals everything that `content` gives into an envelope on `out`.
///
/// `out` is flushed at the end; making it durable is the caller's. What was written before an error is no envelope.
///
/// # Errors
/// [`SealError::Request`] when the request breaks a limit or rule of the format (before anything is written),
/// [`SealError::Passphrase`], [`SealError::Read`] and [`SealError::Write`].
pub fn seal(
    request: &SealRequest<'_>,
    content: &mut (dyn Read + Send),
    out: &mut (dyn Write + Send),
    rng: &mut dyn CryptoRng,
) -> Result<Sealed, SealError> {
    let Front {
        id,
        manifest,
        head,
        key,
        gate,
    } = Front::new(request, Created::new(request), rng)?;
    let mut body = BodyWriter::new(&mut *out, manifest, (&key, &id), rng);
    let data_bytes = body.data(&mut head.as_slice().chain(content), request)?;
    body.finish(data_bytes, request, &id)?;
    out.flush().map_err(SealError::Write)?;
    Ok(Sealed {
        id,
        content_bytes: data_bytes - head.len() as u64,
        key,
        gate,
    })
}

/// Where it stands when the envelope was made.
#[derive(Clone, Copy)]
pub(super) struct Created {
    pub(super) in_policy: Option<Time>,
    /// In the private line.
    pub(super) inside: Option<Time>,
}

impl Created {
    fn new(request: &SealRequest<'_>) -> Self {
        Self {
            in_policy: request.created.filter(|_| !request.private),
            inside: request.created.filter(|_| request.private),
        }
    }
}

/// All that stands before the content, and the key.
pub(super) struct Front {
    pub(super) id: EnvelopeId,
    /// Lines 1 to 4.
    pub(super) manifest: Vec<u8>,
    /// The private line and its line feed.
    pub(super) head: Zeroizing<Vec<u8>>,
    pub(super) key: ContentKey,
    pub(super) gate: Option<GateLock>,
}

impl Front {
    /// Steps 2 to 4 of FORMAT.md, "Writing".
    pub(super) fn new(
        request: &SealRequest<'_>,
        created: Created,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, SealError> {
        let draw = |lock: &LockRequest<'_>| LockSecret::draw(lock, rng);
        let secrets: Vec<LockSecret> = request.locks.iter().map(draw).collect::<Result<_, _>>()?;
        let gate = request.gate.as_ref().map(|gate| {
            let others = secrets.iter().map(|lock| &lock.secret);
            DrawnGate::draw(gate, others, people(request), rng)
        });
        let gate = gate.transpose()?;
        let mut policy = policy(request, created, &secrets);
        let locks = gate.iter();
        let owners = match request.private {
            true => Owners::Hidden(request.signer),
            false => Owners::Requested,
        };
        policy.locks.extend(locks.map(|gate| gate.lock(owners)));
        let policy_line = policy_line::write(&policy).map_err(|error| refused(&error))?;
        let id = EnvelopeId::of(&policy_line);
        let private_line = private_line::write(&private_line(request, created), &policy)
            .map_err(|error| refused(&error))?;
        let mut access = Access {
            slots: slots(request, &secrets, &id, rng),
            passes: None,
        };
        let lock = GateLock::in_policy(&policy, &policy_line, id);
        if let (Some(gate), Some(lock)) = (&gate, &lock) {
            gate.fill(&mut access, lock, rng)?;
        }
        let access_line = access_line::write(&access, &policy).map_err(|error| refused(&error))?;
        drop(access); // of many recipients it is large, and the line larger
        let of_gate = gate.iter().map(DrawnGate::secret);
        let all = secrets.iter().map(|lock| &lock.secret).chain(of_gate);
        let key = ContentKey::new(&id.0, all);
        Ok(Self {
            id,
            manifest: manifest(&policy_line, access_line, &key, request.aligned),
            head: Zeroizing::new([&private_line[..], b"\n"].concat()),
            key,
            gate: lock,
        })
    }
}

fn refused(error: &json::Error) -> SealError {
    SealError::Request(error.to_string())
}

fn policy(request: &SealRequest<'_>, created: Created, secrets: &[LockSecret]) -> Policy {
    let public = !request.private;
    let lock = |(lock, secret): (&LockRequest<'_>, &LockSecret)| Lock {
        need: lock.need,
        commit: kdf::lock_commitment(&secret.secret),
        shares: secret.share_hashes(),
        opens: Opens::Recipients {
            passphrase: lock.passphrase.map(|(_, cost)| cost),
            passphrase_commit: secret.passphrase_commitment(),
            named: public.then(|| named(lock)),
        },
    };
    Policy {
        signed: request.signer.is_some(),
        private: request.private,
        padding: request.padding,
        created: created.in_policy,
        conditions: request.conditions,
        labels: request.labels.clone(),
        signer: request.signer.filter(|_| public).map(SigningKey::id),
        locks: request.locks.iter().zip(secrets).map(lock).collect(),
    }
}

fn named(lock: &LockRequest<'_>) -> Vec<Recipient> {
    lock.recipients
        .iter()
        .map(|addressee| addressee.recipient.clone())
        .collect()
}

/// Everybody who is named in a lock, once.
fn people(request: &SealRequest<'_>) -> BTreeSet<RootId> {
    let named = request.locks.iter().flat_map(|lock| &lock.recipients);
    named.map(|one| one.recipient.id).collect()
}

fn private_line(request: &SealRequest<'_>, created: Created) -> PrivateLine {
    PrivateLine {
        info: request.info.clone().drop_unfit(),
        created: created.inside,
        recipients: request
            .private
            .then(|| request.locks.iter().map(named).collect()),
        signer: request
            .signer
            .filter(|_| request.private)
            .map(SigningKey::id),
    }
}

fn slots(
    request: &SealRequest<'_>,
    secrets: &[LockSecret],
    id: &EnvelopeId,
    rng: &mut dyn CryptoRng,
) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (number, (lock, secret)) in (0..).zip(request.locks.iter().zip(secrets)) {
        let parts = |at| secret.share_for(at);
        let sealed = slot::seal_to_keys(&lock.recipients, number, id, parts, request.private, rng);
        let sealed = sealed.into_iter().map(Slot::Key);
        if slots.is_empty() {
            slots = sealed.collect(); // in place
        } else {
            slots.extend(sealed);
        }
        if let Some(key) = &secret.passphrase {
            let slot = key.seal(number, id, &secret.secret, rng);
            slots.push(Slot::Passphrase(slot));
        }
    }
    if request.private {
        shuffle(&mut slots, rng);
    }
    slots
}

/// Fisher and Yates: in a private envelope the order of the slots must not tell the order of the recipients.
fn shuffle(slots: &mut [Slot], rng: &mut dyn CryptoRng) {
    for last in (1..slots.len()).rev() {
        // 64 random bits modulo at most 16,384: the bias is below 2^-50.
        let other = rng.next_u64() % (last as u64 + 1);
        slots.swap(
            last,
            usize::try_from(other).expect("at most the number of slots"),
        );
    }
}

/// Lines 1 to 4; `aligned`: filled up to a multiple of 4,096 bytes.
pub(super) fn manifest(
    policy_line: &[u8],
    mut access_line: Vec<u8>,
    key: &ContentKey,
    aligned: bool,
) -> Vec<u8> {
    if aligned {
        fill_up(&mut access_line, policy_line.len());
    }
    let mac = json::to_b64(&key.mac(&access_hash(policy_line, &access_line)));
    let mut manifest = access_line; // in place: it may have 40 MiB
    manifest.splice(0..0, [MAGIC, policy_line, b""].join(&b'\n'));
    manifest.extend_from_slice(&[b"", mac.as_bytes(), b""].join(&b'\n'));
    manifest
}

/// Spaces at the end of line 3 belong to no token (RFC 8259 §2) and are authenticated like everything else.
fn fill_up(access_line: &mut Vec<u8>, policy_bytes: usize) {
    let manifest = MAGIC.len() + 1 + policy_bytes + 1 + access_line.len() + 1 + MAC_LINE_BYTES;
    let spaces = manifest.next_multiple_of(ALIGNMENT) - manifest;
    if access_line.len() + spaces <= access_line::ACCESS_BYTES_MAX {
        access_line.resize(access_line.len() + spaces, b' ');
    }
}

/// Writes M = D ‖ pad ‖ sig. The blocks of D are hashed where they are sealed.
pub(super) struct BodyWriter<W: Write> {
    pub(super) sealer: Sealer<W>,
    pub(super) root: RootHasher,
}

impl<W: Write + Send> BodyWriter<W> {
    pub(super) fn new(
        out: W,
        manifest: Vec<u8>,
        (key, id): (&ContentKey, &EnvelopeId),
        rng: &mut dyn CryptoRng,
    ) -> Self {
        Self {
            sealer: Sealer::new(out, manifest, &key.payload_key(), &id.0, rng),
            root: RootHasher::default(),
        }
    }

    /// D, from its first byte to its last. Returns its length.
    fn data(
        &mut self,
        data: &mut (dyn Read + Send),
        request: &SealRequest<'_>,
    ) -> Result<u64, SealError> {
        let Self { sealer, root } = self;
        let hash: Option<HashChunk> = request.signer.map(|_| RootHasher::of_block as HashChunk);
        let bytes = sealer.copy(data, request.workers, hash, |hash| root.enter(hash))?;
        if hash.is_some() {
            root.update(sealer.unsealed());
        }
        Ok(bytes)
    }

    pub(super) fn finish(
        mut self,
        data_bytes: u64,
        request: &SealRequest<'_>,
        id: &EnvelopeId,
    ) -> Result<(), SealError> {
        let signature_bytes = request.signer.map_or(0, |_| Signature::BYTES as u64);
        if request.padding == Padding::Padme {
            let zeros = io::repeat(0).take(padding::zeros(data_bytes, signature_bytes));
            let mut padding = [0x80].chain(zeros);
            self.sealer
                .copy(&mut padding, request.workers, None, |_| {})?;
        }
        if let Some(signer) = request.signer {
            let [id, bytes, root] = self.root.signed_message(id);
            let signature = signer.sign(Purpose::Envelope, &[&id, &bytes, &root]);
            self.sealer
                .write_all(&signature.0)
                .map_err(SealError::Write)?;
        }
        self.sealer.finish().map(drop).map_err(SealError::Write)
    }
}

impl From<CopyError> for SealError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Read(error) => Self::Read(error),
            CopyError::Write(error) => Self::Write(error),
        }
    }
}
