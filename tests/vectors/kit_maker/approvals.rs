//! Approvals: valid ones, with which the envelopes of `quorums.rs` are opened, and malformed ones.

use encl::json::to_b64;

use super::carriers::{card, carried, quoted};
use super::case::Case;
use super::edits::{changed, loosened, member};
use super::forge::{Forge, Lock, Wish};
use super::people::{ANN, BOB, CAROL, DAVE, EVE, Person};
use super::quorums::{or_words, private_alone, private_quorum, quorum, two_locks, without_slot};

pub(super) fn cases() -> Vec<Case> {
    [named(), by_themselves()].into_iter().flatten().collect()
}

/// The files that cases of envelopes name.
fn named() -> Vec<Case> {
    let forge = quorum();
    let [ann, bob, carol] = [0, 1, 2].map(|at: usize| forge.parts[0][at].clone());
    let share = |part: &[u8], to: &Person| forge.approval(0, to, part);
    let secret = |to: &Person| two_locks().approval(0, to, &two_locks().parts[0][0]);
    let mut garbled = ann.clone();
    garbled[32] ^= 1;
    let good = share(&ann, &BOB);
    let ct = member(&good, "ct");
    let changed = good.replace(&ct, &changed(&ct));
    let private = private_quorum();
    let alone = |forge: &Forge, to: &Person| forge.approval(0, to, &forge.parts[0][0]);
    let case = |name: &str, comment: &str, line: String| Case::approval(name, comment, line + "\n");
    vec![
        case(
            "share_of_ann_for_bob",
            "the line and its line feed",
            good.clone(),
        ),
        Case::approval(
            "share_of_ann_for_bob_quoted",
            "text form, quoted and wrapped with CR LF",
            quoted(&carried("encl-approval1:", format!("{good}\n").as_bytes())),
        ),
        case(
            "share_of_ann_for_carol",
            "sealed to an X-Wing key",
            share(&ann, &CAROL),
        ),
        case(
            "share_of_ann_for_dave",
            "sealed to somebody whom the policy does not name",
            share(&ann, &DAVE),
        ),
        case(
            "share_of_carol_for_dave",
            "sealed to somebody whom the policy does not name",
            share(&carol, &DAVE),
        ),
        case(
            "share_of_bob_for_bob",
            "sealed to oneself",
            share(&bob, &BOB),
        ),
        case(
            "private_share_of_ann_for_bob",
            "for a private envelope",
            private.approval(0, &BOB, &private.parts[0][0]),
        ),
        case(
            "lock_of_carol_for_bob",
            "the secret of a lock that one opens",
            secret(&BOB),
        ),
        case(
            "lock_of_carol_for_eve",
            "the secret of a lock that one opens",
            secret(&EVE),
        ),
        case(
            "secret_of_ann_for_bob",
            "the secret of a lock that one opens",
            without_slot().approval(0, &BOB, &without_slot().parts[0][0]),
        ),
        case(
            "secret_of_bob_for_eve",
            "the secret of a lock that a passphrase opens too",
            alone(&or_words(), &EVE),
        ),
        case(
            "needless_secret_for_bob",
            "well-formed, opens to another secret",
            or_words().approval(0, &BOB, &[7; 32]),
        ),
        case(
            "private_secret_of_ann_for_bob",
            "for a private envelope",
            alone(&private_alone(), &BOB),
        ),
        case(
            "private_secret_of_ann_for_dave",
            "for a private envelope",
            alone(&private_alone(), &DAVE),
        ),
        case(
            "lock_7_for_bob",
            "well-formed, for a lock that the envelope has not",
            forge.approval(7, &BOB, &ann),
        ),
        case(
            "garbled_ct_for_bob",
            "well-formed, and does not open",
            changed,
        ),
        case(
            "garbled_share_for_bob",
            "well-formed, opens to a share that the policy does not know",
            share(&garbled, &BOB),
        ),
        case(
            "share_number_0_for_bob",
            "well-formed, opens to a share with x = 0",
            share(&[&[0], &ann[1..]].concat(), &BOB),
        ),
        case(
            "wrong_secret_for_bob",
            "well-formed, opens to another secret",
            two_locks().approval(0, &BOB, &[7; 32]),
        ),
    ]
}

fn by_themselves() -> Vec<Case> {
    let line = Wish::locks(&[Lock::of(2, &[&ANN, &BOB])])
        .forge("approvals")
        .approval(0, &BOB, &[1; 33]);
    let text = carried("encl-approval1:", format!("{line}\n").as_bytes());
    let case = |name: &str, class: &str, comment: &str, text: String| {
        Case::approval(name, comment, text).refused(class)
    };
    let edit = |from: &str, to: &str| {
        assert!(line.contains(from), "{from}");
        line.replacen(from, to, 1)
    };
    vec![
        Case::approval("line_without_line_feed", "the line alone", line.clone()),
        Case::approval("text_form", "the text form in one line", text.clone()),
        case("empty", "not-an-approval", "no byte at all", String::new()),
        case(
            "another_prefix",
            "not-an-approval",
            "a card",
            card(&BOB.card(), &BOB),
        ),
        case(
            "space_in_front_of_line",
            "not-an-approval",
            "only what begins with { is the line itself",
            format!(" {line}"),
        ),
        case(
            "character_changed",
            "mangled",
            "a character of the first group",
            text.replacen(":ey", ":fy", 1),
        ),
        case(
            "cut",
            "mangled",
            "the last character is missing",
            text[..text.len() - 1].to_owned(),
        ),
        case(
            "text_form_without_line_feed",
            "mangled",
            "the content does not end in a line feed",
            carried("encl-approval1:", line.as_bytes()),
        ),
        case(
            "two_line_feeds",
            "malformed",
            "one is allowed",
            format!("{line}\n\n"),
        ),
        case(
            "cr_lf",
            "malformed",
            "a CR before the line feed",
            format!("{line}\r\n"),
        ),
        case(
            "line_of_65537_bytes",
            "over-limit",
            "spaces behind the object",
            format!("{line}{}", " ".repeat(65_537 - line.len())),
        ),
        case(
            "lock_8",
            "malformed",
            "no envelope has a ninth lock",
            edit("\"lock\":0", "\"lock\":8"),
        ),
        case(
            "lock_missing",
            "malformed",
            "a due member is missing",
            edit("\"lock\":0,", ""),
        ),
        case(
            "member_twice",
            "malformed",
            "a name twice",
            edit("\"lock\":0", "\"lock\":0,\"lock\":0"),
        ),
        case(
            "ct_of_50_bytes",
            "malformed",
            "a length that no slot has",
            edit(&member(&line, "ct"), &to_b64(&[7; 50])),
        ),
        case(
            "policy_not_canonical",
            "malformed",
            "a bit too many in the last character",
            edit(
                &member(&line, "policy"),
                &loosened(&member(&line, "policy")),
            ),
        ),
        case(
            "line_version_2",
            "newer",
            "encl/2 in the line",
            edit("encl/1", "encl/2"),
        ),
        case(
            "unknown_member",
            "newer",
            "a member that approvals have not",
            edit("\"lock\"", "\"until\":1,\"lock\""),
        ),
    ]
}
