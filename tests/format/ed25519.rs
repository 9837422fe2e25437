//! Signatures that other verifiers accept and that our verifier must refuse.

use encl::crypto::signing::SigningKey;
use encl::envelope::Class;
use encl::json::to_b64;

use crate::kit::{Forge, Keys, Person, open, opens, rng, signature};

/// The group order L of RFC 8032 §5.1, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The encodings of small order that FORMAT.md lists, with and without the sign bit.
fn small_order() -> Vec<[u8; 32]> {
    let listed = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    let points = listed.map(|point| <[u8; 32]>::try_from(hex::decode(point).unwrap()).unwrap());
    points
        .into_iter()
        .flat_map(|point| {
            let mut signed = point;
            signed[31] |= 0x80;
            [point, signed]
        })
        .collect()
}

fn forge(bob: &Person, signer: &[u8; 32]) -> Forge {
    let mut forge = Forge::new(&[bob], &format!(r#""signer":"{}","#, to_b64(signer)));
    forge.policy = forge.policy.replace("\"signed\":false", "\"signed\":true");
    forge
}

const DATA: &[u8] = b"{}\ncontent";

#[track_caller]
fn refused(forge: &Forge, bob: &Person, signature: &[u8; 64], what: &str) {
    let envelope = forge.envelope(&forge.slots(&[bob]), &[DATA, signature].concat());
    assert_eq!(
        open(&envelope, &mut Keys::of(&[bob])).class,
        Some(Class::Signature),
        "{what}"
    );
}

#[test]
fn keys_and_points_of_small_order() {
    let bob = Person::classic("Bob");
    let author = SigningKey::generate(&mut rng());
    for point in small_order() {
        // With S = 0 and R = A, both of small order, cofactored and lax verifiers accept every message.
        let forge_weak = forge(&bob, &point);
        let mut weak = [0; 64];
        weak[..32].copy_from_slice(&point);
        refused(&forge_weak, &bob, &weak, "A and R of small order");
        let forge_honest = forge(&bob, &author.id().0);
        let mut signed = signature(&author, &forge_honest.p(), DATA);
        signed[..32].copy_from_slice(&point);
        refused(&forge_honest, &bob, &signed, "R of small order");
    }
}

#[test]
fn a_scalar_that_is_not_reduced() {
    let bob = Person::classic("Bob");
    let author = SigningKey::generate(&mut rng());
    let forge = forge(&bob, &author.id().0);
    let honest = signature(&author, &forge.p(), DATA);
    let envelope = forge.envelope(&forge.slots(&[&bob]), &[DATA, &honest].concat());
    opens(&envelope, &mut Keys::of(&[&bob]), b"content", "honest");
    let mut malleable = honest;
    let mut carry = 0;
    for (byte, order) in malleable[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    refused(&forge, &bob, &malleable, "S + L");
}

#[test]
fn a_key_that_is_not_canonical() {
    let bob = Person::classic("Bob");
    // y = p + 3 and p + 4 encode the points of y = 3 and y = 4 a second time; neither has small order.
    for extra in [3_u8, 4, 9] {
        let mut key = [0xff; 32];
        key[0] = 0xed + extra;
        key[31] = 0x7f;
        let forge = forge(&bob, &key);
        let author = SigningKey::generate(&mut rng());
        refused(
            &forge,
            &bob,
            &signature(&author, &forge.p(), DATA),
            "not canonical",
        );
    }
}
