//! Step 3: faults of line 3 beside a gate lock.

use encl::json::to_b64;

use super::super::case::Case;
use super::forge::{GateForge, Gates, HELLO, one_of_two, two_of_three};
use crate::kit_maker::forge::{Wish, plain};
use crate::kit_maker::people::{BOB, CAROL, DAVE};

pub(super) fn cases() -> Vec<Case> {
    let cases = [edits(), slots(), passes()];
    cases.into_iter().flatten().collect()
}

fn case(name: &str, comment: &str, bytes: Vec<u8>) -> Case {
    let case = Case::envelope(&format!("gate_access_{name}"), comment, bytes);
    case.by(&["bob", "dave"])
}

/// Another line 3; the rest is honest, so that a reader without the rule opens it.
fn refused(name: &str, class: &str, comment: &str, forge: &GateForge, access: &str) -> Case {
    case(name, comment, forge.with_access(access)).refused(class)
}

/// Edits of the slot of the server, which is the first gate.
fn edits() -> Vec<Case> {
    let forge = one_of_two();
    let access = forge.access(&forge.slots());
    let rows = EDITS.trim().lines().map(|row| {
        let mut cells = row.split(" | ");
        let [name, class, from, to, comment] = [0; 5].map(|_| cells.next().unwrap());
        assert!(access.contains(from), "{name}");
        refused(name, class, comment, &forge, &access.replacen(from, to, 1))
    });
    rows.collect()
}

/// Name, class, text of the line, replacement, reason.
const EDITS: &str = r#"
gate_8 | malformed | "gate":0, | "gate":8, | no lock has a ninth gate
gate_8_before_unknown | malformed | "gate":0, | "gate":8,"x":1, | the position is judged as it is met
gate_2_of_two | malformed | "gate":0, | "gate":2, | the lock has two gates
gate_text | malformed | "gate":0, | "gate":"0", | a text for a number
gate_twice | malformed | "gate":0, | "gate":0,"gate":0, | a name twice
gate_number_missing | malformed | "gate":0, |  | a slot for a key in a gate lock
two_slots_for_one | malformed | "gate":0, | "gate":1, | two slots for one gate, none for the other
gate_slot_in_recipients_lock | malformed | "lock":1,"gate":0, | "lock":0,"gate":0, | the first lock has no gates
gate_slot_of_lock_2 | malformed | "lock":1,"gate":0, | "lock":2,"gate":0, | the policy has two locks
gate_slot_without_lock | malformed | "lock":1,"gate":0, | "gate":0, | lock is due
gate_slot_with_salt | malformed | "gate":0, | "gate":0,"salt":"AAAAAAAAAAAAAAAAAAAAAA==", | a member of a passphrase slot
gate_slot_with_key | malformed | "gate":0, | "gate":0,"key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", | a member of a key slot
gate_slot_unknown_member | newer | "gate":0, | "gate":0,"url":"x", | a member that slots have not
key_slot_with_gate | malformed | "lock":0, | "lock":0,"gate":0, | a member of a gate slot
passes_object | malformed | "passes":[ | "passes":{},"x":[ | an object for a list
pass_text | malformed | "passes":[ | "passes":["Bob", | not base64
pass_number | malformed | "passes":[ | "passes":[1, | a number for a text
unknown_member_beside | newer | "passes":[ | "log":1,"passes":[ | a member that the line has not
passes_renamed | newer | "passes":[ | "pass":[ | an unknown member counts before a missing one
"#;

fn slots() -> Vec<Case> {
    let forge = one_of_two();
    let three = two_of_three();
    let with = |forge: &GateForge, gate_slots: &[String]| {
        let slots = [&forge.forge.slots(), gate_slots].concat();
        forge.access(&slots)
    };
    let grant = {
        let granted = forge.forge.granted(0, &BOB, &forge.parts[0], &BOB);
        let (_, grant) = granted.split_once(",\"grant\":").unwrap();
        format!(",\"grant\":{grant}")
    };
    let gate_slots = forge.gate_slots();
    let [server, dave] = [&gate_slots[0], &gate_slots[1]];
    let ct_of = |bytes: usize| {
        let (front, _) = dave.split_once("\"ct\":").unwrap();
        format!("{front}\"ct\":\"{}\"}}", to_b64(&vec![7; bytes]))
    };
    let enc_of = |bytes: usize| {
        let (front, behind) = server.split_once("\"enc\":\"").unwrap();
        let (_, behind) = behind.split_once('"').unwrap();
        format!("{front}\"enc\":\"{}\"{behind}", to_b64(&vec![7; bytes]))
    };
    let private =
        Gates::of(1, 1, &[&DAVE]).behind(Wish::of(&[&BOB]).private(), "private gate slots");
    let key = format!("\"gate\":0,\"key\":\"{}\"", BOB.key());
    let keyed = private
        .access(&private.slots())
        .replacen("\"gate\":0", &key, 1);
    let both = |one: &str, other: &str| with(&forge, &[one.to_owned(), other.to_owned()]);
    let malformed = |name: &str, comment: &str, forge: &GateForge, access: String| {
        refused(name, "malformed", comment, forge, &access)
    };
    let no_enc = {
        let (front, behind) = dave.split_once("\"enc\":").unwrap();
        format!("{front}{}", behind.split_once(',').unwrap().1)
    };
    let no_ct = dave.split_once(",\"ct\":").unwrap().0.to_owned() + "}";
    vec![
        malformed(
            "no_gate_slots",
            "no gate has a slot",
            &forge,
            with(&forge, &[]),
        ),
        malformed(
            "server_without_slot",
            "the slot of the server is missing",
            &forge,
            with(&forge, std::slice::from_ref(dave)),
        ),
        malformed(
            "person_without_slot",
            "the slot of a gate that nobody needs is missing",
            &three,
            with(&three, &three.gate_slots()[..2]),
        ),
        malformed(
            "gate_slot_twice",
            "one slot twice",
            &forge,
            with(&forge, &[server.clone(), dave.clone(), dave.clone()]),
        ),
        malformed(
            "gate_slot_for_another_gate",
            "a third slot in a lock of two gates",
            &forge,
            with(
                &forge,
                &[
                    server.clone(),
                    dave.clone(),
                    dave.replace("\"gate\":1", "\"gate\":7"),
                ],
            ),
        ),
        malformed(
            "key_slot_in_gate_lock",
            "a slot for a key, as a recipients' lock has",
            &forge,
            with(
                &forge,
                &[
                    server.clone(),
                    dave.clone(),
                    forge.forge.slot(1, &BOB, &forge.parts[0], ""),
                ],
            ),
        ),
        malformed(
            "passphrase_slot_in_gate_lock",
            "a slot for a passphrase",
            &forge,
            with(
                &forge,
                &[
                    server.clone(),
                    dave.clone(),
                    forge.forge.passphrase_slot(1, "words", &forge.parts[0]),
                ],
            ),
        ),
        malformed(
            "gate_slot_with_grant",
            "a member of a key slot",
            &forge,
            both(
                server,
                &format!("{}{grant}", dave.strip_suffix('}').unwrap()),
            ),
        ),
        malformed(
            "gate_slot_without_enc",
            "enc is due",
            &forge,
            both(server, &no_enc),
        ),
        malformed(
            "gate_slot_without_ct",
            "ct is due",
            &forge,
            both(server, &no_ct),
        ),
        malformed(
            "ct_of_49_bytes",
            "as long as a share where need is 1",
            &forge,
            both(server, &ct_of(49)),
        ),
        malformed(
            "ct_of_104_bytes",
            "as long as in a passphrase slot",
            &forge,
            both(server, &ct_of(104)),
        ),
        malformed(
            "ct_of_50_bytes",
            "a length that no slot has",
            &forge,
            both(server, &ct_of(50)),
        ),
        malformed(
            "enc_of_33_bytes",
            "a length that no KEM has",
            &forge,
            both(&enc_of(33), dave),
        ),
        malformed(
            "ct_of_48_bytes_of_a_share",
            "as long as a secret where need is 2",
            &three,
            with(
                &three,
                &[0, 1, 2].map(|gate| three.slot_holding(gate, &three.parts[gate][1..])),
            ),
        ),
        malformed(
            "private_gate_slot_with_key",
            "a gate slot has no key",
            &private,
            keyed,
        ),
        case(
            "server_with_an_enc_of_32_bytes",
            "a slot for an X25519 key: whether it is the server's, the server finds out",
            forge.with_access(&both(&enc_of(32), dave)),
        )
        .opens(HELLO),
        case(
            "gate_slots_in_front",
            "slots may stand in any order",
            forge.with_slots(&[dave.clone(), server.clone(), forge.forge.slots()[0].clone()]),
        )
        .opens(HELLO),
    ]
}

fn passes() -> Vec<Case> {
    let forge = one_of_two();
    let access = forge.access(&forge.slots());
    let unlisted = Gates::of(1, 1, &[&DAVE])
        .unlisted()
        .behind(Wish::of(&[&BOB]), "unlisted");
    let with_passes = |passes: &[String]| {
        let (slots, _) = access.split_once(",\"passes\"").unwrap();
        format!("{slots},\"passes\":[{}]}}", passes.join(","))
    };
    let honest = forge.passes();
    let backwards: Vec<_> = honest.iter().rev().cloned().collect();
    let of = |bytes: usize| with_passes(&[format!("\"{}\"", to_b64(&vec![7; bytes]))]);
    let without = access.split_once(",\"passes\"").unwrap().0.to_owned() + "}";
    let beside = unlisted
        .access(&unlisted.slots())
        .replace("}]}", "}],\"passes\":[]}");
    let no_gate = plain();
    let bytes = no_gate.envelope(
        &format!("{{\"slots\":[{}],\"passes\":[]}}", no_gate.slots()[0]),
        &no_gate.message(&no_gate.data(b"hello")),
    );
    let malformed = |name: &str, comment: &str, access: &str| {
        refused(name, "malformed", comment, &forge, access)
    };
    let opens = |name: &str, comment: &str, access: &str| {
        case(name, comment, forge.with_access(access)).opens(HELLO)
    };
    vec![
        malformed("passes_missing", "the lock has members", &without),
        refused(
            "passes_without_members",
            "malformed",
            "the lock has no members",
            &unlisted,
            &beside,
        ),
        case(
            "passes_without_gate_lock",
            "the policy has no gate lock",
            bytes,
        )
        .refused("malformed"),
        malformed("pass_of_79_bytes", "base64 of another length", &of(79)),
        malformed("pass_of_81_bytes", "base64 of another length", &of(81)),
        opens(
            "no_pass",
            "an empty list: who helps needs no pass",
            &with_passes(&[]),
        ),
        opens("pass_of_nobody", "one entry, and it is random", &of(80)),
        opens(
            "passes_not_sorted",
            "the order is the writer's to keep",
            &with_passes(&backwards),
        ),
        opens(
            "pass_twice",
            "one entry twice",
            &with_passes(&[&honest[..], &honest].concat()),
        ),
        opens(
            "passes_in_front",
            "the order of members is free",
            &access
                .replacen('{', &format!("{{\"passes\":[{}],", honest.join(",")), 1)
                .replace(&format!(",\"passes\":[{}]}}", honest.join(",")), "}"),
        ),
    ]
    .into_iter()
    .chain([helper_only()])
    .collect()
}

/// A server with X-Wing, a person with X-Wing: the lengths tell nothing of who is who.
fn helper_only() -> Case {
    let forge = Gates::of(1, 2, &[&CAROL]).behind(Wish::of(&[&BOB]), "helper with X-Wing");
    case(
        "person_with_x_wing",
        "the helper's key is X-Wing",
        forge.honest(),
    )
    .by(&["bob", "carol"])
    .opens(HELLO)
}
