//! Cards with a correct text form and faults in JSON, signature or keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encl::crypto::Kem;
use encl::crypto::signing::Purpose;
use encl::json::to_b64;

use super::carriers::{card, carried, signed};
use super::case::Case;
use super::edits::{edited, loosened, member};
use super::people::{BOB, CAROL, CREATED, DAVE, EVE, FRANK, Person};

pub(super) fn cases() -> Vec<Case> {
    [card_lines(), card_keys(), card_successions()]
        .into_iter()
        .flatten()
        .collect()
}

fn refused(name: &str, class: &str, comment: &str, text: impl Into<Vec<u8>>) -> Case {
    Case::card(name, comment, text).refused(class)
}

/// Cards that name a predecessor.
fn card_successions() -> Vec<Case> {
    let line = BOB.card();
    let sign = |old: &Person, new: &Person| {
        let signature = old.root.sign(Purpose::Succession, &[&new.root.id().0]).0;
        format!(
            "{{\"id\":\"{}\",\"sig\":\"{}\"}}",
            old.id(),
            to_b64(&signature)
        )
    };
    let text = |listed: &[String]| {
        let end = line.len() - 1;
        let line = format!("{},\"replaces\":[{}]}}", &line[..end], listed.join(","));
        card(&line, &BOB)
    };
    let (dave, eve) = (sign(&DAVE, &BOB), sign(&EVE, &BOB));
    let good = |name, comment, text: String| Case::card(name, comment, text).of(BOB.root.id().0);
    vec![
        good(
            "replaces_one",
            "Dave signed that Bob takes his place",
            text(std::slice::from_ref(&dave)),
        ),
        good("replaces_two", "so did Eve", text(&[dave.clone(), eve])),
        refused("replaces_nobody", "malformed", "an empty list", text(&[])),
        refused(
            "replaces_one_twice",
            "malformed",
            "Dave stands there twice",
            text(&[dave.clone(), dave.clone()]),
        ),
        refused(
            "replaces_itself",
            "malformed",
            "Bob took his own place",
            text(&[sign(&BOB, &BOB)]),
        ),
        refused(
            "replaces_five",
            "over-limit",
            "four is all there can be",
            text(&vec![dave.clone(); 5]),
        ),
        refused(
            "replaces_for_another",
            "signature",
            "Dave signed that Eve takes his place",
            text(&[sign(&DAVE, &EVE)]),
        ),
        refused(
            "replaces_unsigned",
            "signature",
            "Eve signed in Dave's name",
            text(&[sign(&EVE, &BOB).replace(&EVE.id(), &DAVE.id())]),
        ),
        refused(
            "replaces_with_more",
            "newer",
            "a member that there is none of",
            text(&[dave.replace("\"id\"", "\"on\":1,\"id\"")]),
        ),
    ]
}

fn card_lines() -> Vec<Case> {
    let line = BOB.card();
    let mut cases = Vec::new();
    let key = &line[line.find("\"keys\":[").unwrap() + 8..line.len() - 2];
    let addresses: Vec<_> = (0..17)
        .map(|number| format!("\"bob{number}@example.org\""))
        .collect();
    let keys: Vec<_> = (1..=17)
        .map(|serial| {
            let person = Person::new(&format!("Key {serial}"), &[Kem::X25519]);
            key.replace(&member(key, "key"), &to_b64(person.public().as_bytes()))
                .replace("\"serial\":1", &format!("\"serial\":{serial}"))
        })
        .collect();
    let same_serial = format!("{key},{}", keys[0]);
    let same_key = format!("{key},{}", key.replace("\"serial\":1", "\"serial\":2"));
    for (name, class, comment, from, to) in [
        (
            "json_cut",
            "malformed",
            "the object does not close",
            "]}",
            "]",
        ),
        (
            "member_twice",
            "malformed",
            "a name twice",
            "\"serial\":1,\"created\"",
            "\"serial\":1,\"serial\":1,\"created\"",
        ),
        (
            "name_missing",
            "malformed",
            "a due member is missing",
            "\"name\":\"Bob\",",
            "",
        ),
        (
            "name_of_257_bytes",
            "over-limit",
            "a long name",
            "\"Bob\"",
            &format!("\"{}\"", "B".repeat(257)),
        ),
        (
            "name_with_override",
            "malformed",
            "U+202E by an escape",
            "Bob",
            "B\\u202eob",
        ),
        (
            "unknown_member",
            "newer",
            "a member that cards have not",
            "\"name\"",
            "\"phone\":\"1\",\"name\"",
        ),
        (
            "line_version_2",
            "newer",
            "encl/2 in the line",
            "encl/1",
            "encl/2",
        ),
        (
            "kem_unknown",
            "newer",
            "a KEM that is not known",
            "\"x25519\"",
            "\"x448\"",
        ),
        (
            "no_address",
            "malformed",
            "an empty list",
            "\"bob@example.org\"",
            "",
        ),
        (
            "address_without_at",
            "malformed",
            "no @",
            "bob@example.org",
            "bob.example.org",
        ),
        (
            "address_with_two_at",
            "malformed",
            "two of them",
            "bob@example.org",
            "bob@home@example.org",
        ),
        (
            "address_without_domain",
            "malformed",
            "nothing behind the @",
            "bob@example.org",
            "bob@",
        ),
        (
            "address_with_white_space",
            "malformed",
            "U+3000, which has the property White_Space",
            "bob@example.org",
            "bob@example\u{3000}.org",
        ),
        (
            "address_twice",
            "malformed",
            "the same but for ASCII case",
            "\"bob@example.org\"",
            "\"bob@example.org\",\"BOB@example.org\"",
        ),
        (
            "addresses_17",
            "over-limit",
            "17 addresses",
            "\"bob@example.org\"",
            &addresses.join(","),
        ),
        (
            "serial_0",
            "malformed",
            "serials count from 1",
            "\"serial\":1,\"created\"",
            "\"serial\":0,\"created\"",
        ),
        (
            "serial_4294967296",
            "malformed",
            "a serial out of range",
            "\"serial\":1,\"created\"",
            "\"serial\":4294967296,\"created\"",
        ),
        ("no_key", "malformed", "an empty list", key, ""),
        ("keys_17", "over-limit", "17 keys", key, &keys.join(",")),
        (
            "key_serial_twice",
            "malformed",
            "two keys with one serial",
            key,
            &same_serial,
        ),
        (
            "key_twice",
            "malformed",
            "one key with two serials",
            key,
            &same_key,
        ),
        (
            "created_no_time",
            "malformed",
            "a date without a time of day",
            CREATED,
            "2026-11-24",
        ),
    ] {
        assert!(line.contains(from), "{name}");
        cases.push(refused(
            name,
            class,
            comment,
            card(&line.replacen(from, to, 1), &BOB),
        ));
    }
    cases
}

fn card_keys() -> Vec<Case> {
    let line = BOB.card();
    let text = card(&line, &BOB);
    let key = member(&line, "key");
    let with_key = |key: &[u8]| line.replace(&member(&line, "key"), &to_b64(key));
    let x_wing = CAROL.card();
    let x_wing_key = STANDARD.decode(member(&x_wing, "key")).unwrap();
    let with_x_wing = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut key = x_wing_key.clone();
        edit(&mut key);
        card(
            &x_wing.replace(&member(&x_wing, "key"), &to_b64(&key)),
            &CAROL,
        )
    };
    let neutral = to_b64(&{
        let mut point = [0; 32];
        point[0] = 1;
        point
    });
    let mut content = signed(&line, &BOB, Purpose::Card);
    let end = content.len() - 1;
    content[end] ^= 1;
    vec![
        refused(
            "signature_changed",
            "signature",
            "a bit of it is another",
            carried("encl-card1:", &content),
        ),
        refused(
            "signature_by_another_key",
            "signature",
            "signed by Eve",
            card(&line, &EVE),
        ),
        refused(
            "signature_of_a_revocation",
            "signature",
            "under another label",
            carried("encl-card1:", &signed(&line, &BOB, Purpose::Revocation)),
        ),
        refused(
            "line_changed",
            "signature",
            "the name was changed, the check characters made anew",
            {
                let whole = signed(&line, &BOB, Purpose::Card);
                carried("encl-card1:", &edited(&whole, "\"Bob\"", "\"Rob\""))
            },
        ),
        refused(
            "root_of_small_order",
            "signature",
            "the root key is the neutral point, under which anything can be signed",
            {
                let line = line.replace(&BOB.id(), &neutral);
                let mut signature = [0; 64];
                signature[0] = 1;
                carried(
                    "encl-card1:",
                    &[line.as_bytes(), b"\n", &signature].concat(),
                )
            },
        ),
        refused(
            "signature_before_keys",
            "signature",
            "signed by Eve, and the key is bad too",
            card(&with_key(&[0; 32]), &EVE),
        ),
        refused(
            "key_of_low_order",
            "key",
            "an X25519 key that gives the all-zero result",
            card(&with_key(&[0; 32]), &BOB),
        ),
        refused(
            "key_of_the_other_kem",
            "key",
            "x25519, and 1,216 bytes",
            card(&with_key(&x_wing_key), &BOB),
        ),
        refused(
            "x_wing_key_of_32_bytes",
            "key",
            "x-wing, and 32 bytes",
            card(&line.replace("\"x25519\"", "\"x-wing\""), &BOB),
        ),
        refused(
            "x_wing_key_not_reduced",
            "key",
            "the first coefficient is 3,329",
            with_x_wing(&|key| {
                key[0] = 0x01;
                key[1] = key[1] & 0xf0 | 0x0d;
            }),
        ),
        refused(
            "x_wing_last_coefficient_not_reduced",
            "key",
            "the last coefficient is 4,095",
            with_x_wing(&|key| {
                key[1_150] |= 0xf0;
                key[1_151] = 0xff;
            }),
        ),
        refused(
            "x_wing_half_of_low_order",
            "key",
            "the X25519 half gives the all-zero result",
            with_x_wing(&|key| key[1_184..].fill(0)),
        ),
        refused(
            "key_of_33_bytes",
            "malformed",
            "a length that no KEM has",
            card(&with_key(&[9; 33]), &BOB),
        ),
        refused(
            "key_not_canonical",
            "malformed",
            "a bit too many in the last character",
            card(&line.replace(&key, &loosened(&key)), &BOB),
        ),
        refused("one_bad_key_of_two", "key", "the second key is good", {
            let bad = FRANK
                .card()
                .replace(&member(&FRANK.card(), "key"), &to_b64(&[0; 32]));
            card(&bad, &FRANK)
        }),
        refused(
            "approval_for_a_card",
            "not-a-card",
            "an approval's prefix",
            text.replace("encl-card1:", "encl-approval1:"),
        ),
    ]
}
