//! The admission of the reader, which is an answer and never an error.

use encl::crypto::Kem;

use super::case::Case;
use super::edits::{changed, edited, member};
use super::forge::{Forge, Lock, Wish};
use super::people::{ANN, BOB, CAROL, DAVE, EVE, Person};

const HELLO: &[u8] = b"hello, encl\n";

/// A case that Dave opens.
fn case(name: &str, comment: &str, admission: &'static str, bytes: Vec<u8>) -> Case {
    Case::envelope(&format!("admission_{name}"), comment, bytes)
        .opens_to(HELLO, admission)
        .by(&["dave"])
}

/// An envelope for Bob, signed by Ann.
fn forge() -> Forge {
    Wish::of(&[&BOB]).signed(&ANN).forge("admission")
}

/// The envelope with these slots after Bob's.
fn with(forge: &Forge, more: &[String]) -> Vec<u8> {
    forge.with_slots(&[forge.slots(), more.to_vec()].concat(), HELLO)
}

pub(super) fn cases() -> Vec<Case> {
    let forge = forge();
    let secret = &forge.parts[0][0].clone();
    let by = |to: &Person, by: &Person| forge.granted(0, to, secret, by);
    let of_dave = by(&DAVE, &BOB);
    let sig = member(&of_dave, "sig");
    let edit =
        |from: &str, to: &str| String::from_utf8(edited(of_dave.as_bytes(), from, to)).unwrap();
    let mut cases = vec![
        case(
            "granted_by_recipient",
            "Bob let Dave in",
            "granted",
            with(&forge, std::slice::from_ref(&of_dave)),
        ),
        case(
            "granted_by_signer",
            "Ann, who signed, let Dave in",
            "granted",
            with(&forge, &[by(&DAVE, &ANN)]),
        ),
        case(
            "granted_over_two",
            "Bob let Eve in, and Eve Dave",
            "granted",
            with(&forge, &[by(&DAVE, &EVE), by(&EVE, &BOB)]),
        ),
        case(
            "granted_over_x_wing",
            "Bob let Carol in, and Carol Dave",
            "granted",
            with(&forge, &[by(&CAROL, &BOB), by(&DAVE, &CAROL)]),
        ),
        case(
            "without_grant",
            "a slot and no record",
            "unrecorded",
            with(&forge, &[forge.slot(0, &DAVE, secret, "")]),
        ),
        case(
            "by_a_stranger",
            "Eve let Dave in, and nobody Eve",
            "unrecorded",
            with(&forge, &[by(&DAVE, &EVE)]),
        ),
        case(
            "by_oneself",
            "Dave let Dave in",
            "unrecorded",
            with(&forge, &[by(&DAVE, &DAVE)]),
        ),
        case(
            "in_a_circle",
            "Eve let Dave in, and Dave Eve",
            "unrecorded",
            with(&forge, &[by(&DAVE, &EVE), by(&EVE, &DAVE)]),
        ),
        case(
            "signature_changed",
            "the grant's signature does not hold",
            "unrecorded",
            with(&forge, &[of_dave.replace(&sig, &changed(&sig))]),
        ),
        case(
            "name_changed",
            "the name is not what was signed",
            "unrecorded",
            with(&forge, &[edit("\"Dave\"", "\"Boss\"")]),
        ),
        case(
            "time_changed",
            "the time is not what was signed",
            "unrecorded",
            with(&forge, &[edit("2026-11-24T", "2026-11-23T")]),
        ),
        case(
            "address_removed",
            "the address is gone",
            "unrecorded",
            with(&forge, &[edit("\"address\":\"dave@example.org\",", "")]),
        ),
        case(
            "escapes_in_a_grant",
            "texts are signed after unescaping",
            "granted",
            with(&forge, &[edit("\"Dave\"", "\"D\\u0061ve\"")]),
        ),
        case(
            "of_another_envelope",
            "a grant that is good under another P",
            "unrecorded",
            {
                let other = Wish::of(&[&BOB])
                    .signed(&ANN)
                    .saying("\"labels\":{\"a\":\"b\"},")
                    .forge("admission");
                let grant = other.granted(0, &DAVE, secret, &BOB);
                with(&forge, &[of_dave.replace(&sig, &member(&grant, "sig"))])
            },
        ),
        case(
            "broken_in_the_middle",
            "the second of two grants does not hold",
            "unrecorded",
            {
                let of_eve = by(&EVE, &BOB);
                let sig = member(&of_eve, "sig");
                with(
                    &forge,
                    &[by(&DAVE, &EVE), of_eve.replace(&sig, &changed(&sig))],
                )
            },
        ),
        case(
            "path_of_16",
            "sixteen grants lead to Bob",
            "granted",
            path(16),
        ),
        case(
            "path_of_17",
            "seventeen are too many",
            "unrecorded",
            path(17),
        ),
    ];
    cases.extend(several_locks());
    cases
}

/// A chain of `length` grants: the first is by Bob, and the last is for Dave.
fn path(length: usize) -> Vec<u8> {
    let forge = forge();
    let between: Vec<_> = (1..length)
        .map(|number| Person::new(&format!("Reader {number}"), &[Kem::X25519]))
        .collect();
    let all: Vec<&Person> = [&*BOB]
        .into_iter()
        .chain(&between)
        .chain([&*DAVE])
        .collect();
    let slots: Vec<_> = all
        .windows(2)
        .map(|pair| forge.granted(0, pair[1], &forge.parts[0][0], pair[0]))
        .collect();
    with(&forge, &slots)
}

fn several_locks() -> Vec<Case> {
    let two = Wish::locks(&[Lock::of(1, &[&DAVE]), Lock::of(1, &[&BOB])]).forge("admission of two");
    let into_second = two.granted(1, &DAVE, &two.parts[1][0], &BOB);
    let unrecorded = two.slot(1, &DAVE, &two.parts[1][0], "");
    let elsewhere =
        Wish::locks(&[Lock::of(1, &[&EVE]), Lock::of(1, &[&DAVE])]).forge("admission elsewhere");
    let in_first = elsewhere.slot(0, &DAVE, &elsewhere.parts[0][0], "");
    let quorum = Wish::locks(&[Lock::of(2, &[&ANN, &BOB])]).forge("admission to a quorum");
    let share = quorum.granted(0, &DAVE, &quorum.parts[0][1], &BOB);
    let unrecorded_share = quorum.slot(0, &DAVE, &quorum.parts[0][1], "");
    let private = Wish::of(&[&BOB]).private().forge("private admission");
    let words = Wish::locks(&[Lock::of(1, &[&BOB]).or("words")]).forge("admission by words");
    vec![
        case(
            "worst_of_named_and_granted",
            "named in one lock, let into the other",
            "granted",
            with(&two, &[into_second]),
        ),
        case(
            "worst_of_named_and_unrecorded",
            "named in one lock, no record in the other",
            "unrecorded",
            with(&two, &[unrecorded]),
        ),
        case(
            "named_in_another_lock",
            "named in the second lock, which does not count for the first",
            "unrecorded",
            with(&elsewhere, &[in_first]),
        ),
        case(
            "granted_share",
            "Bob passed his share on to Dave",
            "granted",
            with(&quorum, &[share]),
        )
        .by(&["ann", "dave"]),
        case(
            "unrecorded_share",
            "Bob's share in Dave's slot, without a record",
            "unrecorded",
            with(&quorum, &[unrecorded_share]),
        )
        .by(&["ann", "dave"]),
        case(
            "private_unrecorded",
            "private, and the private line does not name Dave",
            "unrecorded",
            with(
                &private,
                &[private.slot(0, &DAVE, &private.parts[0][0], "")],
            ),
        ),
        case(
            "by_passphrase",
            "who knows the passphrase was named",
            "named",
            words.honest(HELLO),
        )
        .by(&["dave"])
        .with_passphrase("words"),
    ]
}
