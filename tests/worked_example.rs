//! Checks the worked example of FORMAT.md: every value in it is computed again, and none is left out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeMap;

use encl::crypto::aead::AeadKey;
use encl::crypto::kdf::{self, ContentKey};
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use encl::crypto::{Kem, PrivateKey, Secret, hpke, sha256};
use encl::payload::open_message;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

const FORMAT: &str = include_str!("../src/envelope/FORMAT.md");
const ENVELOPE: &[u8] = include_bytes!("vectors/data/vector1.encl");

/// The values of the example by name. Each is taken once.
struct Example(BTreeMap<&'static str, Vec<u8>>);

impl Example {
    fn read() -> Self {
        Self::block(1)
    }

    /// The values of one of the section's blocks, from 1.
    fn block(number: usize) -> Self {
        let section = FORMAT.split("\n# A worked example\n").nth(1).unwrap();
        let block = section
            .split("```text\n")
            .nth(number)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let pair = |line: &'static str| {
            let (name, value) = line.split_once(" = ").unwrap();
            (name, hex::decode(value).unwrap())
        };
        Self(block.lines().map(pair).collect())
    }

    /// Asserts that a value of the example is `value`, and removes it.
    fn is(&mut self, name: &str, value: &[u8]) -> Vec<u8> {
        let written = self
            .0
            .remove(name)
            .unwrap_or_else(|| panic!("{name} is not in the example"));
        assert_eq!(hex::encode(&written), hex::encode(value), "{name}");
        written
    }

    /// An input value of the example, which is removed.
    fn given(&mut self, name: &str) -> Vec<u8> {
        self.0
            .remove(name)
            .unwrap_or_else(|| panic!("{name} is not in the example"))
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

/// RFC 9180 §4, `LabeledExtract`.
fn labeled_extract(suite: &[u8], salt: &[u8], label: &str, ikm: &[u8]) -> Vec<u8> {
    let ikm = [b"HPKE-v1", suite, label.as_bytes(), ikm].concat();
    Hkdf::<Sha256>::extract(Some(salt), &ikm).0.to_vec()
}

/// RFC 9180 §4, `LabeledExpand`.
fn labeled_expand(suite: &[u8], prk: &[u8], label: &str, info: &[u8], length: u16) -> Vec<u8> {
    let info = [
        &length.to_be_bytes(),
        b"HPKE-v1".as_slice(),
        suite,
        label.as_bytes(),
        info,
    ]
    .concat();
    let mut out = vec![0; length.into()];
    Hkdf::<Sha256>::from_prk(prk)
        .unwrap()
        .expand(&info, &mut out)
        .unwrap();
    out
}

fn expand(key: &[u8], info: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 32];
    Hkdf::<Sha256>::from_prk(key)
        .unwrap()
        .expand(info, &mut out)
        .unwrap();
    out
}

#[test]
fn every_value_of_the_example() {
    let mut example = Example::read();
    let values = example.0.len();
    example.is("file_sha256", &sha256(&[ENVELOPE]));
    let mut parts = ENVELOPE.splitn(5, |byte| *byte == b'\n').skip(1);
    let lines = [1, 2, 3].map(|_| parts.next().unwrap());
    let payload = parts.next().unwrap();
    let [policy, access, _] = [0, 1, 2].map(|at| example.is(&format!("line{}", at + 2), lines[at]));
    let h = u16::try_from(ENVELOPE.len() - payload.len()).unwrap();
    example.is("h", &h.to_be_bytes());
    let p = array(&example.is("P", &sha256(&[b"encl/1\n", &policy, b"\n"])));
    let a = array(&example.is("A", &sha256(&[b"encl/1\n", &policy, b"\n", &access, b"\n"])));

    let secret = slot(&mut example, &p);
    let content_key = ContentKey::new(&p, [&Secret::new(secret)]);
    let ck = example.is("CK", content_key.secret().expose());
    let mac_key = example.is("mac_key", &expand(&ck, b"encl/1 mac"));
    let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&mac_key)
        .unwrap()
        .chain_update(a)
        .finalize();
    assert_eq!(mac.into_bytes()[..], content_key.mac(&a));
    let mac = example.is("mac", &content_key.mac(&a));
    assert_eq!(lines[2], encl::json::to_b64(&mac).as_bytes());

    let plaintext = chunk(&mut example, &p, &content_key, payload);
    signature(&mut example, &p, &plaintext);
    assert!(example.0.is_empty(), "not computed: {:?}", example.0.keys());
    println!("{values} values of the worked example");
    assert_eq!(values, 46);
}

#[test]
fn every_value_of_the_passphrase() {
    let secret = Secret::from_slice(&Example::read().given("S_0")).unwrap();
    let mut example = Example::block(2);
    let typed = Passphrase::new("correct horse e\u{301}").unwrap(); // in normalisation form D
    example.is("passphrase", "correct horse \u{e9}".as_bytes());
    let salt = array(&example.given("salt"));
    let key = typed.derive(&salt, Cost::DEFAULT).unwrap();
    let k = example.is("K", key.expose());
    let label = b"encl/1 passphrase commit\0".as_slice();
    let commitment = sha256(&[label, &salt, &k, secret.expose()]);
    example.is("passphrase_commit", &commitment);
    let ours = kdf::passphrase_commitment(&salt, &key, &secret);
    assert_eq!(ours, commitment);
    assert!(example.0.is_empty(), "not computed: {:?}", example.0.keys());
}

/// Computes the lock's secret from Bob's key.
fn slot(example: &mut Example, p: &[u8; 32]) -> [u8; 32] {
    let private = example.given("bob_private");
    let bob = PrivateKey::new(Kem::X25519, Secret::from_slice(&private).unwrap());
    let public = example.is("bob_public", bob.public_key().as_bytes());
    example.is("bob_key_id", &bob.public_key().key_id().0);
    let (enc, ct) = (example.given("slot_enc"), example.given("slot_ct"));
    let info = example.is("slot_info", &kdf::slot_info(p, 0));
    let dh = example.is("dh", &x25519_dalek::x25519(array(&private), array(&enc)));
    let kem_suite = [b"KEM".as_slice(), &0x0020_u16.to_be_bytes()].concat();
    let prk = example.is("eae_prk", &labeled_extract(&kem_suite, b"", "eae_prk", &dh));
    let context = [enc.as_slice(), &public].concat();
    let shared = labeled_expand(&kem_suite, &prk, "shared_secret", &context, 32);
    let shared = example.is("kem_shared_secret", &shared);
    let suite = example.is("hpke_suite_id", b"HPKE\0\x20\0\x01\0\x02");
    let psk_id_hash = example.is(
        "psk_id_hash",
        &labeled_extract(&suite, b"", "psk_id_hash", b""),
    );
    let info_hash = example.is(
        "info_hash",
        &labeled_extract(&suite, b"", "info_hash", &info),
    );
    let context = [&[0], &psk_id_hash[..], &info_hash].concat();
    let context = example.is("key_schedule_context", &context);
    let secret = example.is(
        "hpke_secret",
        &labeled_extract(&suite, &shared, "secret", b""),
    );
    let key = example.is(
        "hpke_key",
        &labeled_expand(&suite, &secret, "key", &context, 32),
    );
    let nonce = labeled_expand(&suite, &secret, "base_nonce", &context, 12);
    let nonce = example.is("hpke_base_nonce", &nonce);
    let (mut opened, tag) = (ct[..32].to_vec(), array(&ct[32..]));
    AeadKey::new(&array(&key))
        .open(&array(&nonce), b"", &mut opened, &tag)
        .unwrap();
    assert_eq!(opened, *hpke::open(&bob, &enc, &info, &ct).unwrap());
    let secret = array(&example.is("S_0", &opened));
    example.is("commit_0", &kdf::lock_commitment(&Secret::new(secret)));
    secret
}

/// The only chunk of the payload, opened step by step and by the library.
fn chunk(example: &mut Example, p: &[u8; 32], key: &ContentKey, payload: &[u8]) -> Vec<u8> {
    let input_key = example.is("payload_input_key", key.payload_key().expose());
    let salt = example.is("c2sp_salt", &payload[..24]);
    let label = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0".as_slice();
    let info = example.is("c2sp_info", &[label, &salt, p].concat());
    let mut derived = [0; 76];
    let prk = [&input_key[..], &[0; 32]].concat();
    Hkdf::<Sha512>::from_prk(&prk)
        .unwrap()
        .expand(&info, &mut derived)
        .unwrap();
    let chunk_key = example.is("c2sp_key", &derived[..32]);
    let nonce = example.is("c2sp_nonce", &derived[32..44]);
    example.is("c2sp_commitment", &derived[44..]);
    assert_eq!(payload[24..56], derived[44..]);
    let nonce = array(&example.is("chunk_0_nonce", &nonce));
    let (sealed, tag) = payload[56..].split_at(payload.len() - 56 - 16);
    let mut chunk = example.is("chunk_0_ciphertext", sealed);
    let tag = array(&example.is("chunk_0_tag", tag));
    AeadKey::new(&array(&chunk_key))
        .open(&nonce, b"", &mut chunk, &tag)
        .unwrap();
    assert_eq!(
        chunk,
        *open_message(&key.payload_key(), p, payload).unwrap()
    );
    example.is("M", &chunk)
}

/// Checks the parts of the plaintext and Alice's signature.
fn signature(example: &mut Example, p: &[u8; 32], plaintext: &[u8]) {
    let (data, signed) = plaintext.split_at(plaintext.len() - Signature::BYTES);
    let data = example.is("D", data);
    let line_end = data.iter().position(|byte| *byte == b'\n').unwrap();
    example.is("private_line", &data[..line_end]);
    let content = example.is("content", &data[line_end + 1..]);
    assert_eq!(content, b"hello, encl\n");
    let block = example.is("block_0_hash", &sha256(&[&data]));
    let root = example.is("root", &sha256(&[&block]));
    let length = (data.len() as u64).to_be_bytes();
    let message = [b"encl/1 signature\0".as_slice(), p, &length, &root].concat();
    example.is("signed_message", &message);
    let signature = Signature(array(&example.is("sig", signed)));
    let alice = RootId(array(&example.given("alice_public")));
    alice
        .verify(Purpose::Envelope, &[p, &length, &root], &signature)
        .unwrap();
    alice.verify_unlabelled(&message, &signature).unwrap();
}

/// The case of the kit that the second half of the example is about.
const GATE_CASE: &[u8] = include_bytes!("vectors/kit/envelope/gate_worked_example");

/// HKDF-Expand, 80 bytes.
fn expand_80(key: &[u8], info: &[u8]) -> [u8; 80] {
    let mut out = [0; 80];
    let hkdf = Hkdf::<Sha256>::from_prk(key).unwrap();
    hkdf.expand(info, &mut out).unwrap();
    out
}

/// The bytes of a member of line 3 that is base64, the last of its name.
fn last_base64(access: &str, name: &str) -> Vec<u8> {
    let (_, value) = access.rsplit_once(&format!("\"{name}\":\"")).unwrap();
    decoded(value.split('"').next().unwrap())
}

fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

#[test]
fn every_value_of_the_gate_lock() {
    let mut example = Example::block(4);
    let values = example.0.len();
    let begin = GATE_CASE.windows(2).position(|two| two == b"\n\n").unwrap();
    let envelope = &GATE_CASE[begin + 2..];
    example.is("file_sha256", &sha256(&[envelope]));
    let lines: Vec<_> = envelope.splitn(5, |byte| *byte == b'\n').collect();
    let policy = std::str::from_utf8(lines[1]).unwrap();
    let access = std::str::from_utf8(lines[2]).unwrap();
    let p: [u8; 32] = array(&example.is("P", &sha256(&[b"encl/1\n", lines[1], b"\n"])));
    let at = policy.find("{\"kind\":\"gate\"").unwrap();
    let terms = example.is("L", policy[at..].strip_suffix("]}").unwrap().as_bytes());
    let label = b"encl/1 gate ticket\0".as_slice();
    let t = example.is("T", &sha256(&[label, &p, &[0, 1], &terms]));
    assert_eq!(kdf::gate::ticket(&p, 1, &terms), *t);

    let info = [b"encl/1 gate slot\0", &t[..], &[1]].concat();
    let info = example.is("slot_1_info", &info);
    let [enc, ct] = ["enc", "ct"].map(|name| {
        let value = last_base64(access, name);
        example.is(&format!("slot_1_{name}"), &value)
    });
    let dave = private_key(&example.given("dave_private"));
    let secret = example.is("S_1", &hpke::open(&dave, &enc, &info, &ct).unwrap());
    let commit = example.is("commit_1", &sha256(&[b"encl/1 lock\0", &secret]));

    let bob = private_key(&example.given("bob_private"));
    let (first, _) = access.split_once("},{").unwrap();
    let [enc, ct] = ["enc", "ct"].map(|name| last_base64(first, name));
    let first = hpke::open(&bob, &enc, &kdf::slot_info(&p, 0), &ct).unwrap();
    let first = example.is("S_0", &first);
    let h = Hkdf::<Sha256>::extract(Some(b"encl/1 gate others\0"), &first).0;
    let h = example.is("H", &h);
    let seed = example.is("seed", &expand(&h, b"encl/1 gate holder\0"));
    let holder = SigningKey::new(Secret::from_slice(&seed).unwrap());
    let holder = example.is("holder", &holder.id().0);
    passes(&mut example, access, &h, &t);
    owners(&mut example, &terms, &commit);

    let secrets = [secret_of(&first), secret_of(&secret)];
    let content_key = ContentKey::new(&p, &secrets);
    example.is("CK", content_key.secret().expose());
    let text = std::str::from_utf8(&terms).unwrap();
    assert!(text.contains(&encl::json::to_b64(&holder)));
    assert!(text.contains(&encl::json::to_b64(&commit)));
    assert!(example.0.is_empty(), "not computed: {:?}", example.0.keys());
    println!("{values} values of the gate lock");
    assert_eq!(values, 27);
}

fn secret_of(bytes: &[u8]) -> Secret<32> {
    Secret::from_slice(bytes).unwrap()
}

fn private_key(bytes: &[u8]) -> PrivateKey {
    PrivateKey::new(Kem::X25519, secret_of(bytes))
}

/// Bob's pass: found among the entries, taken off its mask, and verified.
fn passes(example: &mut Example, access: &str, h: &[u8], ticket: &[u8]) {
    let bob = RootId(array(&example.given("bob_id")));
    let info = [b"encl/1 gate mask\0", &bob.0[..]].concat();
    let mask = example.is("E_bob", &expand_80(h, &info));
    let (_, passes) = access.split_once("\"passes\":[").unwrap();
    let passes = passes.strip_suffix("]}").unwrap().split(',');
    let passes: Vec<_> = passes
        .map(|entry| decoded(entry.trim_matches('"')))
        .collect();
    assert_eq!(passes.len(), 3, "two are decoys");
    assert!(passes.is_sorted());
    let mut found = passes.iter().filter(|entry| entry[..16] == mask[..16]);
    let entry = example.is("entry_bob", found.next().unwrap());
    let pass: Vec<u8> = entry[16..]
        .iter()
        .zip(&mask[16..])
        .map(|(a, b)| a ^ b)
        .collect();
    let pass = Signature(array(&example.is("pass_bob", &pass)));
    let message = [b"encl/1 gate pass\0", ticket, &bob.0].concat();
    let message = example.is("pass_message", &message);
    let members = RootId(array(&example.given("members")));
    members.verify_unlabelled(&message, &pass).unwrap();
    let parts: [&[u8]; 2] = [ticket, &bob.0];
    members.verify(Purpose::GatePass, &parts, &pass).unwrap();
}

/// How Ann stands in `owners`, and how she would in a private envelope.
fn owners(example: &mut Example, terms: &[u8], commit: &[u8]) {
    let seed = example.given("ann_seed");
    let ann = SigningKey::new(secret_of(&seed)).id();
    example.is("ann_id", &ann.0);
    let label = b"encl/1 gate owner\0".as_slice();
    let owner = example.is("owner", &sha256(&[label, &[0; 32], &ann.0]));
    let text = std::str::from_utf8(terms).unwrap();
    let list = format!("\"owners\":[\"{}\"]", encl::json::to_b64(&owner));
    assert!(text.contains(&list));
    let info = [b"encl/1 gate blind\0", commit].concat();
    let blind = example.is("private_blind", &expand(&seed, &info));
    example.is("private_owner", &sha256(&[label, &blind, &ann.0]));
    let ours = kdf::gate::owner_blind(&secret_of(&seed), &array(commit));
    assert_eq!(ours, *blind);
}
