//! X25519 (Wycheproof), through the whole of opening: a message sealed under the vector's shared secret has to open,
//! and one under the all-zero secret is refused.

use encl::crypto::{Kem, KemError, PrivateKey, PublicKey, hpke};
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

fn open(test: &Test) -> Result<Vec<u8>, KemError> {
    let reader = PrivateKey::new(Kem::X25519, secret(&test.private_key));
    let public = reader.public_key();
    let shared = reference::dhkem(&test.shared_secret, &test.public_key, public.as_bytes());
    let (key, nonce) = reference::key_schedule(Kem::X25519, &shared, b"info");
    let ct = reference::seal(&key, &nonce, b"sealed");
    hpke::open(&reader, &test.public_key, b"info", &ct).map(|opened| opened.to_vec())
}
