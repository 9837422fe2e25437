//! The approvals that cases of gate locks name.

use encl::crypto::kdf::gate;
use encl::json::to_b64;

use super::super::case::Case;
use super::forge::{Gates, server_alone, two_of_three};
use crate::kit_maker::edits::{changed, member};
use crate::kit_maker::forge::Wish;
use crate::kit_maker::people::{BOB, DAVE, EVE};

pub(super) fn cases() -> Vec<Case> {
    let (three, alone) = (two_of_three(), server_alone());
    let [server, dave, carol] = [0, 1, 2].map(|at: usize| three.parts[at].clone());
    let mut garbled = dave.clone();
    garbled[32] ^= 1;
    let good = three.approval(&BOB, &dave);
    let ct = member(&good, "ct");
    let other = Gates::of(2, 1, &[&DAVE]).behind(Wish::of(&[&BOB]), "another envelope");
    let as_slot = {
        let slot = three.slot_under(1, &BOB, &gate::slot_info(&three.ticket(), 1), &dave);
        let (policy, key) = (to_b64(&three.forge.p()), BOB.key());
        let (enc, ct) = (member(&slot, "enc"), member(&slot, "ct"));
        format!(
            r#"{{"approval":"encl/1","policy":"{policy}","lock":1,"key":"{key}","enc":"{enc}","ct":"{ct}"}}"#
        )
    };
    let approved = super::opened::approved();
    let first = |to| approved.forge.approval(0, to, &approved.forge.parts[0][0]);
    let case = |name: &str, comment: &str, line: String| {
        Case::approval(&format!("gate_{name}"), comment, line + "\n")
    };
    vec![
        case(
            "lock_0_for_bob",
            "the secret of the lock in front of a gate lock",
            first(&BOB),
        ),
        case(
            "lock_0_for_eve",
            "sealed to somebody whom the policy does not name",
            first(&EVE),
        ),
        case(
            "share_of_dave_for_bob",
            "a share of a gate lock",
            good.clone(),
        ),
        case(
            "share_of_carol_for_bob",
            "a share of a gate lock",
            three.approval(&BOB, &carol),
        ),
        case(
            "share_of_server_for_bob",
            "a share that a server should have kept",
            three.approval(&BOB, &server),
        ),
        case(
            "share_of_dave_for_eve",
            "sealed to somebody whom the policy does not name",
            three.approval(&EVE, &dave),
        ),
        case(
            "secret_for_bob",
            "the secret of a gate lock",
            alone.approval(&BOB, &alone.parts[0]),
        ),
        case(
            "secret_for_eve",
            "the secret of a gate lock",
            alone.approval(&EVE, &alone.parts[0]),
        ),
        case(
            "wrong_secret_for_bob",
            "well-formed, opens to another secret",
            super::forge::one_of_two().approval(&BOB, &[7; 32]),
        ),
        case(
            "wrong_secret_alone_for_bob",
            "well-formed, opens to another secret",
            alone.approval(&BOB, &[7; 32]),
        ),
        case(
            "garbled_share_for_bob",
            "well-formed, opens to a share that the policy does not know",
            three.approval(&BOB, &garbled),
        ),
        case(
            "changed_for_bob",
            "well-formed, and does not open",
            good.replace(&ct, &changed(&ct)),
        ),
        case(
            "sealed_as_slot_for_bob",
            "well-formed, sealed under the info of a gate slot",
            as_slot,
        ),
        case(
            "share_of_another_envelope_for_bob",
            "well-formed, for another envelope",
            other.approval(&BOB, &other.parts[1]),
        ),
    ]
}
