//! Checks the worked example of PROTOCOL.md: every value in it is computed again, and the library reads every object.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::collections::BTreeMap;

use encl::crypto::kdf::gate as kdf;
use encl::crypto::signing::{Purpose, Signature, SigningKey};
use encl::crypto::{Kem, PrivateKey, Secret, sha256};
use encl::gate::log::{Checkpoint, NoteKey, leaf_hash, verify_inclusion};
use encl::gate::protocol::{Answer, Entry, EntryOp, Head, ItemAnswer, Op, Said, SignedStatement};
use encl::gate::rules::Statement;
use encl::identity::Identity;

const FORMAT: &str = include_str!("../src/envelope/FORMAT.md");
const PROTOCOL: &str = include_str!("../src/gate/PROTOCOL.md");
const BOB: &[u8] = include_bytes!("vectors/kit/keys/bob");
const ANN: &[u8] = include_bytes!("vectors/kit/keys/ann");

type Values = BTreeMap<&'static str, Vec<u8>>;

/// The values of a block of a section, from 1.
fn values(text: &'static str, number: usize) -> Values {
    let section = text.split("\n# A worked example\n").nth(1).unwrap();
    let block = section.split("```text\n").nth(number).unwrap();
    let block = block.split("```").next().unwrap();
    let pair = |line: &'static str| {
        let (name, value) = line.split_once(" = ").unwrap();
        (name, hex::decode(value).unwrap())
    };
    block.lines().map(pair).collect()
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

fn key(seed: &[u8]) -> SigningKey {
    SigningKey::new(Secret::from_slice(seed).unwrap())
}

/// A person's root key, out of a file of the kit.
fn person(file: &[u8]) -> SigningKey {
    let line = file.strip_suffix(b"\n").unwrap();
    Identity::from_line(line).unwrap();
    let text = std::str::from_utf8(line).unwrap();
    let (_, seed) = text.split_once("\"seed\":\"").unwrap();
    let seed: [u8; 32] = encl::json::from_b64(seed.split('"').next().unwrap().as_bytes()).unwrap();
    key(&seed)
}

#[test]
fn every_value_of_the_exchange() {
    let (file, mut left) = (values(FORMAT, 4), values(PROTOCOL, 1));
    assert_eq!(left.len(), 24);
    let mut is = |name: &str, value: &[u8]| {
        let written = left.remove(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(hex::encode(&written), hex::encode(value), "{name}");
    };
    let example = values(PROTOCOL, 1);
    let ticket = array(&file["T"]);
    let (bob, ann) = (person(BOB), person(ANN));
    let log = key(&example["log_seed"]);
    is("log_seed", log.seed().expose());
    is("log", &log.id().0);

    let reply = Secret::from_slice(&example["reply_private"]).unwrap();
    is("reply_private", reply.expose());
    let reply = PrivateKey::new(Kem::XWing, reply).public_key().key_id();
    is("reply", &reply.0);
    let salt = array(&example["salt"]);
    is("salt", &salt);
    let c = kdf::item_commitment(&salt, &ticket);
    is("c", &c);
    let head = Head::parse(&example["head"]).unwrap();
    assert_eq!(
        (head.op, head.who, head.reply),
        (Op::Open, Some(bob.id()), reply)
    );
    assert_eq!(head.items, [c]);
    is("head", &head.to_line());
    let h = kdf::request_hash(&example["head"]);
    is("h", &h);
    is(
        "who_sig",
        &bob.sign(Purpose::GateRequest, &[&example["head"]]).0,
    );
    let holder = key(&file["seed"]);
    is(
        "proof_sig",
        &holder.sign(Purpose::GateProof, &[&h, &[0, 0]]).0,
    );
    is("request_info", &kdf::request_info(&head.gate.0));
    is("answer_info", &kdf::answer_info(&h));

    let line = &example["statement"];
    let signature = ann.sign(Purpose::GateStatement, &[line]).0;
    let statement = SignedStatement::parse(&[line, &b"\n"[..], &signature].concat()).unwrap();
    assert_eq!(statement.op(), Statement::Deny(bob.id()));
    assert_eq!((statement.by(), statement.ticket().0), (ann.id(), ticket));
    is("statement", line);
    is("statement_sig", &signature);
    is("statement_hash", &statement.hash());

    let [first, second] = ["entry_0", "entry_1"].map(|name| Entry::parse(&example[name]).unwrap());
    is("entry_0", &first.to_line());
    is("entry_1", &second.to_line());
    assert_eq!(
        (second.op, second.request, second.mark),
        (EntryOp::Open, Some(h), Some(salt))
    );
    let leaves = ["entry_0", "entry_1"].map(|name| leaf_hash(&example[name]));
    is("leaf_0", &leaves[0]);
    is("leaf_1", &leaves[1]);
    let root = sha256(&[&[1], &leaves[0], &leaves[1]]);
    is("root", &root);
    verify_inclusion(&leaves[1], (1, 2), &leaves[..1], &root).unwrap();
    let origin = "gate.example.org/1";
    let id = sha256(&[origin.as_bytes(), b"\n\x01", &log.id().0]);
    is("note_key_id", &id[..4]);
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: 2,
        root,
    };
    is("checkpoint", checkpoint.sign(&log).as_bytes());
    let log_key = NoteKey {
        name: origin.to_owned(),
        key: log.id(),
    };
    let read = Checkpoint::read(&example["checkpoint"], &log_key).unwrap();
    assert_eq!(read, checkpoint);

    let answer = Answer::parse(&example["answer_line"], Op::Open).unwrap();
    is("answer_line", &answer.to_line());
    let signature = log.sign(Purpose::GateAnswer, &[&example["answer_line"]]);
    is("answer_sig", &signature.0);
    assert_eq!(signature, Signature(array(&example["answer_sig"])));
    let Said::Items { items, .. } = &answer.said else {
        panic!("it is refused");
    };
    let ItemAnswer::Share { part, entry, .. } = &items[0] else {
        panic!("the item is refused");
    };
    assert_eq!(
        (&part[..], &entry.line),
        (&file["S_1"][..], &example["entry_1"])
    );
    assert!(left.is_empty(), "not computed: {:?}", left.keys());
}
