//! Steps 4 and 5 at a gate lock: nobody helps, or what helps is wrong.

use encl::crypto::kdf::gate;

use super::super::case::Case;
use super::forge::{GateForge, Gates, SERVERS, one_of_two, server_alone, two_of_three};
use crate::kit_maker::edits::{changed, member};
use crate::kit_maker::forge::{Lock, Wish};
use crate::kit_maker::people::{ANN, BOB, CAROL, DAVE, EVE};

pub(super) fn cases() -> Vec<Case> {
    let cases = [nobody(), wrong_slots(), wrong_approvals(), other_steps()];
    cases.into_iter().flatten().collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: Vec<u8>) -> Case {
    let case = Case::envelope(&format!("gate_{name}"), comment, bytes);
    case.by(&["bob", "dave"]).refused(class)
}

fn nobody() -> Vec<Case> {
    let three = two_of_three();
    let one = one_of_two().honest();
    let private =
        Gates::of(1, 1, &[&DAVE]).behind(Wish::of(&[&BOB]).private(), "private and a gate");
    let locks = [Lock::of(1, &[&CAROL]), Lock::of(1, &[&BOB])];
    let private_locks =
        Gates::of(1, 1, &[&DAVE]).behind(Wish::locks(&locks).private(), "private locks and a gate");
    let stranger = private.forge.slot(0, &EVE, &private.forge.parts[0][0], "");
    let slots = [vec![stranger], private.gate_slots()].concat();
    let of_bob = server_alone();
    let own_server = of_bob.edited(&SERVERS[0].key(), &BOB.key());
    let words = Gates::of(1, 1, &[&DAVE]).behind(
        Wish::locks(&[Lock::of(1, &[&EVE]).or("words")]),
        "words and no gate",
    );
    let carol = private_locks
        .forge
        .slot(0, &EVE, &private_locks.forge.parts[0][0], "");
    let others = [
        &[carol],
        &private_locks.forge.slots()[1..],
        &private_locks.gate_slots(),
    ]
    .concat();
    vec![
        refused(
            "nobody_helps",
            "quorum",
            "a server alone, and none is asked",
            server_alone().honest(),
        )
        .by(&["bob"]),
        refused(
            "helper_is_not_here",
            "quorum",
            "Dave could help",
            one.clone(),
        )
        .by(&["bob"]),
        refused(
            "helper_alone",
            "quorum",
            "a slot of the gate lock and nothing else",
            one,
        )
        .by(&["dave"]),
        refused(
            "one_of_two_needed",
            "quorum",
            "Dave's share, and another one is needed",
            three.honest(),
        ),
        refused(
            "approval_one_of_two_needed",
            "quorum",
            "one approval",
            three.honest(),
        )
        .by(&["bob"])
        .with_approvals(&["gate_share_of_dave_for_bob"]),
        refused(
            "approval_and_slot_of_one_share",
            "quorum",
            "the same share twice",
            three.honest(),
        )
        .with_approvals(&["gate_share_of_dave_for_bob"]),
        refused(
            "approval_for_somebody_else",
            "quorum",
            "sealed to Eve",
            server_alone().honest(),
        )
        .by(&["bob"])
        .with_approvals(&["gate_share_of_dave_for_eve"]),
        refused(
            "approval_alone",
            "quorum",
            "an approval for the gate lock, and no key of the first lock",
            server_alone().honest(),
        )
        .by(&["eve"])
        .with_approvals(&["gate_secret_for_eve"]),
        refused(
            "server_with_a_readers_key",
            "quorum",
            "a server whose key is the reader's: servers are asked",
            own_server.honest(),
        )
        .by(&["bob"]),
        refused(
            "passphrase_and_nobody",
            "quorum",
            "no passphrase is asked for where the gate lock has no hope",
            words.honest(),
        )
        .by(&["bob"]),
        refused(
            "private_nobody",
            "quorum",
            "nobody helps with a private envelope",
            private.honest(),
        )
        .by(&["bob"]),
        refused(
            "private_first_lock_stays_shut",
            "no-key",
            "the gate lock is not tried",
            private.with_slots(&slots),
        ),
        refused(
            "private_one_lock_stays_shut",
            "quorum",
            "one of two opens: the gate lock is not tried",
            private_locks.with_slots(&others),
        ),
    ]
}

/// Slots of people that hold what they should not.
fn wrong_slots() -> Vec<Case> {
    let one = one_of_two();
    let three = two_of_three();
    let server = one.gate_slot(0);
    let with = |dave: String| one.with_gate_slots(&[server.clone(), dave]);
    let with_three =
        |dave: String| three.with_gate_slots(&[three.gate_slot(0), dave, three.gate_slot(2)]);
    let dave = |forge: &GateForge, info: &[u8]| forge.slot_under(1, &DAVE, info, &forge.parts[1]);
    let other_ticket = |ticket: [u8; 32]| dave(&one, &gate::slot_info(&ticket, 1));
    let (p, lock) = (one.forge.p(), one.lock.as_bytes());
    let mut garbled = three.parts[1].clone();
    garbled[32] ^= 1;
    let good = one.gate_slot(1);
    let ct = member(&good, "ct");
    let enc = member(&good, "enc");
    let server_enc = member(&server, "enc");
    let recipients_slot = encl::crypto::kdf::slot_info(&p, 1);
    let blank = format!("{{ {}", &one.lock[1..]);
    let dated = one.lock.replacen(
        "\"need\"",
        "\"expires\":\"2027-01-01T00:00:00Z\",\"need\"",
        1,
    );
    let slot = |name: &str, comment: &str, dave: String| {
        refused(&format!("slot_{name}"), "slot", comment, with(dave))
    };
    let share = |name: &str, comment: &str, part: &[u8]| {
        let bytes = with_three(three.slot_holding(1, part));
        refused(&format!("slot_{name}"), "slot", comment, bytes).by(&["bob", "carol", "dave"])
    };
    vec![
        slot(
            "changed",
            "a character of ct",
            good.replace(&ct, &changed(&ct)),
        ),
        slot(
            "enc_changed",
            "a character of enc",
            good.replace(&enc, &changed(&enc)),
        ),
        slot(
            "enc_of_another_kem",
            "as long as an X-Wing slot",
            good.replace(&enc, &server_enc),
        ),
        slot(
            "sealed_to_another_key",
            "the slot is Eve's",
            one.slot_under(1, &EVE, &gate::slot_info(&one.ticket(), 1), &one.parts[1]),
        ),
        slot(
            "under_another_policy",
            "P is another",
            other_ticket(gate::ticket(&[7; 32], 1, lock)),
        ),
        slot(
            "under_another_position",
            "the lock's position is another",
            other_ticket(gate::ticket(&p, 0, lock)),
        ),
        slot(
            "under_another_gate",
            "j is another",
            dave(&one, &gate::slot_info(&one.ticket(), 0)),
        ),
        slot(
            "under_a_blank",
            "L with a blank more",
            other_ticket(gate::ticket(&p, 1, blank.as_bytes())),
        ),
        slot(
            "under_other_terms",
            "L with a date",
            other_ticket(gate::ticket(&p, 1, dated.as_bytes())),
        ),
        slot(
            "of_a_recipients_lock",
            "the info of a key slot",
            dave(&one, &recipients_slot),
        ),
        slot(
            "of_another_secret",
            "opens, and is not what the policy commits to",
            one.slot_holding(1, &[7; 32]),
        ),
        share(
            "of_another_share",
            "Carol's share in Dave's slot",
            &three.parts[2],
        ),
        share(
            "of_a_changed_share",
            "a share that the policy does not know",
            &garbled,
        ),
        share(
            "of_share_0",
            "x = 0",
            &[&[0], &three.parts[1][1..]].concat(),
        ),
        share(
            "of_share_4",
            "x = 4 of three",
            &[&[4], &three.parts[1][1..]].concat(),
        ),
    ]
}

fn wrong_approvals() -> Vec<Case> {
    let three = two_of_three().honest();
    let case = |name: &str, comment: &str, approvals: &[&'static str]| {
        refused(&format!("approval_{name}"), "slot", comment, three.clone())
            .with_approvals(approvals)
    };
    vec![
        case(
            "garbled",
            "a share that the policy does not know",
            &["gate_garbled_share_for_bob"],
        ),
        case("does_not_open", "ct was changed", &["gate_changed_for_bob"]),
        case(
            "before_a_good_one",
            "the wrong one is looked at first",
            &["gate_garbled_share_for_bob", "gate_share_of_carol_for_bob"],
        ),
        case(
            "of_a_slot",
            "sealed as a gate slot",
            &["gate_sealed_as_slot_for_bob"],
        ),
        refused(
            "approval_of_another_secret",
            "slot",
            "opens, and is not what the policy commits to",
            server_alone().honest(),
        )
        .by(&["bob"])
        .with_approvals(&["gate_wrong_secret_alone_for_bob"]),
    ]
}

/// The gate lock is a lock as others are: its secret is in CK, and the policy's dates hold.
fn other_steps() -> Vec<Case> {
    let one = one_of_two();
    let mut unkeyed = one.clone();
    unkeyed.forge.secrets.pop();
    let unkeyed = unkeyed.with_access(&one.access(&one.slots()));
    let mut other = two_of_three();
    other = other.with_lock(&other.lock.replacen(
        &member(&other.lock, "commit"),
        &encl::json::to_b64(&[7; 32]),
        1,
    ));
    let dated = Wish::of(&[&BOB]).saying("\"expires\":\"2026-11-01T00:00:00Z\",");
    let dated = Gates::of(1, 1, &[&DAVE]).behind(dated, "expired policy and gate");
    let signed = Gates::of(1, 1, &[&DAVE])
        .behind(Wish::of(&[&BOB]).signed(&ANN), "forged signature and gate");
    let mut message = signed.forge.message(&signed.forge.data(b"hello"));
    *message.last_mut().unwrap() ^= 1;
    let forged = signed
        .forge
        .envelope(&signed.access(&signed.slots()), &message);
    vec![
        refused(
            "secret_not_in_the_content_key",
            "header",
            "sealed with the other locks only",
            unkeyed,
        ),
        refused(
            "shares_of_another_secret",
            "slot",
            "right shares, and commit is another's",
            other.honest(),
        )
        .by(&["bob", "carol", "dave"]),
        refused(
            "policy_expired",
            "refused",
            "the policy's own dates hold",
            dated.honest(),
        ),
        refused(
            "forged_signature",
            "signature",
            "a bit of the signature",
            forged,
        )
        .refused_after("signature", b"hello"),
    ]
}
