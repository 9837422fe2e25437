//! Steps 8, 9 and 11: chunks and padding.

use super::case::Case;
use super::edits::{Parts, content, flipped};
use super::forge::{Wish, plain};
use super::people::{ANN, BOB};

const HELLO: &[u8] = b"hello, encl\n";
/// Salt and commitment.
const FRONT: usize = 56;
const SEALED_CHUNK: usize = 16_400;
/// Bytes of content in chunk 0, after the private line `{}` and its line feed.
const IN_CHUNK_0: usize = 16_381;

pub(super) fn cases() -> Vec<Case> {
    [front(), chunks(), ends(), padding()]
        .into_iter()
        .flatten()
        .collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

fn front() -> Vec<Case> {
    let forge = plain();
    let parts = Parts::of(&forge.honest(HELLO));
    let other_secret = Wish::of(&[&BOB]).forge("another secret");
    let same_secret = Wish::of(&[&BOB])
        .saying("\"labels\":{\"a\":\"b\"},")
        .forge("plain");
    let damaged = |name: &str, comment: &str, payload: &[u8]| {
        refused(name, "damaged", comment, parts.with_payload(payload))
    };
    let again = forge.payload(&forge.message(&forge.data(b"hello again\n")));
    vec![
        damaged(
            "salt_changed",
            "a bit of the salt is another",
            &flipped(&parts.payload, 0),
        ),
        damaged(
            "commitment_changed",
            "a bit of the commitment is another",
            &flipped(&parts.payload, 24),
        ),
        damaged(
            "commitment_cut_short",
            "the last byte of the commitment is another",
            &flipped(&parts.payload, 55),
        ),
        damaged(
            "payload_under_another_key",
            "sealed under the payload key of another envelope",
            &other_secret.payload(&forge.message(&forge.data(HELLO))),
        ),
        damaged(
            "payload_of_another_policy",
            "same secret, another P",
            &Parts::of(&same_secret.honest(HELLO)).payload,
        ),
        damaged(
            "chunks_under_another_salt",
            "salt and commitment are right, the chunks were sealed under another salt",
            &[&parts.payload[..FRONT], &again[FRONT..]].concat(),
        ),
    ]
}

/// Three chunks: two full ones and a short one.
fn chunks() -> Vec<Case> {
    let content = content(32_800);
    let parts = Parts::of(&plain().honest(&content));
    let (front, chunks) = parts.payload.split_at(FRONT);
    let [a, b, c] =
        [0, 1, 2].map(|at| &chunks[at * SEALED_CHUNK..chunks.len().min((at + 1) * SEALED_CHUNK)]);
    let case = |name: &str, comment: &str, order: &[&[u8]], released: usize| {
        let bytes = parts.with_payload(&[front, &order.concat()].concat());
        Case::envelope(name, comment, bytes).refused_after("damaged", &content[..released])
    };
    let two = Parts::of(&plain().honest(&content[..16_500]));
    let of_two = |name: &str, comment: &str, payload: &[u8]| {
        refused(name, "damaged", comment, two.with_payload(payload))
    };
    let without_byte = [&two.payload[..FRONT], &two.payload[FRONT + 1..]].concat();
    vec![
        of_two(
            "chunk_0_changed",
            "a bit of its ciphertext is another",
            &flipped(&two.payload, FRONT + 9),
        ),
        of_two(
            "chunk_0_tag_changed",
            "the last bit of its tag is another",
            &flipped(&two.payload, FRONT + SEALED_CHUNK - 1),
        ),
        of_two(
            "byte_removed_in_chunk_0",
            "everything behind it moved",
            &without_byte,
        ),
        case(
            "chunk_1_changed",
            "a bit of its ciphertext is another",
            &[a, &flipped(b, 9), c],
            IN_CHUNK_0,
        ),
        case(
            "last_chunk_changed",
            "a bit of its ciphertext is another",
            &[a, b, &flipped(c, 9)],
            IN_CHUNK_0 + 16_384,
        ),
        case(
            "chunks_swapped",
            "chunk 1 stands before chunk 0",
            &[b, a, c],
            0,
        ),
        case("chunk_removed", "chunk 1 is not there", &[a, c], IN_CHUNK_0),
        case("first_chunk_removed", "chunk 0 is not there", &[b, c], 0),
        case(
            "chunk_twice",
            "chunk 0 stands twice",
            &[a, a, c],
            IN_CHUNK_0,
        ),
    ]
}

/// The end of a payload: missing, repeated and additional data.
fn ends() -> Vec<Case> {
    let short = Parts::of(&plain().honest(HELLO));
    let full_content = content(16_381);
    let full = Parts::of(&plain().honest(&full_content));
    let (with_end, end) = full.payload.split_at(FRONT + SEALED_CHUNK);
    let long = content(16_500);
    let long_parts = Parts::of(&plain().honest(&long));
    let damaged =
        |name: &str, comment: &str, bytes: Vec<u8>| refused(name, "damaged", comment, bytes);
    let behind = |tail: &[u8]| short.with_payload(&[&short.payload[..], tail].concat());
    vec![
        damaged(
            "last_chunk_cut",
            "a byte is missing at the very end",
            short.with_payload(&short.payload[..short.payload.len() - 1]),
        ),
        damaged(
            "last_tag_changed",
            "the last bit of the file is another",
            short.with_payload(&flipped(&short.payload, short.payload.len() - 1)),
        ),
        damaged(
            "byte_behind_the_end",
            "a zero byte behind the last chunk",
            behind(b"\0"),
        ),
        damaged(
            "line_feed_behind_the_end",
            "a line feed behind the last chunk",
            behind(b"\n"),
        ),
        damaged(
            "chunk_behind_the_end",
            "the last chunk stands twice",
            behind(&short.payload[FRONT..]),
        ),
        damaged(
            "envelope_behind_the_end",
            "a whole envelope stands behind it",
            behind(&plain().honest(HELLO)),
        ),
        refused(
            "empty_last_chunk_missing",
            "truncated",
            "a full chunk ends the file",
            full.with_payload(with_end),
        )
        .refused_after("truncated", &full_content),
        refused(
            "empty_last_chunk_changed",
            "damaged",
            "a bit of the tag of the empty chunk is another",
            full.with_payload(&[with_end, &flipped(end, 15)].concat()),
        )
        .refused_after("damaged", &full_content),
        refused(
            "empty_last_chunk_followed",
            "damaged",
            "a byte behind the empty chunk",
            full.with_payload(&[with_end, end, b"\0"].concat()),
        )
        .refused_after("damaged", &full_content),
        refused(
            "last_chunk_cut_in_the_middle",
            "damaged",
            "chunk 1 ends too early",
            long_parts.with_payload(&long_parts.payload[..FRONT + SEALED_CHUNK + 100]),
        )
        .refused_after("damaged", &long[..IN_CHUNK_0]),
    ]
}

/// D and any pad, under a policy with padding `padme`.
fn padding() -> Vec<Case> {
    let unsigned = Wish::of(&[&BOB]).padded().forge("padding");
    let signed = Wish::of(&[&BOB])
        .padded()
        .signed(&ANN)
        .forge("padding signed");
    let data = unsigned.data(&content(1_000));
    let honest = unsigned.message(&data);
    let with = |name: &str, comment: &str, message: &[u8], released: &[u8]| {
        Case::envelope(name, comment, unsigned.with_message(message))
            .refused_after("damaged", released)
    };
    let content = &data[3..];
    let zeros = honest.len() - data.len() - 1;
    assert!(zeros > 2);
    let mut not_zero = honest.clone();
    *not_zero.last_mut().unwrap() = 1;
    let pad_in_signed = {
        let data = signed.data(HELLO);
        let signature = signed.signature(&ANN, &data);
        signed.with_message(&[&data[..], b"\x80\0\0\0", &signature].concat())
    };
    vec![
        with(
            "padding_missing",
            "neither marker nor zeros",
            &data,
            content,
        ),
        with(
            "padding_without_marker",
            "zeros alone: they are content",
            &[&data[..], &vec![0; zeros + 1]].concat(),
            &[content, &vec![0; zeros + 1]].concat(),
        ),
        with(
            "padding_zero_too_few",
            "the last zero is missing",
            &honest[..honest.len() - 1],
            content,
        ),
        with(
            "padding_zero_too_many",
            "a zero more than is due",
            &[&honest[..], b"\0"].concat(),
            content,
        ),
        with(
            "padding_marker_alone",
            "no zeros where some are due",
            &honest[..=data.len()],
            content,
        ),
        with(
            "padding_not_zero",
            "its last byte is 1: all of it is content, and no marker is left",
            &not_zero,
            &not_zero[3..],
        ),
        with(
            "padding_marker_twice",
            "0x80 twice: the first is content, and the zeros are one too few",
            &[&data[..], &[0x80], &honest[data.len()..honest.len() - 2]].concat(),
            &[content, &[0x80]].concat(),
        ),
        with("padding_of_nothing", "M is empty", b"", b""),
        Case::envelope(
            "padding_of_another_length_signed",
            "the signature holds, the number of zeros is not the one due",
            pad_in_signed,
        )
        .refused_after("damaged", HELLO),
    ]
}
