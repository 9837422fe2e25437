//! Steps 4 and 5: whether a reader has keys, and which slots open.

use encl::json::to_b64;

use super::case::Case;
use super::edits::{Parts, changed, decoded, edited, flipped, member};
use super::forge::{Lock, Wish, plain};
use super::people::{ANN, BOB, CAROL, DAVE, EVE, Person};

const HELLO: &[u8] = b"hello, encl\n";

pub(super) fn cases() -> Vec<Case> {
    [hopeless(), broken_slots(), other_slots(), private()]
        .into_iter()
        .flatten()
        .collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

/// Step 4.
fn hopeless() -> Vec<Case> {
    let good = plain().honest(HELLO);
    let both = Wish::of(&[&ANN, &BOB]).forge("removed");
    let two = || Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[&CAROL])]);
    let beside = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[]).or("words")]);
    let slot = &two().forge("two").slots()[1];
    let broken = two().forge("two").slots()[0].replace(
        &member(&two().forge("two").slots()[0], "ct"),
        &to_b64(&[7; 48]),
    );
    vec![
        refused(
            "not_named",
            "no-key",
            "Eve is not among the recipients",
            good.clone(),
        )
        .by(&["eve"]),
        refused(
            "no_identity",
            "no-key",
            "the reader has no key at all",
            good.clone(),
        )
        .by(&[]),
        refused(
            "slot_removed",
            "no-key",
            "Bob is named, his slot is gone, and line 4 is right",
            both.with_slots(&both.slots()[..1], HELLO),
        ),
        refused(
            "no_slot_at_all",
            "no-key",
            "an empty list of slots",
            both.with_slots(&[], HELLO),
        ),
        refused(
            "passphrase_of_no_use",
            "no-key",
            "no lock has a passphrase",
            good,
        )
        .by(&["eve"])
        .with_passphrase("words"),
        refused(
            "one_lock_of_two",
            "quorum",
            "the second lock is for Carol",
            two().forge("two").honest(HELLO),
        ),
        refused(
            "one_lock_of_two_before_slots",
            "quorum",
            "Bob's slot is broken, but hope is judged first",
            two()
                .forge("two")
                .with_slots(&[broken, slot.clone()], HELLO),
        ),
        refused(
            "passphrase_for_one_of_two",
            "quorum",
            "the passphrase opens the second lock only, and is not tried",
            beside.forge("beside").honest(HELLO),
        )
        .by(&["eve"])
        .with_passphrase("wrong"),
    ]
}

/// Step 5: the reader's slot must open.
fn broken_slots() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, wish, reader) in [
        ("slot", Wish::of(&[&BOB]), "bob"),
        ("slot_x_wing", Wish::of(&[&CAROL]), "carol"),
    ] {
        let forge = wish.forge("broken slots");
        let slot = &forge.slots()[0];
        let [enc, ct] = ["enc", "ct"].map(|name| member(slot, name));
        let mut add = |what: &str, comment: &str, slot: String| {
            let bytes = forge.with_slots(&[slot], HELLO);
            cases.push(refused(&format!("{name}_{what}"), "slot", comment, bytes).by(&[reader]));
        };
        add(
            "enc_changed",
            "a byte of enc is another",
            slot.replace(&enc, &changed(&enc)),
        );
        add(
            "ct_changed",
            "a byte of ct is another",
            slot.replace(&ct, &changed(&ct)),
        );
        let raw = decoded(&ct);
        add(
            "tag_changed",
            "the last bit of the tag is another",
            slot.replace(&ct, &to_b64(&flipped(&raw, 47))),
        );
        let length = if reader == "bob" { 1_120 } else { 32 };
        add(
            "enc_of_the_other_kem",
            "enc has the length of the other KEM",
            slot.replace(&enc, &to_b64(&vec![9; length])),
        );
        let mut enc = decoded(&enc);
        let end = enc.len();
        enc[end - 32..].fill(0);
        add(
            "enc_all_zero",
            "the ephemeral X25519 key is of low order",
            slot.replace(&member(slot, "enc"), &to_b64(&enc)),
        );
        add(
            "other_secret",
            "it opens to a secret that commit is not of",
            forge.slot(0, person(reader), &[7; 32], ""),
        );
    }
    cases
}

fn person(file: &str) -> &'static Person {
    if file == "bob" { &BOB } else { &CAROL }
}

/// Slots that are valid in another place, and policies that were changed after sealing.
fn other_slots() -> Vec<Case> {
    let forge = plain();
    let good = Parts::of(&forge.honest(HELLO));
    let elsewhere = Wish::of(&[&BOB])
        .saying("\"labels\":{\"a\":\"b\"},")
        .forge("plain");
    let moved = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[&BOB])]).forge("moved");
    let swapped: Vec<_> = (0..2)
        .map(|lock: u16| {
            moved.slots()[usize::from(1 - lock)].replace(
                &format!("\"lock\":{}", 1 - lock),
                &format!("\"lock\":{lock}"),
            )
        })
        .collect();
    let for_eve = forge
        .slot(0, &EVE, &forge.parts[0][0], "")
        .replace(&EVE.key(), &BOB.key());
    let edit = |from: &str, to: &str| good.with_policy(edited(&good.policy, from, to));
    let signed = Wish::of(&[&BOB]).signed(&ANN).forge("stripped");
    let stripped = Parts::of(&signed.honest(HELLO));
    let signer = format!(r#""signer":"{}","#, ANN.id());
    let unsigned = edited(
        &edited(&stripped.policy, &signer, ""),
        "\"signed\":true",
        "\"signed\":false",
    );
    let other_signer = edited(&stripped.policy, ANN.id(), EVE.id());
    let commit = member(&forge.policy, "commit");
    vec![
        refused(
            "slot_of_another_envelope",
            "slot",
            "same secret, another policy: info holds P",
            forge.with_slots(&elsewhere.slots(), HELLO),
        ),
        refused(
            "slots_of_two_locks_swapped",
            "slot",
            "info holds the lock's number",
            moved.with_slots(&swapped, HELLO),
        ),
        refused(
            "slot_sealed_to_another_key",
            "slot",
            "under Bob's key id, sealed to Eve",
            forge.with_slots(&[for_eve], HELLO),
        ),
        refused(
            "second_key_is_not_tried",
            "slot",
            "Bob's slot does not open, Eve's would; Bob comes first",
            {
                let both = Wish::of(&[&BOB, &EVE]).forge("not tried");
                let slots = both.slots();
                let broken = slots[0].replace(&member(&slots[0], "ct"), &to_b64(&[7; 48]));
                both.with_slots(&[broken, slots[1].clone()], HELLO)
            },
        )
        .by(&["bob", "eve"]),
        refused(
            "policy_name_changed",
            "slot",
            "Bob is called Rob now: another P",
            edit("\"Bob\"", "\"Rob\""),
        ),
        refused(
            "policy_space_added",
            "slot",
            "a space that changes no member",
            edit(",", ", "),
        ),
        refused(
            "policy_date_removed",
            "slot",
            "created is gone",
            edit("\"created\":\"2026-11-24T06:24:00Z\",", ""),
        ),
        refused(
            "policy_commit_changed",
            "slot",
            "another commit: another P too",
            edit(&commit, &changed(&commit)),
        ),
        refused(
            "signature_stripped_from_policy",
            "slot",
            "not signed any more, as the policy says now",
            stripped.with_policy(unsigned),
        ),
        refused(
            "signer_replaced_in_policy",
            "slot",
            "signed by Eve, as the policy says now",
            stripped.with_policy(other_signer),
        ),
        refused(
            "commit_of_another_secret",
            "slot",
            "the author's fault: the slot opens, commit is not its hash",
            {
                let mut other = plain();
                other.policy = other.policy.replace(&commit, &to_b64(&[7; 32]));
                other.honest(HELLO)
            },
        ),
    ]
}

fn private() -> Vec<Case> {
    let make = |people: &[&'static Person]| Wish::of(people).private().forge("private unlocking");
    let two = Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[&DAVE])])
        .private()
        .forge("private two");
    let forge = make(&[&BOB]);
    let slot = &forge.slots()[0];
    let broken = slot.replace(&member(slot, "ct"), &to_b64(&[7; 48]));
    let other = forge.slot(0, &BOB, &[7; 32], "");
    vec![
        refused(
            "private_not_for_me",
            "no-key",
            "every slot was tried",
            make(&[&DAVE]).honest(HELLO),
        ),
        refused(
            "private_other_kem_only",
            "no-key",
            "no slot has an enc of the reader's length",
            make(&[&CAROL]).honest(HELLO),
        ),
        refused(
            "private_slot_broken",
            "no-key",
            "a slot that does not open is no error, and no other one does",
            forge.with_slots(&[broken], HELLO),
        ),
        refused(
            "private_one_lock_of_two",
            "quorum",
            "slots in both locks fit, one opens",
            two.honest(HELLO),
        ),
        refused(
            "private_other_secret",
            "slot",
            "the first slot that opens counts, and holds another secret",
            forge.with_slots(&[other, slot.clone()], HELLO),
        ),
    ]
}
