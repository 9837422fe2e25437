//! Step 12, and the length of M in step 11.

use encl::crypto::signing::Purpose;
use encl::json::to_b64;

use super::case::Case;
use super::edits::{Parts, content, flipped};
use super::forge::{Forge, Lock, Wish, access};
use super::people::{ANN, BOB, EVE, Person};

const HELLO: &[u8] = b"hello, encl\n";

pub(super) fn cases() -> Vec<Case> {
    [signatures(), signature_forms()]
        .into_iter()
        .flatten()
        .collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

fn signed() -> Forge {
    Wish::of(&[&BOB]).signed(&ANN).forge("signatures")
}

/// An envelope with any signature. All content is released before the signature is checked.
fn with_signature(name: &str, comment: &str, signature: &[u8]) -> Case {
    let forge = signed();
    let bytes = forge.with_message(&[&forge.data(HELLO)[..], signature].concat());
    Case::envelope(name, comment, bytes).refused_after("signature", HELLO)
}

fn signatures() -> Vec<Case> {
    let forge = signed();
    let data = forge.data(HELLO);
    let honest = forge.signature(&ANN, &data);
    let other = Wish::of(&[&BOB])
        .signed(&ANN)
        .saying("\"labels\":{\"a\":\"b\"},")
        .forge("signatures");
    let long = content(16_500);
    let mut long_message = forge.message(&forge.data(&long));
    long_message[16_400] ^= 1;
    let mut released = long.clone();
    released[16_400 - 3] ^= 1;
    let private = Wish::of(&[&BOB])
        .private()
        .signed(&ANN)
        .forge("private signatures");
    let private_data = private.data(HELLO);
    let padded = Wish::of(&[&BOB])
        .padded()
        .signed(&ANN)
        .forge("padded signatures");
    let padded_data = padded.data(HELLO);
    let mut pad = padded.message(&padded_data);
    let tail = pad.split_off(pad.len() - 64);
    let over_pad = padded.signature(&ANN, &pad);
    assert_eq!(tail.len(), 64);
    vec![
        with_signature(
            "signature_changed",
            "a bit of R is another",
            &flipped(&honest, 0),
        ),
        with_signature(
            "signature_s_changed",
            "a bit of S is another",
            &flipped(&honest, 32),
        ),
        with_signature(
            "signature_by_another_key",
            "Eve signed, the policy names Ann",
            &forge.signature(&EVE, &data),
        ),
        with_signature(
            "signature_of_other_content",
            "good for other content",
            &forge.signature(&ANN, &forge.data(b"other\n")),
        ),
        with_signature(
            "signature_of_another_policy",
            "good for another P: the recipients are covered",
            &other.signature(&ANN, &data),
        ),
        with_signature(
            "signature_without_private_line",
            "good for the content alone",
            &forge.signature(&ANN, HELLO),
        ),
        with_signature(
            "signature_of_a_card",
            "under the label of cards",
            &labelled(&ANN, &data),
        ),
        with_signature("signature_of_zeros", "64 zero bytes", &[0; 64]),
        Case::envelope(
            "signature_missing",
            "the last 64 bytes of content stand in its place",
            forge.with_message(&forge.data(&content(100))),
        )
        .refused_after("signature", &content(100)[..36]),
        Case::envelope(
            "signature_of_other_blocks",
            "a byte of block 1 is another than was signed",
            forge.with_message(&long_message),
        )
        .refused_after("signature", &released),
        Case::envelope(
            "signature_private_by_another_key",
            "private, signed by Eve, the private line names Ann",
            private.with_message(
                &[&private_data[..], &private.signature(&EVE, &private_data)].concat(),
            ),
        )
        .refused_after("signature", HELLO),
        Case::envelope(
            "signature_over_padding",
            "signed with the padding, which D has not",
            padded.with_message(&[&pad[..], &over_pad].concat()),
        )
        .refused_after("signature", HELLO),
        refused(
            "shorter_than_a_signature",
            "damaged",
            "M has 63 bytes, and signed is true",
            forge.with_message(&[&forge.data(b"")[..], &[7; 60]].concat()),
        ),
        refused(
            "nothing_but_a_signature",
            "malformed",
            "M has 64 bytes: D is empty and has no line feed",
            forge.with_message(&forge.signature(&ANN, b"")),
        ),
    ]
}

fn labelled(signer: &Person, data: &[u8]) -> [u8; 64] {
    signer.root.sign(Purpose::Card, &[data]).0
}

/// Forms of keys and signatures that a lenient library accepts.
fn signature_forms() -> Vec<Case> {
    let forge = signed();
    let honest = forge.signature(&ANN, &forge.data(HELLO));
    let signer = |name: &str, comment: &str, key: [u8; 32], signature: [u8; 64]| {
        let mut forge = signed();
        forge.policy = forge.policy.replace(&ANN.id(), &to_b64(&key));
        let bytes = forge.with_message(&[&forge.data(HELLO)[..], &signature].concat());
        Case::envelope(name, comment, bytes).refused_after("signature", HELLO)
    };
    let mut neutral = [0; 32];
    neutral[0] = 1;
    // R is the neutral point and S is 0: valid for every message under the neutral point as a key, if that key is accepted.
    let mut of_neutral = [0; 64];
    of_neutral[0] = 1;
    let mut not_below_p = [0xff; 32];
    not_below_p[0] = 0xee;
    not_below_p[31] = 0x7f;
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    vec![
        with_signature(
            "signature_s_not_below_the_order",
            "S + L: the same number modulo the group order",
            &plus_order(honest),
        ),
        with_signature(
            "signature_r_of_small_order",
            "R is the neutral point",
            &[&neutral[..], &honest[32..]].concat(),
        ),
        signer(
            "signer_of_small_order",
            "the policy's key is the neutral point, under which anything can be signed",
            neutral,
            of_neutral,
        ),
        signer(
            "signer_not_canonical",
            "the neutral point with y = p + 1",
            not_below_p,
            of_neutral,
        ),
        signer(
            "signer_not_a_point",
            "no x belongs to the key's y = 2",
            off_curve,
            honest,
        ),
        Case::envelope(
            "signer_not_looked_at_before",
            "the signer is no point, but the payload is damaged first",
            {
                let mut forge = signed();
                forge.policy = forge.policy.replace(&ANN.id(), &to_b64(&off_curve));
                let parts = Parts::of(&forge.honest(HELLO));
                parts.with_payload(&flipped(&parts.payload, 60))
            },
        )
        .refused("damaged"),
        refused(
            "not_for_me_though_badly_signed",
            "quorum",
            "nothing of the payload is looked at",
            {
                let two = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[&EVE])])
                    .signed(&ANN)
                    .forge("two signed");
                two.envelope(&access(&two.slots()), b"")
            },
        ),
    ]
}

/// FORMAT.md, "Signature": L = 2^252 + 27742317777372353535851937790883648493.
fn plus_order(mut signature: [u8; 64]) -> [u8; 64] {
    let mut order = [0; 32];
    order[31] = 0x10;
    order[..16]
        .copy_from_slice(&27_742_317_777_372_353_535_851_937_790_883_648_493_u128.to_le_bytes());
    let mut carry = 0;
    for (s, l) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*s) + u16::from(l) + carry;
        *s = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    signature
}
