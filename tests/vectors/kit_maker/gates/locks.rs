//! Step 3: rules between the members of a gate lock, and between it and the rest of the policy and the private line.

use super::super::case::Case;
use super::forge::{GateForge, Gates, SERVERS, one_of_two, two_of_three};
use super::members::refused;
use crate::kit_maker::forge::{Lock, Wish};
use crate::kit_maker::people::{ANN, BOB, CAROL, DAVE, EVE};

pub(super) fn cases() -> Vec<Case> {
    let cases = [positions(), differences(), private()];
    cases.into_iter().flatten().collect()
}

/// An envelope that breaks a rule and follows all others.
fn made(name: &str, comment: &str, forge: &GateForge) -> Case {
    refused(name, "malformed", comment, forge)
}

fn positions() -> Vec<Case> {
    let forge = one_of_two();
    let people = forge.forge.policy.split("\"locks\":[").nth(1).unwrap();
    let people = people.split(&format!(",{}", forge.lock)).next().unwrap();
    let with_locks = |locks: &str| {
        let (front, _) = forge.forge.policy.split_once("\"locks\":[").unwrap();
        GateForge {
            forge: forge
                .forge
                .with_policy(format!("{front}\"locks\":[{locks}]}}")),
            ..forge.clone()
        }
    };
    let gate = &forge.lock;
    vec![
        made(
            "alone",
            "a gate lock is not the only one",
            &with_locks(gate),
        ),
        made(
            "first",
            "a gate lock in front",
            &with_locks(&format!("{gate},{people}")),
        ),
        made(
            "twice",
            "two gate locks",
            &with_locks(&format!("{people},{gate},{gate}")),
        ),
        made(
            "in_the_middle",
            "a gate lock between two others",
            &with_locks(&format!("{people},{gate},{people}")),
        ),
        made(
            "two_alone",
            "gate locks only",
            &with_locks(&format!("{gate},{gate}")),
        ),
    ]
}

fn differences() -> Vec<Case> {
    let forge = one_of_two();
    let list = |from: &str| {
        let (_, list) = forge.lock.split_once(from).unwrap();
        list.split_once(']').unwrap().0.to_owned()
    };
    let owners = list("\"owners\":[");
    let wish = || Wish::of(&[&BOB]);
    let quorum = Gates::of(2, 1, &[&DAVE, &CAROL]).behind(wish(), "gates and shares");
    let (_, hashes) = quorum.lock.split_once("\"shares\":[").unwrap();
    let third = &hashes[93..140]; // 44 characters and two quotes each, after a comma
    let carol = format!(
        r#",{{"kind":"person","id":"{}","key":"{}","name":"Carol"}}"#,
        CAROL.id(),
        CAROL.key()
    );
    vec![
        made(
            "gates_empty",
            "no gate",
            &forge.edited(&list("\"gates\":["), ""),
        ),
        made(
            "id_twice",
            "two keys of one gate",
            &forge.edited(&DAVE.id(), &SERVERS[0].id()),
        ),
        made(
            "key_twice",
            "one key of two gates",
            &forge.edited(&SERVERS[0].key(), &DAVE.key()),
        ),
        made(
            "owner_twice",
            "one owner twice",
            &forge.edited(&owners, &format!("{owners},{owners}")),
        ),
        made(
            "share_missing",
            "two shares for three gates",
            &quorum.edited(third, ""),
        ),
        made(
            "gate_missing",
            "three shares for two gates",
            &two_of_three().edited(&carol, ""),
        ),
        made(
            "need_1_with_shares",
            "shares where one is enough",
            &forge.edited("\"need\":1", &format!("\"need\":1,\"shares\":[{owners}]")),
        ),
    ]
}

fn private() -> Vec<Case> {
    let wish = || Wish::of(&[&BOB]).private();
    let forge = Gates::of(1, 1, &[&DAVE]).behind(wish(), "private gate");
    let described = |member: &str| {
        forge.edited(
            "\"kind\":\"server\"",
            &format!("\"kind\":\"server\",{member}"),
        )
    };
    let two = || Wish::locks(&[Lock::of(1, &[&BOB]), Lock::of(1, &[&BOB, &EVE])]);
    let two =
        Gates::of(1, 1, &[&DAVE]).behind(two().private().signed(&ANN), "private locks and gate");
    let with_lists = |forge: &GateForge, from: &str, to: &str| {
        let line = forge.forge.private_line("");
        assert!(line.contains(from), "{from} is not in {line}");
        let data = [line.replacen(from, to, 1).as_bytes(), b"\nhello"].concat();
        forge
            .forge
            .envelope(&forge.access(&forge.slots()), &forge.forge.message(&data))
    };
    let lists = |name: &str, comment: &str, bytes: Vec<u8>| {
        let case = Case::envelope(&format!("gate_private_{name}"), comment, bytes);
        case.by(&["bob", "dave"]).refused("malformed")
    };
    let bob = format!("[{}]", BOB.recipient());
    vec![
        made(
            "private_with_name",
            "a gate is named",
            &described(r#""name":"gate""#),
        ),
        made(
            "private_with_url",
            "a gate has an address",
            &described(r#""url":"https://gate""#),
        ),
        made(
            "private_person_with_name",
            "a person among the gates is named",
            &forge.edited(
                "\"kind\":\"person\"",
                "\"kind\":\"person\",\"name\":\"Dave\"",
            ),
        ),
        lists(
            "list_for_the_gate_lock",
            "one list too many: the gate lock has none",
            with_lists(&forge, &bob, &format!("{bob},[]")),
        ),
        lists(
            "list_of_a_lock_missing",
            "one list for two recipients' locks",
            with_lists(&two, &format!("{bob},"), ""),
        ),
        lists(
            "no_lists",
            "not one list",
            with_lists(&forge, &format!("[{bob}]"), "[]"),
        ),
    ]
}
