//! Sealed content opens unchanged, with every feature and at every size around an edge.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::SigningKey;
use encl::crypto::{Kem, KeyId, PrivateKey, Secret};
use encl::envelope::{
    Addressee, Admission, ContentInfo, Envelope, Keyring, KeyringError, LockRequest, ReaderKey,
    SealRequest, Workers, seal,
};
use encl::policy::{Padding, Recipient};
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

const NOW: u64 = 1_800_000_000;

struct Keys(Vec<PrivateKey>, Option<&'static str>);

impl Keyring for Keys {
    fn keys(&self) -> Vec<ReaderKey> {
        let key = |key: &PrivateKey| ReaderKey {
            id: key.public_key().key_id(),
            kem: key.kem(),
        };
        self.0.iter().map(key).collect()
    }

    fn private_key(&mut self, id: KeyId) -> Result<&PrivateKey, KeyringError> {
        self.0
            .iter()
            .find(|key| key.public_key().key_id() == id)
            .ok_or_else(|| "no such key".into())
    }

    fn passphrase(&mut self) -> Result<Passphrase, KeyringError> {
        let text = self.1.ok_or("nobody knows the passphrase")?;
        Ok(Passphrase::new(text)?)
    }
}

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn person(kem: Kem) -> (PrivateKey, Addressee) {
    let key = PrivateKey::generate(kem, &mut rng());
    let public = key.public_key();
    let id = SigningKey::generate(&mut rng()).id();
    let recipient = Recipient {
        name: "Bob".into(),
        address: Some("bob@example.org".into()),
        id,
        key: public.key_id(),
    };
    (key, Addressee { recipient, public })
}

fn request(locks: Vec<LockRequest<'_>>) -> SealRequest<'_> {
    SealRequest {
        locks,
        created: Time::from_unix(NOW),
        info: ContentInfo {
            name: Some("report.pdf".into()),
            ..ContentInfo::default()
        },
        workers: Workers::Processors,
        ..SealRequest::default()
    }
}

fn open(envelope: &[u8], keys: &mut Keys) -> (Vec<u8>, Admission, Option<String>) {
    let content = Envelope::read(envelope)
        .unwrap()
        .unlock(keys, Time::from_unix(NOW).unwrap())
        .unwrap();
    let mut out = Vec::new();
    let (about, bytes) = content.copy_to(&mut out, Workers::Processors).unwrap();
    assert_eq!(bytes, out.len() as u64);
    (out, about.admission, about.private.info.name)
}

#[test]
fn the_known_answer_envelope_of_an_independent_writer_opens() {
    let envelope = include_bytes!("vectors/data/vector1.encl");
    let secret =
        hex::decode("1be836e5a5dadd22c5b0cf434aff9b4a79b7e115761bf1512a99845c08946690").unwrap();
    let bob = PrivateKey::new(Kem::X25519, Secret::from_slice(&secret).unwrap());
    let (content, admission, name) = open(envelope, &mut Keys(vec![bob], None));
    assert_eq!(content, b"hello, encl\n");
    assert_eq!(admission, Admission::Named);
    assert_eq!(name.as_deref(), Some("hello.txt"));
}

#[test]
fn every_feature_at_every_size_around_an_edge() {
    let (x25519, classic) = person(Kem::X25519);
    let (xwing, hybrid) = person(Kem::XWing);
    let author = SigningKey::generate(&mut rng());
    let mut keys = Keys(vec![x25519, xwing], None);
    let mut trips = 0;
    for bytes in [
        0, 1, 100, 16_200, 16_294, 16_383, 16_384, 16_385, 32_768, 70_000, 4_300_000,
    ] {
        let content: Vec<u8> = (0..=250)
            .cycle()
            .take(usize::try_from(bytes).unwrap())
            .collect();
        for features in 0..32 {
            let on = |bit: u32| features >> bit & 1 == 1;
            let reader = if on(4) { &classic } else { &hybrid };
            let mut request = request(vec![LockRequest {
                recipients: vec![reader.clone()],
                ..LockRequest::default()
            }]);
            request.signer = on(0).then_some(&author);
            request.private = on(1);
            request.padding = if on(2) { Padding::Padme } else { Padding::None };
            request.aligned = on(3);
            let mut envelope = Vec::new();
            let sealed =
                seal(&request, &mut content.as_slice(), &mut envelope, &mut rng()).unwrap();
            assert_eq!(sealed.content_bytes, bytes);
            let (opened, admission, _) = open(&envelope, &mut keys);
            assert!(opened == content, "{bytes} bytes, features {features:b}");
            assert_eq!(admission, Admission::Named);
            trips += 1;
        }
    }
    assert_eq!(trips, 11 * 32);
}

#[test]
fn locks_and_passphrases() {
    let (bob_key, bob) = person(Kem::XWing);
    let (legal_key, legal) = person(Kem::X25519);
    let secret = Passphrase::new("caf\u{e9} au lait").unwrap();
    let locks = vec![
        LockRequest {
            need: 1,
            recipients: vec![bob],
            passphrase: Some((&secret, Cost::DEFAULT)),
        },
        LockRequest {
            recipients: vec![legal],
            ..LockRequest::default()
        },
    ];
    let mut envelope = Vec::new();
    seal(
        &request(locks),
        &mut b"both of us".as_slice(),
        &mut envelope,
        &mut rng(),
    )
    .unwrap();
    let with_keys = open(
        &envelope,
        &mut Keys(
            vec![
                bob_key,
                PrivateKey::new(Kem::X25519, Secret::new(*legal_key.secret().expose())),
            ],
            None,
        ),
    );
    assert_eq!(with_keys.0, b"both of us");
    // The same passphrase in another normalisation form.
    let with_words = open(
        &envelope,
        &mut Keys(vec![legal_key], Some("cafe\u{301} au lait")),
    );
    assert_eq!(with_words.0, b"both of us");
}
