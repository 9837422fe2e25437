//! Gate locks that open: with slots of people who help, and with approvals.

use super::super::case::Case;
use super::forge::{GateForge, Gates, HELLO, SERVERS, one_of_two, server_alone, two_of_three};
use super::members::filled;
use crate::kit_maker::forge::{Lock, Wish};
use crate::kit_maker::people::{ANN, BOB, CAROL, DAVE, EVE, FRANK};

pub(super) fn cases() -> Vec<Case> {
    let cases = [
        helpers(),
        admissions(),
        beside_other_locks(),
        forms(),
        limits(),
        not_judged(),
    ];
    cases.into_iter().flatten().collect()
}

/// An envelope that Bob opens with the help of Dave's key.
pub(super) fn opens(name: &str, comment: &str, forge: &GateForge) -> Case {
    let case = Case::envelope(&format!("gate_{name}"), comment, forge.honest());
    case.by(&["bob", "dave"]).opens(HELLO)
}

fn helpers() -> Vec<Case> {
    let dave = [
        "gate_share_of_dave_for_bob",
        "gate_share_of_carol_for_bob",
        "gate_share_of_server_for_bob",
    ];
    let three = two_of_three();
    let signed =
        Gates::of(1, 1, &[&DAVE]).behind(Wish::of(&[&BOB]).signed(&ANN).padded(), "signed gate");
    let both_keys = Gates::of(2, 0, &[&DAVE, &FRANK]).behind(Wish::of(&[&BOB]), "two helpers");
    vec![
        opens(
            "worked_example",
            "the values of it are in FORMAT.md",
            &Gates::of(1, 1, &[&DAVE]).behind(Wish::of(&[&BOB]).signed(&ANN), "worked example"),
        ),
        opens("helper", "a person's slot, need 1", &one_of_two()),
        opens(
            "helper_first",
            "the helper's keys are preferred",
            &one_of_two(),
        )
        .by(&["dave", "bob"]),
        opens("helper_signed_padded", "signed and padded", &signed),
        opens(
            "helpers_two_of_three",
            "two people's slots, of both KEMs",
            &three,
        )
        .by(&["bob", "carol", "dave"]),
        opens("helpers_only", "no server at all", &both_keys).by(&["bob", "dave", "frank"]),
        opens(
            "approval",
            "the secret, from somebody who helps",
            &server_alone(),
        )
        .by(&["bob"])
        .with_approvals(&["gate_secret_for_bob"]),
        opens(
            "approval_beside_helper",
            "the helper's own slot comes first, and the wrong approval is not looked at",
            &one_of_two(),
        )
        .with_approvals(&["gate_wrong_secret_for_bob"]),
        opens("approvals_two_of_three", "two shares", &three)
            .by(&["bob"])
            .with_approvals(&dave[..2]),
        opens("approvals_in_another_order", "shares 3 and 2", &three)
            .by(&["bob"])
            .with_approvals(&[dave[1], dave[0]]),
        opens("approval_and_slot", "Dave's slot, Carol's approval", &three)
            .with_approvals(&[dave[1]]),
        opens(
            "approval_of_a_servers_share",
            "share 1, whoever gave it away",
            &three,
        )
        .with_approvals(&[dave[2]]),
        opens(
            "approval_not_needed",
            "the third approval is wrong, and two are enough",
            &three,
        )
        .by(&["bob"])
        .with_approvals(&[dave[0], dave[1], "gate_garbled_share_for_bob"]),
        opens(
            "approval_for_another_lock_ignored",
            "an approval for a lock that the envelope has not",
            &three,
        )
        .by(&["bob"])
        .with_approvals(&["gate_share_of_another_envelope_for_bob", dave[0], dave[1]]),
        opens(
            "approval_sealed_to_a_key_not_named",
            "who may read is not asked of the gate lock",
            &three,
        )
        .by(&["bob", "eve"])
        .with_approvals(&["gate_share_of_dave_for_eve", dave[1]]),
    ]
}

fn beside_other_locks() -> Vec<Case> {
    let gates = || Gates::of(1, 1, &[&DAVE]);
    let words = gates().unlisted().owned_by(&[]).behind(
        Wish::locks(&[Lock::of(1, &[]).or("words")]),
        "words and gate",
    );
    let or_words = gates().behind(
        Wish::locks(&[Lock::of(1, &[&BOB]).or("words")]),
        "or words and gate",
    );
    let quorum = gates().behind(
        Wish::locks(&[Lock::of(2, &[&ANN, &BOB, &CAROL])]),
        "quorum and gate",
    );
    let two = gates().behind(
        Wish::locks(&[Lock::of(1, &[&CAROL]), Lock::of(1, &[&BOB])]),
        "two locks and gate",
    );
    let seven = vec![Lock::of(1, &[&BOB]); 7];
    let seven = gates().behind(Wish::locks(&seven), "seven locks and gate");
    let private = gates().behind(
        Wish::of(&[&BOB, &EVE]).private().signed(&ANN),
        "private and gate",
    );
    let private_words = Lock::of(1, &[&EVE]).or("words");
    let private_words = gates().behind(
        Wish::locks(&[private_words]).private(),
        "private words and gate",
    );
    let private_locks = [Lock::of(2, &[&ANN, &BOB]), Lock::of(1, &[&BOB, &CAROL])];
    let private_locks = Gates::of(2, 1, &[&DAVE, &CAROL]).behind(
        Wish::locks(&private_locks).private(),
        "private locks, two of three",
    );
    let granted = one_of_two();
    let slot = granted
        .forge
        .granted(0, &EVE, &granted.forge.parts[0][0], &BOB);
    let slots = [granted.slots(), vec![slot]].concat();
    let granted = Case::envelope(
        "gate_granted",
        "Eve has a slot from Bob: she has no pass, and Dave helps",
        granted.with_slots(&slots),
    );
    vec![
        opens("beside_passphrase", "a passphrase, and no list", &words)
            .by(&["dave"])
            .with_passphrase("words"),
        opens(
            "beside_key_or_passphrase",
            "a key or a passphrase",
            &or_words,
        )
        .by(&["dave"])
        .with_passphrase("words"),
        opens("beside_quorum", "two of three, and the gate lock", &quorum)
            .by(&["ann", "bob", "dave"]),
        opens("beside_two_locks", "Carol's and Bob's lock", &two).by(&["bob", "carol", "dave"]),
        opens(
            "behind_seven_locks",
            "as many locks as there can be",
            &seven,
        ),
        opens(
            "private",
            "the helper's slot is found by its key in line 2",
            &private,
        ),
        opens(
            "private_passphrase",
            "a private envelope with a passphrase",
            &private_words,
        )
        .by(&["dave"])
        .with_passphrase("words"),
        opens(
            "private_locks",
            "a quorum, a lock and two of three gates",
            &private_locks,
        )
        .by(&["ann", "bob", "carol", "dave"]),
        granted.by(&["eve", "dave"]).opens_to(HELLO, "granted"),
    ]
}

/// The ticket is a hash of the bytes: these are other locks than the plain one, and as good.
fn forms() -> Vec<Case> {
    let forge = one_of_two();
    let backwards = {
        let members = forge.lock.strip_prefix("{\"kind\":\"gate\",").unwrap();
        format!(
            "{{{},\"kind\":\"gate\"}}",
            members.strip_suffix('}').unwrap()
        )
    };
    let spaced = forge.lock.replace(",\"", " , \"").replace("\":", "\" : ");
    let spaced = format!("{{  {}  }}", &spaced[1..spaced.len() - 1]);
    vec![
        opens(
            "kind_last",
            "the order of members is free",
            &forge.with_lock(&backwards),
        ),
        opens(
            "blanks",
            "blanks between all tokens of the lock",
            &forge.with_lock(&spaced),
        ),
        opens(
            "escape_in_a_name",
            "kin\\u0064",
            &forge.edited("\"kind\":\"gate\"", "\"kin\\u0064\":\"gate\""),
        ),
        opens(
            "escape_in_a_value",
            "g\\u0061te",
            &forge.edited("\"kind\":\"gate\"", "\"kind\":\"g\\u0061te\""),
        ),
        opens(
            "escapes_in_a_url",
            "a solidus with a backslash",
            &forge.edited("https://", "https:\\/\\/"),
        ),
        opens(
            "brackets_in_a_name",
            "brackets and a quote inside a text end no object",
            &forge.edited("\"gate0\"", "\"}]\\\"{\""),
        ),
        opens(
            "letters_of_another_script",
            "bytes of UTF-8, not characters",
            &forge.edited("\"gate0\"", "\"\u{95a2}\u{6240}\""),
        ),
        opens(
            "blanks_around",
            "blanks around the lock are not of it",
            &forge.with_policy(&forge.lock, &format!("  {}  ", forge.lock)),
        ),
        opens(
            "lease",
            "a lease",
            &forge.edited("\"need\":1", "\"need\":1,\"lease\":3600"),
        ),
        opens(
            "without_names",
            "neither name nor url",
            &Gates::of(1, 1, &[&DAVE])
                .behind(Wish::of(&[&BOB]), "no names")
                .edited(
                    ",\"name\":\"gate0\",\"url\":\"https://gate0.example.org\"",
                    "",
                ),
        ),
    ]
}

fn limits() -> Vec<Case> {
    let forge = one_of_two();
    let eight = Gates::of(1, 7, &[&DAVE]).behind(Wish::of(&[&BOB]), "eight gates");
    let all = Gates::of(3, 5, &[&DAVE, &CAROL, &FRANK]).behind(Wish::of(&[&BOB]), "three of eight");
    let owners: Vec<_> = SERVERS
        .iter()
        .chain([&*ANN, &*BOB, &*CAROL, &*DAVE, &*EVE, &*FRANK])
        .collect();
    let two = [7, 8].map(|byte| format!("\"{}\",", encl::json::to_b64(&[byte; 32])));
    let owners = Gates::of(1, 1, &[&DAVE])
        .owned_by(&owners)
        .behind(Wish::of(&[&BOB]), "many owners")
        .edited("\"owners\":[", &format!("\"owners\":[{}", two.concat()));
    vec![
        opens("eight_gates", "eight gates", &eight),
        opens("three_of_eight", "three of eight", &all).by(&["bob", "carol", "dave", "frank"]),
        opens("owners_16", "16 owners", &owners),
        opens(
            "no_owner",
            "an empty list",
            &Gates::of(1, 1, &[&DAVE])
                .owned_by(&[])
                .behind(Wish::of(&[&BOB]), "no owner"),
        ),
        opens(
            "unlisted",
            "no members and no passes",
            &Gates::of(1, 1, &[&DAVE])
                .unlisted()
                .behind(Wish::of(&[&BOB]), "no list"),
        ),
        opens(
            "lease_of_a_second",
            "the shortest",
            &forge.edited("\"need\":1", "\"need\":1,\"lease\":1"),
        ),
        opens(
            "lease_of_30_days",
            "the longest",
            &forge.edited("\"need\":1", "\"need\":1,\"lease\":2592000"),
        ),
        opens(
            "name_of_256_bytes",
            "128 characters",
            &forge.edited("\"gate0\"", &format!("\"{}\"", "\u{e9}".repeat(128))),
        ),
        opens(
            "url_of_255_bytes",
            "a long address",
            &forge.edited("https://", &format!("https://{}", "a".repeat(230))),
        ),
        opens("lock_of_8192_bytes", "blanks count", &filled(&forge, 8_192)),
    ]
}

/// What binds servers only.
fn not_judged() -> Vec<Case> {
    let forge = one_of_two();
    let hash = encl::json::to_b64(&[7; 32]);
    let saying = |members: &str| {
        Gates::of(1, 1, &[&DAVE])
            .saying(members)
            .behind(Wish::of(&[&BOB]), "dates")
    };
    let value = |name: &str| crate::kit_maker::edits::member(&forge.lock, name);
    vec![
        opens(
            "expired",
            "by the gate's clock, not by the reader's",
            &saying(",\"expires\":\"2026-01-01T00:00:00Z\""),
        ),
        opens(
            "not_yet",
            "by the gate's clock, not by the reader's",
            &saying(",\"not_before\":\"2027-01-01T00:00:00Z\""),
        ),
        opens(
            "never",
            "ends before it begins",
            &saying(
                ",\"not_before\":\"2027-01-01T00:00:00Z\",\"expires\":\"2026-01-01T00:00:00Z\"",
            ),
        ),
        opens(
            "another_holder",
            "a holder that nobody is: servers would not answer",
            &forge.edited(&value("holder"), &hash),
        ),
        opens(
            "another_list",
            "a key that made no pass",
            &forge.edited(&value("members"), &hash),
        ),
    ]
}

/// The gate lock has no part in who let the reader in.
fn admissions() -> Vec<Case> {
    let forge = approved();
    let bytes = forge.with_slots(&[forge.forge.slots()[..1].to_vec(), forge.gate_slots()].concat());
    let case = |name: &str, comment: &str| Case::envelope(name, comment, bytes.clone());
    let two = Gates::of(1, 1, &[&DAVE, &CAROL]).behind(Wish::of(&[&BOB]), "a spoilt slot");
    let mut slots = two.gate_slots();
    slots[2] = two.slot_holding(2, &[7; 32]);
    let spoilt = two.with_gate_slots(&slots);
    vec![
        case(
            "gate_lock_of_people_by_approval",
            "the first lock by an approval alone, sealed to a key of the policy",
        )
        .by(&["bob", "dave"])
        .with_approvals(&["gate_lock_0_for_bob"])
        .opens(HELLO),
        case(
            "gate_lock_of_people_by_approval_for_another",
            "the first lock by an approval alone; Dave's slot does not count",
        )
        .by(&["eve", "dave"])
        .with_approvals(&["gate_lock_0_for_eve"])
        .opens_to(HELLO, "unrecorded"),
        Case::envelope(
            "gate_spoilt_slot_behind_a_good_one",
            "one is enough: the second is not looked at",
            spoilt.clone(),
        )
        .by(&["bob", "dave", "carol"])
        .opens(HELLO),
        Case::envelope(
            "gate_spoilt_slot_before_a_good_one",
            "the order of the reader's keys decides",
            spoilt,
        )
        .by(&["bob", "carol", "dave"])
        .refused("slot"),
    ]
}

/// For Ann and Bob, with a server and Dave.
pub(super) fn approved() -> GateForge {
    Gates::of(1, 1, &[&DAVE]).behind(Wish::of(&[&ANN, &BOB]), "approved beside gates")
}
