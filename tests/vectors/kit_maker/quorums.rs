//! Step 5: locks that several people open, and approvals.

use super::case::Case;
use super::forge::{Forge, Lock, Wish};
use super::people::{ANN, BOB, CAROL};

const HELLO: &[u8] = b"hello, encl\n";

/// An envelope for any two of Ann, Bob and Carol.
pub(super) fn quorum() -> Forge {
    Wish::locks(&[Lock::of(2, &[&ANN, &BOB, &CAROL])]).forge("quorum")
}

/// An envelope with a lock for Carol and a lock for Bob.
pub(super) fn two_locks() -> Forge {
    Wish::locks(&[Lock::of(1, &[&CAROL]), Lock::of(1, &[&BOB])]).forge("approved locks")
}

/// An envelope for Ann and Bob, without Bob's slot.
pub(super) fn without_slot() -> Forge {
    Wish::of(&[&ANN, &BOB]).forge("approved alone")
}

/// An envelope for Bob or a passphrase.
pub(super) fn or_words() -> Forge {
    Wish::locks(&[Lock::of(1, &[&BOB]).or("words")]).forge("approved or words")
}

/// A private envelope for Ann and Bob, without Bob's slot.
pub(super) fn private_alone() -> Forge {
    Wish::of(&[&ANN, &BOB])
        .private()
        .forge("private approved alone")
}

pub(super) fn private_quorum() -> Forge {
    Wish::locks(&[Lock::of(2, &[&ANN, &BOB])])
        .private()
        .forge("private quorum")
}

pub(super) fn cases() -> Vec<Case> {
    [
        together(),
        too_few(),
        wrong_shares(),
        by_approval(),
        wrong_approvals(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn opens(name: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).opens(HELLO)
}

fn refused(name: &str, class: &str, comment: &str, bytes: Vec<u8>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

fn together() -> Vec<Case> {
    let good = quorum().honest(HELLO);
    let three = Wish::locks(&[Lock::of(3, &[&ANN, &BOB, &CAROL])]).forge("three of three");
    let mixed =
        Wish::locks(&[Lock::of(1, &[&CAROL]), Lock::of(2, &[&ANN, &BOB])]).forge("quorum beside");
    vec![
        opens("quorum_shares_1_and_2", "two of three", good.clone()).by(&["ann", "bob"]),
        opens(
            "quorum_shares_3_and_1",
            "two of three, of both KEMs",
            good.clone(),
        )
        .by(&["carol", "ann"]),
        opens("quorum_all_three", "more than are needed", good).by(&["bob", "carol", "ann"]),
        opens("quorum_three_of_three", "all of them", three.honest(HELLO))
            .by(&["ann", "bob", "carol"]),
        opens(
            "quorum_private",
            "private, two of two",
            private_quorum().honest(HELLO),
        )
        .by(&["ann", "bob"]),
        opens(
            "quorum_beside_a_lock",
            "Carol, and two of two",
            mixed.honest(HELLO),
        )
        .by(&["ann", "bob", "carol"]),
        opens(
            "quorum_enough_before_a_broken_slot",
            "the third slot is broken and not needed",
            {
                let forge = quorum();
                let mut slots = forge.slots();
                slots[2] = forge.slot(0, &CAROL, &[7; 33], "");
                forge.with_slots(&slots, HELLO)
            },
        )
        .by(&["ann", "bob", "carol"]),
    ]
}

fn too_few() -> Vec<Case> {
    vec![
        refused(
            "quorum_one_of_two",
            "quorum",
            "one share",
            quorum().honest(HELLO),
        ),
        refused(
            "quorum_two_of_three_needed",
            "quorum",
            "two shares where three are needed",
            {
                Wish::locks(&[Lock::of(3, &[&ANN, &BOB, &CAROL])])
                    .forge("three of three")
                    .honest(HELLO)
            },
        )
        .by(&["ann", "carol"]),
        refused(
            "quorum_outsider",
            "no-key",
            "Dave has no share",
            quorum().honest(HELLO),
        )
        .by(&["dave"]),
        refused(
            "quorum_private_one_of_two",
            "quorum",
            "one share",
            private_quorum().honest(HELLO),
        ),
    ]
}

fn wrong_shares() -> Vec<Case> {
    let forge = quorum();
    let with = |share: &[u8]| {
        let mut slots = forge.slots();
        slots[1] = forge.slot(0, &BOB, share, "");
        forge.with_slots(&slots, HELLO)
    };
    let own = forge.parts[0][1].clone();
    let numbered = |x: u8| [&[x], &own[1..]].concat();
    let mut garbled = own.clone();
    garbled[32] ^= 1;
    let case = |name: &str, comment: &str, bytes: Vec<u8>| {
        refused(name, "slot", comment, bytes).by(&["bob", "ann"])
    };
    vec![
        case("share_changed", "a bit of y is another", with(&garbled)),
        case("share_number_0", "x is 0", with(&numbered(0))),
        case("share_number_over_n", "x is 4 of 3", with(&numbered(4))),
        case(
            "share_number_of_another",
            "x is that of Ann's share, y is Bob's",
            with(&numbered(1)),
        ),
        refused(
            "share_of_another_twice",
            "quorum",
            "Bob's slot holds Ann's share: right, but the same",
            with(&forge.parts[0][0]),
        )
        .by(&["bob", "ann"]),
        case(
            "shares_of_another_secret",
            "the author's fault: the shares fit their hashes, their secret not commit",
            {
                let mut forge = quorum();
                let commit = super::edits::member(&forge.policy, "commit");
                forge.policy = forge.policy.replace(&commit, &encl::json::to_b64(&[7; 32]));
                forge.honest(HELLO)
            },
        ),
    ]
}

fn by_approval() -> Vec<Case> {
    let alone = without_slot();
    let bare = alone.with_slots(&alone.slots()[..1], HELLO);
    vec![
        opens(
            "approved_share",
            "Bob's slot and Ann's share by approval",
            quorum().honest(HELLO),
        )
        .with_approvals(&["share_of_ann_for_bob"]),
        opens(
            "approved_share_in_text_form",
            "the same in its text form, wrapped and quoted",
            quorum().honest(HELLO),
        )
        .with_approvals(&["share_of_ann_for_bob_quoted"]),
        opens(
            "approved_shares_to_x_wing",
            "an approval that is sealed to an X-Wing key",
            quorum().honest(HELLO),
        )
        .by(&["carol"])
        .with_approvals(&["share_of_ann_for_carol"]),
        opens(
            "approved_lock",
            "Bob's slot, and the other lock by approval",
            two_locks().honest(HELLO),
        )
        .with_approvals(&["lock_of_carol_for_bob"]),
        opens(
            "approved_private_share",
            "private, Bob's slot and Ann's share",
            private_quorum().honest(HELLO),
        )
        .with_approvals(&["private_share_of_ann_for_bob"]),
        opens(
            "approved_alone_named",
            "no slot, an approval alone, sealed to a key that the policy names",
            bare,
        )
        .with_approvals(&["secret_of_ann_for_bob"]),
        opens(
            "approved_alone_unrecorded",
            "approvals alone, sealed to a key that the policy does not name",
            quorum().honest(HELLO),
        )
        .opens_to(HELLO, "unrecorded")
        .by(&["dave"])
        .with_approvals(&["share_of_carol_for_dave", "share_of_ann_for_dave"]),
        opens(
            "approved_before_passphrase",
            "the approval counts, the passphrase is not asked for",
            or_words().honest(HELLO),
        )
        .opens_to(HELLO, "unrecorded")
        .by(&["eve"])
        .with_passphrase("wrong")
        .with_approvals(&["secret_of_bob_for_eve"]),
        opens(
            "slot_before_approval",
            "one is enough and has a slot: the wrong approval is not looked at",
            or_words().honest(HELLO),
        )
        .with_approvals(&["needless_secret_for_bob"]),
        opens(
            "approved_private_alone_named",
            "private, an approval alone, sealed to a key that the private line names",
            private_alone().with_slots(&[private_alone().slots()[0].clone()], HELLO),
        )
        .with_approvals(&["private_secret_of_ann_for_bob"]),
        opens(
            "approved_private_alone_unrecorded",
            "private, an approval alone, sealed to another key",
            private_alone().with_slots(&[private_alone().slots()[0].clone()], HELLO),
        )
        .opens_to(HELLO, "unrecorded")
        .by(&["dave"])
        .with_approvals(&["private_secret_of_ann_for_dave"]),
        opens(
            "useless_approvals_are_ignored",
            "for another envelope, another lock and another key, before the good one",
            quorum().honest(HELLO),
        )
        .with_approvals(&[
            "lock_of_carol_for_bob",
            "lock_7_for_bob",
            "share_of_ann_for_dave",
            "share_of_ann_for_bob",
        ]),
        opens(
            "approval_not_needed",
            "a wrong one behind enough slots is not looked at",
            quorum().honest(HELLO),
        )
        .by(&["bob", "carol"])
        .with_approvals(&["garbled_share_for_bob"]),
    ]
}

fn wrong_approvals() -> Vec<Case> {
    let case = |name: &str, class: &str, comment: &str, approvals: &[&'static str]| {
        refused(name, class, comment, quorum().honest(HELLO)).with_approvals(approvals)
    };
    vec![
        case(
            "approval_of_own_share",
            "quorum",
            "Bob's own share once more",
            &["share_of_bob_for_bob"],
        ),
        case(
            "approval_for_another_envelope",
            "quorum",
            "it is ignored, and one share is too few",
            &["lock_of_carol_for_bob"],
        ),
        case(
            "approval_for_a_lock_that_is_not_there",
            "quorum",
            "it is ignored",
            &["lock_7_for_bob"],
        ),
        case(
            "approval_for_another_key",
            "quorum",
            "it is ignored",
            &["share_of_ann_for_dave"],
        ),
        case(
            "approval_does_not_open",
            "slot",
            "its ct was changed",
            &["garbled_ct_for_bob", "share_of_ann_for_bob"],
        ),
        case(
            "approval_with_a_wrong_share",
            "slot",
            "the policy does not know its share, and the good one behind does not help",
            &["garbled_share_for_bob", "share_of_ann_for_bob"],
        ),
        case(
            "approval_with_share_number_0",
            "slot",
            "x is 0",
            &["share_number_0_for_bob"],
        ),
        refused(
            "approval_with_a_wrong_secret",
            "slot",
            "commit is not of what it holds",
            two_locks().honest(HELLO),
        )
        .with_approvals(&["wrong_secret_for_bob", "lock_of_carol_for_bob"]),
        refused(
            "approval_of_one_lock_only",
            "quorum",
            "no hope for Bob's lock",
            two_locks().honest(HELLO),
        )
        .by(&["eve"])
        .with_approvals(&["lock_of_carol_for_eve"]),
        refused(
            "approval_for_somebody_else_alone",
            "no-key",
            "no slot, and the approval is for Bob",
            quorum().honest(HELLO),
        )
        .by(&["eve"])
        .with_approvals(&["share_of_ann_for_bob"]),
    ]
}
