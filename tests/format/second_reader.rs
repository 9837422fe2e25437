//! A second reader, written in Python from FORMAT.md alone, must give the same answer as ours: class, and length and hash of
//! the released content.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use encl::crypto::Kem;
use encl::crypto::passphrase::Passphrase;
use encl::crypto::signing::SigningKey;
use encl::envelope::{Admission, Approval, ArmorWriter, LockRequest, SealRequest};
use encl::json::to_b64;
use encl::policy::Padding;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::kit::{
    Forge, Keys, NOW, Parts, Person, access, cheap, flipped, open_with, request, rng, sealed,
};
use crate::python::python;
use crate::second_reader_access;
use crate::support::process;

/// One envelope, honest or not, with the readers, passphrase and approvals that try to open it.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) readers: Vec<usize>,
    /// The bytes of approvals, which may be invalid.
    pub(crate) approvals: Vec<Vec<u8>>,
    pub(crate) passphrase: Option<&'static str>,
}

const WORDS: &str = "correct horse";

/// The identity line of a person, written by hand.
pub(crate) fn identity_file(folder: &Path, person: &Person) -> PathBuf {
    let path = folder.join(format!("{}.identity", person.name));
    let line = json!({
        "identity": "encl/1",
        "id": to_b64(&person.root.id().0),
        "seed": to_b64(person.root.seed().expose()),
        "keys": [{
            "kem": person.key.kem().name(),
            "secret": to_b64(person.key.secret().expose()),
            "serial": 1,
            "created": NOW,
        }],
    });
    fs::write(&path, format!("{line}\n")).unwrap();
    path
}

/// The answer of our reader: the class, the released content, and the admission if the envelope opened.
fn ours(case: &Case, people: &[Person]) -> (String, u64, String) {
    let nothing = || hex::encode(Sha256::digest([]));
    let approvals = case
        .approvals
        .iter()
        .map(|bytes| Approval::from_bytes(bytes));
    let approvals: Vec<_> = match approvals.collect::<Result<_, _>>() {
        Ok(approvals) => approvals,
        Err(error) => return (error.class().to_owned(), 0, nothing()),
    };
    let readers: Vec<_> = case.readers.iter().map(|at| &people[*at]).collect();
    let mut keys = Keys::of(&readers);
    keys.passphrase = case.passphrase;
    let outcome = open_with(&case.bytes, &mut keys, &approvals);
    let class = match (outcome.class, outcome.admission) {
        (Some(class), _) => class.name(),
        (None, Some(Admission::Named)) => "ok, named",
        (None, Some(Admission::Granted(_))) => "ok, granted",
        (None, _) => "ok, unrecorded",
    };
    let hash = hex::encode(Sha256::digest(&outcome.released));
    (class.to_owned(), outcome.released.len() as u64, hash)
}

fn theirs(folder: &Path, cases: &[Case], identities: &[PathBuf]) -> Vec<Value> {
    let mut list = fs::File::create(folder.join("cases")).unwrap();
    for (number, case) in cases.iter().enumerate() {
        let file = folder.join(number.to_string());
        fs::write(&file, &case.bytes).unwrap();
        let approval = |(at, bytes): (usize, &Vec<u8>)| {
            let file = folder.join(format!("{number}.{at}"));
            fs::write(&file, bytes).unwrap();
            file
        };
        let approvals: Vec<_> = case.approvals.iter().enumerate().map(approval).collect();
        let line = json!({
            "file": file,
            "identities": case.readers.iter().map(|at| &identities[*at]).collect::<Vec<_>>(),
            "approvals": approvals,
            "passphrase": case.passphrase,
            "now": NOW,
        });
        writeln!(list, "{line}").unwrap();
    }
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_reader/reader.py");
    let mut run = python();
    run.arg(reader).arg("--batch").arg(folder.join("cases"));
    let output = process::output(&mut run);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "tests/run installs what the second reader needs: {errors}"
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_second_reader_answers_like_ours() {
    let people = [
        Person::classic("Bob"),
        Person::new("Hybrid", Kem::XWing),
        Person::classic("Stranger"),
    ];
    let cases = cases(&people);
    let folder = tempfile::tempdir().unwrap();
    let identities: Vec<_> = people
        .iter()
        .map(|person| identity_file(folder.path(), person))
        .collect();
    let answers = theirs(folder.path(), &cases, &identities);
    assert_eq!(answers.len(), cases.len());
    let mut differences = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        let (class, bytes, hash) = ours(case, &people);
        // Our reader asks for a passphrase and gets none.
        let mut their_class = answer["class"]
            .as_str()
            .unwrap()
            .replace("locked", "passphrase");
        if let Some(admission) = answer["admission"].as_str() {
            their_class = format!("{their_class}, {admission}");
        }
        if (their_class.as_str(), &answer["bytes"], &answer["sha256"])
            != (&class, &json!(bytes), &json!(hash))
        {
            differences.push(format!(
                "{}: ours {class}, {bytes} bytes; theirs {answer}",
                case.what
            ));
        }
    }
    println!("{} cases, {} differences", cases.len(), differences.len());
    assert!(
        differences.is_empty(),
        "{}",
        differences[..differences.len().min(20)].join("\n")
    );
    assert!(cases.len() > 5_000);
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
        for bit in 0..head as u64 * 8 {
            add(
                format!("{what}, bit {bit}"),
                flipped(&envelope, bit),
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
