//! Other readers, written from FORMAT.md alone, must give the same answer as ours: class, and length and hash of the released
//! content.

use std::io::Write;

use encl::crypto::Kem;
use encl::crypto::passphrase::Passphrase;
use encl::crypto::signing::SigningKey;
use encl::envelope::{ArmorWriter, LockRequest, SealRequest};
use encl::json::to_b64;
use encl::policy::Padding;

use crate::every_bit::step;
use crate::kit::{Forge, Parts, Person, access, cheap, flipped, request, rng, sealed};
use crate::other_readers::{Case, agree};
use crate::second_reader_access;

const WORDS: &str = "correct horse";

#[test]
fn other_readers_answer_like_ours() {
    let people = [
        Person::classic("Bob"),
        Person::new("Hybrid", Kem::XWing),
        Person::classic("Stranger"),
    ];
    let cases = cases(&people);
    assert!(cases.len() > 5_000);
    agree(&cases, &people);
}

/// Honest envelopes of every feature, and changed forms of them.
fn cases(people: &[Person; 3]) -> Vec<Case> {
    let author = SigningKey::generate(&mut rng());
    let mut cases = Vec::new();
    let mut add = |what: String, bytes: Vec<u8>, reader: usize, passphrase| {
        cases.push(Case {
            what,
            bytes,
            readers: vec![reader],
            approvals: Vec::new(),
            passphrase,
        });
    };
    let content: Vec<u8> = (0..=255).cycle().take(40_000).collect();
    for features in 0..16_usize {
        let on = |bit: usize| features >> bit & 1 == 1;
        let readers: &[&Person] = if on(3) { &[&people[1]] } else { &[&people[0]] };
        let mut wish = request(readers, on(0).then_some(&author));
        wish.private = on(1);
        wish.padding = if on(2) { Padding::Padme } else { Padding::None };
        wish.labels = [("class".to_owned(), "internal".to_owned())].into();
        for size in [0, 1, 5_000, 16_383, 16_384, 40_000] {
            let envelope = sealed(&wish, &content[..size]);
            for reader in 0..3 {
                add(
                    format!("features {features:b}, {size} bytes"),
                    envelope.clone(),
                    reader,
                    None,
                );
            }
        }
    }
    for (what, envelope) in bases(people, &author) {
        let head = envelope.len() - Parts::of(&envelope).payload.len();
        for bit in (0..head * 8).step_by(usize::try_from(step(3)).unwrap()) {
            add(
                format!("{what}, bit {bit}"),
                flipped(&envelope, bit as u64),
                0,
                None,
            );
        }
        for bit in (head as u64 * 8..envelope.len() as u64 * 8).step_by(37) {
            add(
                format!("{what}, bit {bit}"),
                flipped(&envelope, bit),
                0,
                None,
            );
        }
        for cut in (0..envelope.len()).step_by(7) {
            add(
                format!("{what}, cut at {cut}"),
                envelope[..cut].to_vec(),
                0,
                None,
            );
        }
        for tail in [1, 15, 16, 16_384, 16_400] {
            add(
                format!("{what}, {tail} appended"),
                [envelope.clone(), vec![0; tail]].concat(),
                0,
                None,
            );
        }
    }
    for (what, bytes, words) in with_passphrase(people) {
        add(what, bytes, 2, words);
    }
    for (what, bytes) in forged(people).into_iter().chain(armored(people)) {
        add(what, bytes, 0, None);
    }
    cases.extend(second_reader_access::cases(people));
    cases
}

/// Small envelopes for the attacks on every bit.
fn bases(people: &[Person; 3], author: &SigningKey) -> Vec<(&'static str, Vec<u8>)> {
    let mut signed = request(&[&people[0]], Some(author));
    signed.labels = [("d".to_owned(), "x".to_owned())].into();
    let mut private = request(&[&people[0]], Some(author));
    (private.private, private.padding) = (true, Padding::Padme);
    let mut two = request(&[&people[0]], None);
    two.locks.push(LockRequest {
        recipients: vec![people[0].addressee(), people[2].addressee()],
        ..LockRequest::default()
    });
    let small = |wish: &SealRequest<'_>| sealed(wish, &[0x80, 0, 0, b'x', 0]);
    vec![
        ("signed", small(&signed)),
        ("private", small(&private)),
        ("two locks", small(&two)),
    ]
}

fn with_passphrase(people: &[Person; 3]) -> Vec<(String, Vec<u8>, Option<&'static str>)> {
    let words = Passphrase::new(WORDS).unwrap();
    let mut wish = request(&[&people[0]], None);
    wish.locks[0].passphrase = Some(cheap(&words));
    let envelope = sealed(&wish, b"for whoever knows it");
    let mut cases = Vec::new();
    for given in [Some(WORDS), Some("wrong horse"), None] {
        cases.push((format!("passphrase {given:?}"), envelope.clone(), given));
    }
    let head = envelope.len() as u64 * 8;
    for bit in (0..head).step_by(211) {
        cases.push((
            format!("passphrase, bit {bit}"),
            flipped(&envelope, bit),
            Some(WORDS),
        ));
    }
    cases
}

fn armored(people: &[Person; 3]) -> Vec<(String, Vec<u8>)> {
    let mut writer = ArmorWriter::new(Vec::new()).unwrap();
    writer
        .write_all(&sealed(&request(&[&people[0]], None), b"in text"))
        .unwrap();
    let text = writer.finish().unwrap();
    let bits = (0..text.len() as u64 * 8)
        .step_by(5)
        .map(|bit| (format!("armor, bit {bit}"), flipped(&text, bit)));
    let cuts = (0..text.len())
        .step_by(3)
        .map(|cut| (format!("armor, cut at {cut}"), text[..cut].to_vec()));
    bits.chain(cuts).collect()
}

/// Forgeries that only an insider can make.
fn forged(people: &[Person; 3]) -> Vec<(String, Vec<u8>)> {
    let forge = Forge::new(&[&people[0]], "");
    let slots = forge.slots(&[&people[0]]);
    let private = [
        "{}",
        "{",
        "[]",
        "null",
        r#"{"name":""}"#,
        r#"{"name":"a","name":"b"}"#,
        r#"{"x":1}"#,
        r#"{"name":1}"#,
        r#"{"modified":"2026-02-30T00:00:00Z"}"#,
        r#"{"mail":{"mode":"message","outer":[["a","b"]]}}"#,
        r#"{"mail":{"mode":"other"}}"#,
        r#"{"mail":{"outer":[["a","b","c"]],"mode":"message"}}"#,
        r#"{"signer":"AAAA"}"#,
        r#"{"recipients":[[]]}"#,
        r#"{"subject":"\u202e"}"#,
        r#"{"name":"\ud83d\ude00"}"#,
        "",
    ];
    let mut cases: Vec<_> = private
        .iter()
        .map(|line| {
            (
                format!("private line {line}"),
                forge.envelope(&slots, format!("{line}\nx").as_bytes()),
            )
        })
        .collect();
    cases.push(("no line feed".into(), forge.envelope(&slots, b"{}")));
    cases.push(("no content".into(), forge.envelope(&slots, b"")));
    for (from, to) in [
        ("\"need\":1", "\"need\":0"),
        ("\"need\":1", "\"need\":2"),
        ("\"need\":1", "\"need\":1,\"passphrase\":16"),
        ("\"need\":1", "\"need\":1,\"passphrase\":21"),
        ("\"need\":1", "\"need\":1,\"passphrase_commit\":\"AA==\""),
        ("\"none\"", "\"other\""),
        ("\"none\"", "\"padme\""),
        ("\"signed\":false", "\"signed\":true"),
        ("\"private\":false", "\"private\":true"),
        ("\"kind\"", "\"sort\""),
        ("\"recipients\",", "\"gate\","),
        ("{", "{\"expires\":\"2026-01-01T00:00:00Z\","),
        ("{", "{\"not_before\":\"2027-01-01T00:00:00Z\","),
        ("{", "{\"labels\":{},"),
        ("{", "{ "),
        ("Bob", "\\u0042ob"),
    ] {
        let mut other = Forge::new(&[&people[0]], "");
        other.policy = other.policy.replacen(from, to, 1);
        let slots = other.slots(&[&people[0]]);
        cases.push((
            format!("policy {from} to {to}"),
            other.envelope(&slots, b"{}\nx"),
        ));
    }
    // A slot's shape is checked at its end, before the members of the next slot.
    let salt = to_b64(&[7; 16]);
    let bad = format!(
        r#"{{"lock":0,"salt":"{salt}","ct":"{}"}}"#,
        to_b64(&[7; 48])
    );
    let unknown = forge.slot_with(&people[0], 0, &[7; 32], ",\"hint\":1");
    let both = forge.envelope(&access(&[bad, unknown]), b"{}\nx");
    cases.push(("two faults in two slots".into(), both));
    for secret in [[0; 32], [0x5e; 32]] {
        let slot = forge.slot_with(&people[0], 0, &secret, "");
        cases.push((
            format!("secret {}", secret[0]),
            forge.envelope(&access(&[slot]), b"{}\nx"),
        ));
    }
    cases
}
