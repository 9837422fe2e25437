//! Makes honest and forged envelopes, with a second writer that follows FORMAT.md.

use std::fmt::Write as _;

use encl::crypto::kdf::{self, ContentKey};
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::{Purpose, SigningKey};
use encl::crypto::{Kem, KeyId, PrivateKey, Secret, hpke, sha256};
use encl::envelope::{
    Addressee, Admission, Approval, Class, Content, Envelope, Granted, Keyring, KeyringError,
    LockRequest, OpenError, ReaderKey, Rewriting, SealRequest, Workers, seal,
};
use encl::json::to_b64;
use encl::payload::seal_message;
use encl::policy::Recipient;
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

pub(crate) const NOW: &str = "2026-11-24T06:24:00Z";

pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

pub(crate) fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// A person with a root key and one KEM key.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) root: SigningKey,
    pub(crate) key: PrivateKey,
}

impl Person {
    pub(crate) fn new(name: &str, kem: Kem) -> Self {
        let (root, key) = (
            SigningKey::generate(&mut rng()),
            PrivateKey::generate(kem, &mut rng()),
        );
        Self {
            name: name.to_owned(),
            root,
            key,
        }
    }

    pub(crate) fn classic(name: &str) -> Self {
        Self::new(name, Kem::X25519)
    }

    pub(crate) fn key_id(&self) -> KeyId {
        self.key.public_key().key_id()
    }

    pub(crate) fn addressee(&self) -> Addressee {
        let public = self.key.public_key();
        let address = Some(format!("{}@example.org", self.name.to_lowercase()));
        let recipient = Recipient {
            name: self.name.clone(),
            address,
            id: self.root.id(),
            key: public.key_id(),
        };
        Addressee { recipient, public }
    }

    /// This person as a recipient in a policy.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(&self.addressee().recipient).unwrap()
    }

    /// A copy of the KEM key: private keys have no Clone.
    pub(crate) fn key_copy(&self) -> PrivateKey {
        PrivateKey::new(self.key.kem(), Secret::new(*self.key.secret().expose()))
    }
}

/// Different people.
pub(crate) fn people<const N: usize>() -> [Person; N] {
    std::array::from_fn(|i| Person::classic(&format!("P{i}")))
}

pub(crate) fn named_people<const N: usize>() -> [Person; N] {
    ["Ann", "Bob", "Carol", "Dave", "Eve"][..N]
        .iter()
        .map(|name| Person::classic(name))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap_or_else(|_| panic!("as many as names"))
}

/// A reader's keys and passphrase.
pub(crate) struct Keys {
    pub(crate) keys: Vec<PrivateKey>,
    pub(crate) passphrase: Option<&'static str>,
}

impl Keys {
    pub(crate) fn of(people: &[&Person]) -> Self {
        Self {
            keys: people.iter().map(|person| person.key_copy()).collect(),
            passphrase: None,
        }
    }
}

impl Keyring for Keys {
    fn keys(&self) -> Vec<ReaderKey> {
        let key = |key: &PrivateKey| ReaderKey {
            id: key.public_key().key_id(),
            kem: key.kem(),
        };
        self.keys.iter().map(key).collect()
    }

    fn private_key(&mut self, id: KeyId) -> Result<&PrivateKey, KeyringError> {
        let mut keys = self.keys.iter();
        keys.find(|key| key.public_key().key_id() == id)
            .ok_or_else(|| "no such key".into())
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Ok(Passphrase::new(self.passphrase.ok_or("nobody knows it")?)?)
    }
}

/// The result of opening an envelope.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    /// The class of the error; `None` if the envelope opened.
    pub(crate) class: Option<Class>,
    /// The content that was released before the end or the error.
    pub(crate) released: Vec<u8>,
    pub(crate) admission: Option<Admission>,
}

pub(crate) fn open_at(envelope: &[u8], keys: &mut Keys, now: &str) -> Outcome {
    outcome(envelope, |envelope| envelope.unlock(keys, time(now)))
}

/// Opens an envelope with approvals.
pub(crate) fn open_with(envelope: &[u8], keys: &mut Keys, approvals: &[Approval]) -> Outcome {
    outcome(envelope, |envelope| {
        envelope.unlock_with(approvals, keys, time(NOW))
    })
}

fn outcome<'a>(
    envelope: &'a [u8],
    unlock: impl FnOnce(Envelope<&'a [u8]>) -> Result<Content<&'a [u8]>, OpenError>,
) -> Outcome {
    let mut released = Vec::new();
    let opened = Envelope::read(envelope)
        .and_then(unlock)
        .and_then(|content| content.copy_to(&mut released, Workers::Processors));
    match opened {
        Ok((about, _)) => Outcome {
            class: None,
            released,
            admission: Some(about.admission),
        },
        Err(error) => Outcome {
            class: Some(class_of(&error)),
            released,
            admission: None,
        },
    }
}

fn class_of(error: &OpenError) -> Class {
    // The keyring was asked for a passphrase that it does not have.
    if let OpenError::Keyring(_) = error {
        return Class::Passphrase;
    }
    error
        .class()
        .unwrap_or_else(|| panic!("an error without a class: {error}: {error:?}"))
}

pub(crate) fn open(envelope: &[u8], keys: &mut Keys) -> Outcome {
    open_at(envelope, keys, NOW)
}

/// Asserts that the envelope is refused with this class and no byte of content is released.
#[track_caller]
pub(crate) fn refused(envelope: &[u8], keys: &mut Keys, class: Class, what: &str) {
    let outcome = open(envelope, keys);
    assert_eq!(outcome.class, Some(class), "{what}");
    assert!(
        outcome.released.is_empty(),
        "{what}: {} bytes released",
        outcome.released.len()
    );
}

#[track_caller]
pub(crate) fn opens(envelope: &[u8], keys: &mut Keys, content: &[u8], what: &str) -> Admission {
    let outcome = open(envelope, keys);
    assert_eq!(outcome.class, None, "{what}");
    assert!(outcome.released == content, "{what}");
    outcome.admission.unwrap()
}

/// The error of opening with approvals.
pub(crate) fn error_with(envelope: &[u8], who: &Person, approvals: &[Approval]) -> OpenError {
    let opened =
        Envelope::read(envelope)
            .unwrap()
            .unlock_with(approvals, &mut Keys::of(&[who]), time(NOW));
    opened.err().expect("it must not open")
}

/// A request that names these people as readers.
pub(crate) fn request<'a>(readers: &[&Person], signer: Option<&'a SigningKey>) -> SealRequest<'a> {
    let recipients = readers.iter().map(|person| person.addressee()).collect();
    SealRequest {
        locks: vec![LockRequest {
            recipients,
            ..LockRequest::default()
        }],
        signer,
        created: Some(time(NOW)),
        workers: Workers::Processors,
        ..SealRequest::default()
    }
}

/// The envelope with one bit changed.
pub(crate) fn flipped(envelope: &[u8], bit: u64) -> Vec<u8> {
    let mut changed = envelope.to_vec();
    changed[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
    changed
}

/// Opens an envelope to change its access line.
pub(crate) fn rewriting<'a>(envelope: &'a [u8], who: &[&Person]) -> Rewriting<&'a [u8]> {
    let envelope = Envelope::read(envelope).unwrap();
    let rewriting = envelope.rewrite(&[], &mut Keys::of(who), time(NOW));
    rewriting.unwrap_or_else(|error| panic!("{error}"))
}

/// Adds a slot for a newcomer, granted by `by`.
pub(crate) fn granted(envelope: &[u8], by: &Person, newcomer: &Person) -> Vec<u8> {
    let mut rewriting = rewriting(envelope, &[by]);
    let record = (&by.root, time(NOW));
    let granted = rewriting.grant(&newcomer.addressee(), None, record, &mut rng());
    assert_eq!(granted.unwrap(), Granted::Added);
    written(rewriting)
}

pub(crate) fn written(rewriting: Rewriting<&[u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    rewriting.finish().unwrap().copy_to(&mut out).unwrap();
    out
}

/// A lock that `need` of these people open together.
pub(crate) fn quorum<'a>(need: u8, people: &[&Person]) -> LockRequest<'a> {
    LockRequest {
        need,
        recipients: people.iter().map(|person| person.addressee()).collect(),
        passphrase: None,
    }
}

/// The approvals that `holder` gives to a colleague.
pub(crate) fn approved(
    envelope: &[u8],
    lock: u16,
    holder: &Person,
    to: &Person,
) -> Result<Vec<Approval>, OpenError> {
    let to = to.key.public_key();
    let mut keys = Keys::of(&[holder]);
    Envelope::read(envelope)?.approve(lock, &to, &mut keys, time(NOW), &mut rng())
}

pub(crate) fn sealed(request: &SealRequest<'_>, content: &[u8]) -> Vec<u8> {
    let mut envelope = Vec::new();
    seal(request, &mut &*content, &mut envelope, &mut rng()).unwrap();
    envelope
}

/// The parts of an envelope.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) policy: String,
    pub(crate) access: String,
    pub(crate) mac: String,
    pub(crate) payload: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(envelope: &[u8]) -> Self {
        let mut lines = envelope.splitn(5, |byte| *byte == b'\n').skip(1);
        let mut text = || String::from_utf8(lines.next().unwrap().to_vec()).unwrap();
        let (policy, access, mac) = (text(), text(), text());
        Self {
            policy,
            access,
            mac,
            payload: lines.next().unwrap().to_vec(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let head = format!("encl/1\n{}\n{}\n{}\n", self.policy, self.access, self.mac);
        [head.as_bytes(), &self.payload].concat()
    }
}

/// A writer of forged envelopes, with everything that an author or an insider with the content key can make.
pub(crate) struct Forge {
    pub(crate) policy: String,
    pub(crate) secrets: Vec<[u8; 32]>,
}

impl Forge {
    /// One lock for these people, unsigned; `extra` is put between the policy's members.
    pub(crate) fn new(readers: &[&Person], extra: &str) -> Self {
        let secret = [0x5e; 32];
        let policy = format!(
            r#"{{"signed":false,"private":false,"padding":"none",{extra}"locks":[{}]}}"#,
            lock(&secret, readers)
        );
        Self {
            policy,
            secrets: vec![secret],
        }
    }

    /// The envelope's id.
    pub(crate) fn p(&self) -> [u8; 32] {
        sha256(&[b"encl/1\n", self.policy.as_bytes(), b"\n"])
    }

    pub(crate) fn content_key(&self) -> ContentKey {
        let secrets: Vec<_> = self
            .secrets
            .iter()
            .map(|secret| Secret::new(*secret))
            .collect();
        ContentKey::new(&self.p(), &secrets)
    }

    /// A slot of lock 0 for a person.
    pub(crate) fn slot(&self, person: &Person) -> String {
        self.slot_with(person, 0, &self.secrets[0], "")
    }

    /// A slot with any lock, any plaintext and more members.
    pub(crate) fn slot_with(
        &self,
        person: &Person,
        lock: u16,
        plaintext: &[u8],
        extra: &str,
    ) -> String {
        let info = kdf::slot_info(&self.p(), lock);
        let sealed = hpke::seal(&person.key.public_key(), &info, plaintext, &mut rng()).unwrap();
        let (key, enc, ct) = (
            to_b64(&person.key_id().0),
            to_b64(&sealed.enc),
            to_b64(&sealed.ct),
        );
        format!(r#"{{"lock":{lock},"key":"{key}","enc":"{enc}","ct":"{ct}"{extra}}}"#)
    }

    pub(crate) fn slots(&self, people: &[&Person]) -> String {
        access(
            &people
                .iter()
                .map(|person| self.slot(person))
                .collect::<Vec<_>>(),
        )
    }

    /// The envelope with an honest mac and payload; `plaintext` is the whole M.
    pub(crate) fn envelope(&self, access: &str, plaintext: &[u8]) -> Vec<u8> {
        let hash = sha256(&[
            b"encl/1\n",
            self.policy.as_bytes(),
            b"\n",
            access.as_bytes(),
            b"\n",
        ]);
        let key = self.content_key();
        let payload = seal_message(&key.payload_key(), &self.p(), plaintext, &mut rng());
        let parts = Parts {
            policy: self.policy.clone(),
            access: access.to_owned(),
            mac: to_b64(&key.mac(&hash)),
            payload,
        };
        parts.bytes()
    }
}

pub(crate) fn access(slots: &[String]) -> String {
    format!(r#"{{"slots":[{}]}}"#, slots.join(","))
}

/// A lock that any of these people opens.
pub(crate) fn lock(secret: &[u8; 32], readers: &[&Person]) -> String {
    let commit = to_b64(&kdf::lock_commitment(&Secret::new(*secret)));
    let readers: Vec<_> = readers.iter().map(|person| person.json()).collect();
    format!(
        r#"{{"kind":"recipients","need":1,"commit":"{commit}","recipients":[{}]}}"#,
        readers.join(",")
    )
}

/// root(D) of FORMAT.md, computed in the simplest way.
pub(crate) fn root(data: &[u8]) -> [u8; 32] {
    let blocks: Vec<u8> = data
        .chunks(16_384)
        .flat_map(|block| sha256(&[block]))
        .collect();
    sha256(&[&blocks])
}

/// The signature of D under a policy.
pub(crate) fn signature(signer: &SigningKey, p: &[u8; 32], data: &[u8]) -> [u8; 64] {
    let length = (data.len() as u64).to_be_bytes();
    signer.sign(Purpose::Envelope, &[p, &length, &root(data)]).0
}

pub(crate) fn cheap(passphrase: &Passphrase) -> (&Passphrase, Cost) {
    (passphrase, Cost::DEFAULT)
}

/// A long list as one text, for error messages.
pub(crate) fn listed<T: std::fmt::Debug>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().fold(String::new(), |mut text, item| {
        let _ = write!(text, "{item:?} ");
        text
    })
}
