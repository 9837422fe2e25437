//! Step 3: faults of line 3.

use encl::json::to_b64;

use super::case::Case;
use super::edits::{Parts, edited, loosened, member};
use super::forge::{Forge, Lock, Wish, access, plain};
use super::people::{ANN, BOB, CAROL, DAVE};

pub(super) fn cases() -> Vec<Case> {
    [edits(), slots(), shapes(), passphrases(), grants()]
        .into_iter()
        .flatten()
        .collect()
}

/// An envelope with another line 3. Its mac is wrong, but the mac is checked later.
fn refused(
    name: &str,
    class: &str,
    comment: &str,
    forge: &Forge,
    line: impl Into<Vec<u8>>,
) -> Case {
    let bytes = Parts::of(&forge.honest(b"hello")).with_access(line);
    Case::envelope(&format!("access_{name}"), comment, bytes).refused(class)
}

fn edits() -> Vec<Case> {
    let line = access(&plain().slots());
    let mut cases = Vec::new();
    for (name, class, from, to, comment) in [
        (
            "no_json",
            "malformed",
            "{\"slots\"",
            "{slots",
            "a name without quotes",
        ),
        (
            "slots_missing",
            "malformed",
            &line[1..line.len() - 1],
            "",
            "no member",
        ),
        (
            "slots_is_an_object",
            "malformed",
            "[",
            "{},\"x\":[",
            "an object for a list",
        ),
        (
            "unknown_member",
            "newer",
            "{",
            "{\"x\":1,",
            "a member beside slots",
        ),
        (
            "unknown_member_of_a_slot",
            "newer",
            "{\"lock\"",
            "{\"hint\":\"B\",\"lock\"",
            "a member that slots have not",
        ),
        (
            "member_twice",
            "malformed",
            "\"lock\":0",
            "\"lock\":0,\"lock\":0",
            "a name twice",
        ),
        (
            "lock_missing",
            "malformed",
            "\"lock\":0,",
            "",
            "a slot of no lock",
        ),
        (
            "lock_that_is_not_there",
            "malformed",
            "\"lock\":0",
            "\"lock\":1",
            "the policy has one lock",
        ),
        (
            "lock_that_is_not_there_before_unknown",
            "malformed",
            "\"lock\":0",
            "\"lock\":1,\"x\":1",
            "the position is judged as it is met",
        ),
        (
            "lone_surrogate_in_a_name",
            "malformed",
            "slots",
            "\\u0073lot\\ud800",
            "a lone surrogate in a name",
        ),
    ] {
        let edited = edited(line.as_bytes(), from, to);
        cases.push(refused(name, class, comment, &plain(), edited));
    }
    cases
}

fn slots() -> Vec<Case> {
    let forge = plain();
    let line = access(&forge.slots());
    let [key, enc, ct] = ["key", "enc", "ct"].map(|name| member(&line, name));
    let case =
        |name: &str, comment: &str, line: String| refused(name, "malformed", comment, &forge, line);
    let without = |name: &str, value: &str| line.replace(&format!(",\"{name}\":\"{value}\""), "");
    vec![
        case(
            "key_missing",
            "not private, and a slot without key",
            without("key", &key),
        ),
        case("enc_missing", "a slot without enc", without("enc", &enc)),
        case("ct_missing", "a slot without ct", without("ct", &ct)),
        case(
            "key_of_31_bytes",
            "a short key",
            line.replace(&key, &to_b64(&[7; 31])),
        ),
        case(
            "enc_of_33_bytes",
            "a length that no KEM has",
            line.replace(&enc, &to_b64(&[7; 33])),
        ),
        case("enc_empty", "an empty text", line.replace(&enc, "")),
        case(
            "ct_of_47_bytes",
            "a length that no slot has",
            line.replace(&ct, &to_b64(&[7; 47])),
        ),
        case(
            "ct_of_a_share",
            "49 bytes where one is enough",
            line.replace(&ct, &to_b64(&[7; 49])),
        ),
        case(
            "ct_of_a_passphrase_slot",
            "104 bytes in a slot for a key",
            line.replace(&ct, &to_b64(&[7; 104])),
        ),
        case(
            "enc_not_canonical",
            "a bit too many in the last character",
            line.replace(&enc, &loosened(&enc)),
        ),
        case(
            "slot_twice",
            "two slots of one lock for one key",
            access(&[forge.slots(), forge.slots()].concat()),
        ),
        case(
            "slot_is_a_text",
            "a text for a slot",
            access(&["\"slot\"".to_owned()]),
        ),
        case("text_behind", "text behind the object", format!("{line}]")),
    ]
}

fn shapes() -> Vec<Case> {
    let forge = Wish::of(&[&BOB]).private().forge("private access");
    let line = access(&forge.slots());
    let quorum = Wish::locks(&[Lock::of(2, &[&ANN, &BOB, &CAROL])]).forge("quorum access");
    let quorum_line = access(&quorum.slots());
    let ct = member(&quorum_line, "ct");
    let salt = to_b64(&[7; 16]);
    let plain_line = access(&plain().slots());
    let bad_and_unknown = [
        format!(
            r#"{{"lock":0,"salt":"{salt}","ct":"{}"}}"#,
            to_b64(&[7; 48])
        ),
        plain().slot(0, &BOB, &[7; 32], ",\"hint\":1"),
    ];
    vec![
        refused(
            "private_with_key",
            "malformed",
            "private, and a slot says whose it is",
            &forge,
            line.replace(
                "\"lock\":0",
                &format!("\"lock\":0,\"key\":\"{}\"", BOB.key()),
            ),
        ),
        refused(
            "private_with_grant",
            "malformed",
            "private, and a slot has a grant",
            &forge,
            {
                let mut open = forge.clone();
                open.wish.private = false;
                let granted = open.granted(0, &DAVE, &forge.parts[0][0], &BOB);
                access(&[granted.replace(&format!("\"key\":\"{}\",", DAVE.key()), "")])
            },
        ),
        refused(
            "quorum_ct_of_a_secret",
            "malformed",
            "48 bytes where a share is due",
            &quorum,
            quorum_line.replace(&ct, &to_b64(&[7; 48])),
        ),
        refused(
            "salt_and_enc",
            "malformed",
            "a slot of both shapes",
            &plain(),
            plain_line.replace("\"lock\":0", &format!("\"lock\":0,\"salt\":\"{salt}\"")),
        ),
        refused(
            "passphrase_slot_of_48_bytes",
            "malformed",
            "a passphrase slot of another length is judged when it closes, before the next slot's unknown member",
            &plain(),
            access(&bad_and_unknown),
        ),
        refused(
            "passphrase_slot_for_none",
            "malformed",
            "the lock has no passphrase",
            &plain(),
            {
                let slot = format!(
                    r#"{{"lock":0,"salt":"{salt}","ct":"{}"}}"#,
                    to_b64(&[7; 104])
                );
                access(&[plain().slots(), vec![slot]].concat())
            },
        ),
    ]
}

fn passphrases() -> Vec<Case> {
    let forge = Wish::locks(&[Lock::of(1, &[&BOB]).or("words")]).forge("passphrase access");
    let slots = forge.slots();
    let two = [slots.clone(), slots[1..].to_vec()].concat();
    let salt = member(&slots[1], "salt");
    vec![
        refused(
            "passphrase_slot_missing",
            "malformed",
            "the lock has a passphrase and no slot for it",
            &forge,
            access(&slots[..1]),
        ),
        refused(
            "passphrase_slot_twice",
            "malformed",
            "two slots for the passphrase",
            &forge,
            access(&two),
        ),
        refused(
            "passphrase_slot_with_key",
            "malformed",
            "a passphrase slot has no key",
            &forge,
            access(&slots).replace("\"salt\"", &format!("\"key\":\"{}\",\"salt\"", BOB.key())),
        ),
        refused(
            "salt_of_15_bytes",
            "malformed",
            "a short salt",
            &forge,
            access(&slots).replace(&salt, &to_b64(&[7; 15])),
        ),
    ]
}

fn grants() -> Vec<Case> {
    let forge = plain();
    let secret = forge.parts[0][0].clone();
    let granted = forge.granted(0, &DAVE, &secret, &BOB);
    let case = |name: &str, class: &str, comment: &str, granted: String| {
        refused(
            name,
            class,
            comment,
            &forge,
            access(&[forge.slots(), vec![granted]].concat()),
        )
    };
    let (sig, by) = (member(&granted, "sig"), member(&granted, "by"));
    vec![
        case(
            "grant_without_signature",
            "malformed",
            "a due member is missing",
            granted.replace(&format!(",\"sig\":\"{sig}\""), ""),
        ),
        case(
            "grant_of_nobody",
            "malformed",
            "by is missing",
            granted.replace(&format!("\"by\":\"{by}\","), ""),
        ),
        case(
            "grant_signature_of_63_bytes",
            "malformed",
            "a short signature",
            granted.replace(&sig, &to_b64(&[7; 63])),
        ),
        case(
            "grant_at_no_time",
            "malformed",
            "at is no time",
            granted.replace("T06:24:00Z", " 06:24"),
        ),
        case(
            "grant_unknown_member",
            "newer",
            "a member that grants have not",
            granted.replace("\"by\"", "\"why\":\"holiday\",\"by\""),
        ),
        case(
            "grant_name_of_257_bytes",
            "over-limit",
            "a long name",
            granted.replace("\"Dave\"", &format!("\"{}\"", "D".repeat(257))),
        ),
        case("grant_is_a_text", "malformed", "a text for a grant", {
            let at = granted.find("\"grant\"").unwrap();
            format!("{}\"grant\":\"Bob\"}}", &granted[..at])
        }),
    ]
}
