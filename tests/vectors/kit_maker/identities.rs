//! Identity files and revocations.

use encl::crypto::signing::Purpose;
use encl::json::to_b64;

use super::carriers::{card, carried, quoted, signed};
use super::case::Case;
use super::edits::{changed, loosened, member};
use super::forge::{Lock, Wish};
use super::people::{BOB, CAROL, CREATED, EVE, FRANK, Person};

pub(super) fn cases() -> Vec<Case> {
    [revocations(), identities(), identities_at_rest()]
        .into_iter()
        .flatten()
        .collect()
}

fn revocations() -> Vec<Case> {
    let line = format!(
        r#"{{"revocation":"encl/1","id":"{}","created":"{CREATED}"}}"#,
        BOB.id()
    );
    let text = |line: &str, root: &Person| {
        carried(
            "encl-revocation1:",
            &signed(line, root, Purpose::Revocation),
        ) + "\n"
    };
    let case = |name: &str, class: &str, comment: &str, text: String| {
        Case::revocation(name, comment, text).refused(class)
    };
    vec![
        Case::revocation("bob", "Bob's identity ends", text(&line, &BOB)).of(BOB.root.id().0),
        Case::revocation("quoted", "wrapped and quoted", quoted(&text(&line, &BOB)))
            .of(BOB.root.id().0),
        case(
            "another_prefix",
            "not-a-card",
            "a card",
            card(&BOB.card(), &BOB),
        ),
        case(
            "character_changed",
            "mangled",
            "a character of the first group",
            text(&line, &BOB).replacen(":e", ":f", 1),
        ),
        case(
            "signature_by_another_key",
            "signature",
            "signed by Eve",
            text(&line, &EVE),
        ),
        case(
            "signature_of_a_card",
            "signature",
            "under the label of cards: a card must never pass for a revocation",
            carried("encl-revocation1:", &signed(&line, &BOB, Purpose::Card)),
        ),
        case(
            "line_version_2",
            "newer",
            "encl/2 in the line",
            text(&line.replace("encl/1", "encl/2"), &BOB),
        ),
        case(
            "unknown_member",
            "newer",
            "a reason",
            text(&line.replace("\"id\"", "\"reason\":\"lost\",\"id\""), &BOB),
        ),
        case(
            "created_missing",
            "malformed",
            "a due member is missing",
            text(
                &line.replace(&format!(",\"created\":\"{CREATED}\""), ""),
                &BOB,
            ),
        ),
    ]
}

fn identities() -> Vec<Case> {
    let mut cases: Vec<Case> = [&*BOB, &*CAROL, &*FRANK]
        .into_iter()
        .map(|person| {
            let comment = format!("the identity of {}", person.name);
            Case::identity(&person.file(), &comment, person.identity() + "\n")
                .of(person.root.id().0)
        })
        .collect();
    let line = BOB.identity();
    let key = &line[line.find("\"keys\":[").unwrap() + 8..line.len() - 2];
    let second = |serial: u32, secret: &str| {
        format!(
            "{key},{}",
            key.replace("\"serial\":1", &format!("\"serial\":{serial}"))
                .replace(&member(key, "secret"), secret)
        )
    };
    let keys: Vec<_> = (1..=17)
        .map(|serial| {
            key.replace(
                &member(key, "secret"),
                &to_b64(&[u8::try_from(serial).unwrap(); 32]),
            )
            .replace("\"serial\":1", &format!("\"serial\":{serial}"))
        })
        .collect();
    for (name, class, comment, from, to) in [
        (
            "id_of_another_seed",
            "malformed",
            "id is not the public key of seed",
            member(&line, "id"),
            EVE.id(),
        ),
        (
            "seed_changed",
            "malformed",
            "id is not the public key of seed",
            member(&line, "seed"),
            changed(&member(&line, "seed")),
        ),
        (
            "seed_missing",
            "malformed",
            "a due member is missing",
            format!("\"seed\":\"{}\",", member(&line, "seed")),
            String::new(),
        ),
        (
            "secret_of_31_bytes",
            "malformed",
            "a short secret",
            member(&line, "secret"),
            to_b64(&[7; 31]),
        ),
        (
            "secret_not_canonical",
            "malformed",
            "a bit too many in the last character",
            member(&line, "secret"),
            loosened(&member(&line, "secret")),
        ),
        (
            "no_key",
            "malformed",
            "an empty list",
            key.to_owned(),
            String::new(),
        ),
        (
            "serial_0",
            "malformed",
            "serials count from 1",
            "\"serial\":1".into(),
            "\"serial\":0".into(),
        ),
        (
            "key_serial_twice",
            "malformed",
            "two keys with one serial",
            key.to_owned(),
            second(1, &to_b64(&[7; 32])),
        ),
        (
            "key_twice",
            "malformed",
            "one key with two serials",
            key.to_owned(),
            second(2, &member(key, "secret")),
        ),
        (
            "keys_17",
            "over-limit",
            "17 keys",
            key.to_owned(),
            keys.join(","),
        ),
        (
            "kem_unknown",
            "newer",
            "a KEM that is not known",
            "\"x25519\"".into(),
            "\"x448\"".into(),
        ),
        (
            "version_2",
            "newer",
            "encl/2",
            "encl/1".into(),
            "encl/2".into(),
        ),
        (
            "unknown_member",
            "newer",
            "a member that identities have not",
            "\"seed\"".into(),
            "\"name\":\"Bob\",\"seed\"".into(),
        ),
        (
            "json_cut",
            "malformed",
            "the object does not close",
            "]}".into(),
            "]".into(),
        ),
    ] {
        assert!(line.contains(&from), "{name}");
        cases.push(
            Case::identity(name, comment, line.replacen(&from, &to, 1) + "\n").refused(class),
        );
    }
    cases
}

fn identities_at_rest() -> Vec<Case> {
    let forge = Wish::locks(&[Lock::of(1, &[]).or("words")]).forge("identity at rest");
    let sealed = forge.honest((BOB.identity() + "\n").as_bytes());
    vec![
        Case::identity("at_rest", "sealed to a passphrase", sealed.clone())
            .of(BOB.root.id().0)
            .with_passphrase("words"),
        Case::identity(
            "at_rest_wrong_passphrase",
            "sealed to another one",
            sealed.clone(),
        )
        .with_passphrase("other words")
        .refused("passphrase"),
        Case::identity(
            "at_rest_cut",
            "a byte is missing at the end",
            &sealed[..sealed.len() - 1],
        )
        .with_passphrase("words")
        .refused("damaged"),
    ]
}
