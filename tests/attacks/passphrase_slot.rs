//! A reader with a key of his own puts a passphrase slot for words of his own in the place of the author's, and hands the envelope
//! and his words to somebody else, who shall take them for the author's.

use encl::crypto::kdf::{self, ContentKey};
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::SigningKey;
use encl::crypto::{Kem, KeyId, PrivateKey, Secret, hpke, sha256};
use encl::envelope::{
    Access, Addressee, Admission, Class, Content, Envelope, Granted, Keyring, KeyringError,
    LockRequest, NoRecord, OpenError, PassphraseSlot, ReaderKey, ResealRequest, SealRequest, Slot,
    Workers, seal,
};
use encl::identity::Identity;
use encl::operations::open::{Requirements, Unmet};
use encl::payload::seal_message;
use encl::policy::Recipient;
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

const AUTHORS: &str = "the author's words";
const READERS: &str = "a reader's words";

/// Written before the policy committed to passphrases: for Bob or the author's words, signed by Ann.
const OLD: &[u8] = include_bytes!("../vectors/data/old_key_or_passphrase.encl");
const OLD_PRIVATE: &[u8] = include_bytes!("../vectors/data/old_private_passphrase.encl");
const BOB: &[u8] = include_bytes!("../vectors/kit/keys/bob");

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn now() -> Time {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn bob() -> Identity {
    Identity::from_line(BOB.strip_suffix(b"\n").unwrap()).unwrap()
}

/// Bob's key, words, or both.
struct Hand {
    key: Option<PrivateKey>,
    words: Option<&'static str>,
}

impl Hand {
    fn of_bob() -> Self {
        let bob = bob();
        let secret = bob.keys()[0].private.secret();
        Self {
            key: Some(PrivateKey::new(Kem::X25519, Secret::new(*secret.expose()))),
            words: None,
        }
    }

    fn with(words: &'static str) -> Self {
        Self {
            key: None,
            words: Some(words),
        }
    }

    fn and(self, words: &'static str) -> Self {
        Self {
            words: Some(words),
            ..self
        }
    }
}

impl Keyring for Hand {
    fn keys(&self) -> Vec<ReaderKey> {
        let key = |key: &PrivateKey| ReaderKey {
            id: key.public_key().key_id(),
            kem: key.kem(),
        };
        self.key.iter().map(key).collect()
    }

    fn private_key(&mut self, _: KeyId) -> Result<&PrivateKey, KeyringError> {
        self.key.as_ref().ok_or_else(|| "no key".into())
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        Ok(Passphrase::new(self.words.ok_or("no words")?)?)
    }
}

fn addressee() -> Addressee {
    let key = Hand::of_bob().key.unwrap();
    let recipient = Recipient {
        name: "Bob".to_owned(),
        address: Some("bob@example.org".to_owned()),
        id: bob().id(),
        key: key.public_key().key_id(),
    };
    Addressee {
        recipient,
        public: key.public_key(),
    }
}

/// An honest envelope: with one lock for Bob or the author's words, with two for both.
fn honest(locks: usize, private: bool, author: &SigningKey) -> Vec<u8> {
    let words = Passphrase::new(AUTHORS).unwrap();
    let passphrase = Some((&words, Cost::DEFAULT));
    let mut of_bob = LockRequest {
        recipients: vec![addressee()],
        ..LockRequest::default()
    };
    let locks = match locks {
        1 => {
            of_bob.passphrase = passphrase;
            vec![of_bob]
        }
        _ => vec![
            of_bob,
            LockRequest {
                passphrase,
                ..LockRequest::default()
            },
        ],
    };
    let request = SealRequest {
        locks,
        signer: Some(author),
        private,
        created: Some(now()),
        ..SealRequest::default()
    };
    let mut out = Vec::new();
    seal(&request, &mut b"content".as_slice(), &mut out, &mut rng()).unwrap();
    out
}

/// What the attacker needs of each lock: its secret, which the key's slot holds, or his knowledge of the author's words.
fn secrets(envelope: &[u8]) -> Vec<Secret<32>> {
    let read = Envelope::read(envelope).unwrap();
    let manifest = read.manifest();
    let key = Hand::of_bob().key.unwrap();
    let of_lock = |(number, lock): (u16, &encl::policy::Lock)| {
        let here = manifest.access.slots.iter();
        let mut here = here.filter(|slot| slot.lock() == number);
        let found = here.find_map(|slot| match slot {
            Slot::Key(slot) => {
                let info = kdf::slot_info(&manifest.id.0, number);
                let opened = hpke::open(&key, &slot.enc, &info, &slot.ct).ok()?;
                Secret::from_slice(&opened)
            }
            Slot::Passphrase(slot) => {
                let key = Passphrase::new(AUTHORS).unwrap();
                let key = key.derive(&slot.salt, lock.passphrase().unwrap()).unwrap();
                let context = kdf::passphrase_context(&manifest.id.0, number);
                let opened = encl::payload::open_message(&key, &context, &slot.ct).unwrap();
                Secret::from_slice(&opened)
            }
            Slot::Gate(_) => None,
        });
        found.unwrap()
    };
    (0..).zip(&manifest.policy.locks).map(of_lock).collect()
}

/// The attack: lines 3 and 4 are written again, with a passphrase slot for other words, all else as it was.
fn replaced(envelope: &[u8], words: &str, keep_salt: bool) -> Vec<u8> {
    let secrets = secrets(envelope);
    let read = Envelope::read(envelope).unwrap();
    let id = read.manifest().id;
    let mut access: Access = read.manifest().access.clone();
    let mut slots = access.slots.iter_mut();
    let slot = slots.find_map(|slot| match slot {
        Slot::Passphrase(slot) => Some(slot),
        Slot::Key(_) | Slot::Gate(_) => None,
    });
    let slot = slot.unwrap();
    let salt = match keep_salt {
        true => slot.salt,
        false => *b"a reader's salt.",
    };
    let key = Passphrase::new(words).unwrap().derive(&salt, Cost::DEFAULT);
    let context = kdf::passphrase_context(&id.0, slot.lock);
    let secret = secrets[usize::from(slot.lock)].expose();
    let ct = seal_message(&key.unwrap(), &context, secret, &mut rng());
    *slot = PassphraseSlot {
        lock: slot.lock,
        salt,
        ct: ct.try_into().unwrap(),
    };
    let mut lines = envelope.splitn(5, |byte| *byte == b'\n');
    let (policy, payload) = (lines.nth(1).unwrap(), lines.nth(2).unwrap());
    let access = serde_json::to_vec(&access).unwrap();
    let hash = sha256(&[b"encl/1\n", policy, b"\n", &access, b"\n"]);
    let mac = encl::json::to_b64(&ContentKey::new(&id.0, &secrets).mac(&hash));
    [b"encl/1", policy, &access, mac.as_bytes(), payload].join(&b'\n')
}

fn content(envelope: &[u8], mut hand: Hand) -> Result<Content<&[u8]>, OpenError> {
    Envelope::read(envelope)?.unlock(&mut hand, now())
}

/// Opened to its end: who let this hand in, or the class of the refusal.
fn opened(envelope: &[u8], hand: Hand) -> Result<Admission, Class> {
    let copied = content(envelope, hand)
        .and_then(|content| content.copy_to(&mut std::io::sink(), Workers::ONE));
    copied
        .map(|(opened, _)| opened.admission)
        .map_err(|error| error.class().unwrap())
}

#[test]
fn words_of_a_reader_are_not_taken_for_the_authors() {
    let author = SigningKey::generate(&mut rng());
    for (private, keep_salt) in [(false, true), (false, false), (true, true), (true, false)] {
        let what = format!("private {private}, the author's salt {keep_salt}");
        let honest = honest(1, private, &author);
        let as_author = opened(&honest, Hand::with(AUTHORS));
        assert_eq!(as_author, Ok(Admission::Named), "{what}: honest");
        let forged = replaced(&honest, READERS, keep_salt);
        let newcomer = opened(&forged, Hand::with(READERS));
        assert_eq!(newcomer, Err(Class::Slot), "{what}: his words");
        let deceived = opened(&forged, Hand::with(AUTHORS));
        assert_eq!(deceived, Err(Class::Passphrase), "{what}: the author's");
        let by_key = opened(&forged, Hand::of_bob().and(READERS));
        assert_eq!(by_key, Ok(Admission::Named), "{what}: his key");
    }
}

#[test]
fn a_second_factor_cannot_be_replaced_either() {
    let author = SigningKey::generate(&mut rng());
    let honest = honest(2, false, &author);
    let both = |words| Hand::of_bob().and(words);
    assert_eq!(opened(&honest, both(AUTHORS)), Ok(Admission::Named));
    for keep_salt in [true, false] {
        let forged = replaced(&honest, READERS, keep_salt);
        assert_eq!(opened(&forged, both(READERS)), Err(Class::Slot));
        assert_eq!(opened(&forged, both(AUTHORS)), Err(Class::Passphrase));
    }
}

#[test]
fn whoever_knows_the_authors_words_can_only_make_the_same_slot_again() {
    let author = SigningKey::generate(&mut rng());
    let honest = honest(1, false, &author);
    let by = |keep_salt| opened(&replaced(&honest, AUTHORS, keep_salt), Hand::with(AUTHORS));
    assert_eq!(by(true), Ok(Admission::Named));
    assert_eq!(by(false), Err(Class::Slot));
}

#[test]
fn a_policy_without_its_commitment_opens_nothing() {
    let author = SigningKey::generate(&mut rng());
    let honest = honest(1, false, &author);
    let text = String::from_utf8_lossy(&honest).into_owned();
    let at = text.find(",\"passphrase_commit\":\"").unwrap();
    let member = &text[at..at + ",\"passphrase_commit\":\"".len() + 45];
    let cut = [&honest[..at], &honest[at + member.len()..]].concat();
    assert_eq!(opened(&cut, Hand::with(AUTHORS)), Err(Class::Passphrase));
    assert_eq!(opened(&cut, Hand::of_bob()), Err(Class::Slot));
}

/// In envelopes of older programs the attack cannot be seen. So nobody is shown as named there who came by the passphrase.
#[test]
fn without_a_commitment_nobody_is_named_by_a_passphrase() {
    let unrecorded = Ok(Admission::Unrecorded(NoRecord::OfPassphrase));
    let strict = Requirements {
        is_recorded: true,
        ..Requirements::default()
    };
    for old in [OLD, OLD_PRIVATE] {
        for (envelope, words) in [
            (old.to_vec(), AUTHORS),
            (replaced(old, READERS, true), READERS),
            (replaced(old, READERS, false), READERS),
        ] {
            assert_eq!(opened(&envelope, Hand::with(words)), unrecorded, "{words}");
            let unlocked = content(&envelope, Hand::with(words)).unwrap();
            let refusal = strict.check(unlocked.metadata());
            assert_eq!(refusal, Err(Unmet::Unrecorded(NoRecord::OfPassphrase)));
        }
        assert_eq!(opened(old, Hand::of_bob()), Ok(Admission::Named));
    }
}

#[test]
fn a_grant_keeps_what_the_policy_says_and_sealing_again_says_it() {
    let newcomer = PrivateKey::generate(Kem::X25519, &mut rng());
    let newcomer = Addressee {
        public: newcomer.public_key(),
        recipient: Recipient {
            key: newcomer.public_key().key_id(),
            id: SigningKey::generate(&mut rng()).id(),
            ..addressee().recipient
        },
    };
    let author = SigningKey::generate(&mut rng());
    for (envelope, is_old) in [(OLD.to_vec(), true), (honest(1, false, &author), false)] {
        let line_2 = |envelope: &[u8]| {
            envelope
                .split(|byte| *byte == b'\n')
                .nth(1)
                .unwrap()
                .to_vec()
        };
        let read = Envelope::read(&*envelope).unwrap();
        let mut rewriting = read.rewrite(&[], &mut Hand::of_bob(), now()).unwrap();
        let bob = bob();
        let record = (bob.root(), now());
        let granted = rewriting.grant(&newcomer, None, record, &mut rng());
        assert_eq!(granted.unwrap(), Granted::Added);
        let mut after = Vec::new();
        rewriting.finish().unwrap().copy_to(&mut after).unwrap();
        assert_eq!(line_2(&after), line_2(&envelope));
        let due = match is_old {
            true => Admission::Unrecorded(NoRecord::OfPassphrase),
            false => Admission::Named,
        };
        assert_eq!(opened(&after, Hand::with(AUTHORS)), Ok(due));

        let words = Passphrase::new(AUTHORS).unwrap();
        let request = ResealRequest {
            gate: None,
            locks: vec![LockRequest {
                recipients: vec![addressee()],
                passphrase: Some((&words, Cost::DEFAULT)),
                ..LockRequest::default()
            }],
            signer: Some(&author),
            workers: Workers::ONE,
        };
        let mut sealed = Vec::new();
        let old = content(&after, Hand::of_bob()).unwrap();
        old.reseal(&request, &mut sealed, &mut rng()).unwrap();
        assert_eq!(opened(&sealed, Hand::with(AUTHORS)), Ok(Admission::Named));
        let forged = replaced(&sealed, READERS, true);
        assert_eq!(opened(&forged, Hand::with(READERS)), Err(Class::Slot));
    }
}
