//! Two gates that are each other's witnesses: what both gain, and what happens when one of them has forgotten.

use std::fs;

use ed25519_dalek::{Signature, VerifyingKey};
use encl::gate::log::{Checkpoint, NoteKey, SignedNote};
use encl::gate::protocol::Said;
use encl::gate::rules::Statement;
use rustix::process::Signal;
use sha2::{Digest as _, Sha256};

use crate::office::{Office, ask, post, sealed};
use crate::server::{Server, path, run, until};

const OFTEN: [&str; 2] = ["--witness-every", "1"];

/// Two gates that watch each other.
fn pair() -> (Server, Server) {
    let mut one = Server::stopped_at("one.example");
    let mut other = Server::stopped_at("other.example");
    for gate in [&mut one, &mut other] {
        gate.start(&OFTEN);
        gate.stay();
    }
    one.watch(&other);
    other.watch(&one);
    (one, other)
}

fn only_witness(server: &Server) -> serde_json::Value {
    let status = server.command("status", &[]);
    let witnesses = status["witnesses"].as_array().unwrap();
    assert_eq!(witnesses.len(), 1);
    witnesses[0].clone()
}

/// Until its witness has cosigned all that is in the log.
fn cosigned(server: &Server) {
    until(|| {
        let status = server.command("status", &[]);
        let witness = &status["witnesses"][0];
        witness["cosigned"] == status["entries"] && witness["trouble"].is_null()
    });
}

/// The cosignature, checked with other programs' parts as the specification says.
fn verify_by_hand(note: &[u8], witness: &NoteKey) {
    let note = std::str::from_utf8(note).unwrap();
    let (text, signatures) = note.split_once("\n\n").unwrap();
    let begin = format!("\u{2014} {} ", witness.name);
    let line = signatures
        .lines()
        .find_map(|line| line.strip_prefix(&begin));
    let bytes =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, line.unwrap()).unwrap();
    assert_eq!(bytes.len(), 4 + 8 + 64);
    let id = Sha256::new()
        .chain_update(&witness.name)
        .chain_update(b"\n\x04")
        .chain_update(witness.key.0)
        .finalize();
    assert_eq!(bytes[..4], id[..4]);
    let seconds = u64::from_be_bytes(bytes[4..12].try_into().unwrap());
    let message = format!("cosignature/v1\ntime {seconds}\n{text}\n");
    let key = VerifyingKey::from_bytes(&witness.key.0).unwrap();
    let signature = Signature::from_slice(&bytes[12..]).unwrap();
    key.verify_strict(message.as_bytes(), &signature).unwrap();
    assert!(seconds.abs_diff(crate::office::now().unix()) < 60);
}

#[test]
fn two_gates_cosign_each_other() {
    let (mut one, mut other) = pair();
    let office = Office::new(&one);
    assert_eq!(
        ask(&one, office.opening(0)),
        "open",
        "a gate that runs goes on when it gets a witness"
    );
    cosigned(&one);
    cosigned(&other);
    let note = one.client().get("/checkpoint").unwrap().body;
    let head = Checkpoint::read(&note, one.card.log_key()).unwrap();
    assert_eq!(head.size, 3);
    verify_by_hand(&note, other.card.log_key());
    // In answers too, and whoever does not know the witness passes over it.
    let sent = sealed(&one.card, office.opening(0));
    let checkpoint = |one: &Server| match post(&mut one.client(), &one.card, &sent).unwrap() {
        Said::Items { checkpoint, .. } => checkpoint,
        Said::Refused(refusal) => panic!("{refusal:?}"),
    };
    checkpoint(&one);
    cosigned(&one);
    until(|| {
        let note = checkpoint(&one);
        assert!(Checkpoint::read(&note, one.card.log_key()).is_ok());
        let read = SignedNote::read(&note).unwrap();
        read.cosignature(other.card.log_key()).is_ok()
    });
    // A new entry has no cosignature before the witness was asked again; it gets one.
    assert_eq!(ask(&one, office.opening(0)), "open");
    cosigned(&one);
    let note = one.client().get("/checkpoint").unwrap().body;
    let read = SignedNote::read(&note).unwrap();
    assert!(read.cosignature(other.card.log_key()).is_ok());
    // The witness is gone: nobody has to wait for it, and the operator is told.
    other.kill();
    until(|| only_witness(&one)["trouble"].is_string());
    assert_eq!(ask(&one, office.opening(0)), "open");
    // But a start counts only when one has answered.
    one.stop();
    one.start(&OFTEN);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(ask(&one, office.opening(0)), "frozen");
    assert_eq!(one.client().get("/health").unwrap().status, 503);
    assert_eq!(
        one.command("status", &[])["frozen"],
        "until a witness answers"
    );
    // An entry could be a fork: none is signed before.
    let id = office.bob.id().to_string();
    let entries = one.entries().len();
    for (name, arguments) in [
        ("block", &[&*id][..]),
        ("unblock", &[&*id]),
        ("erase", &[&*id]),
        ("freeze", &[]),
        ("thaw", &[]),
        ("rotate", &[]),
    ] {
        let refused = one.try_command(name, arguments);
        assert_eq!(refused.status.code(), Some(1), "{name}: {refused:?}");
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(told.contains("no witness has said yet"), "{told}");
    }
    assert_eq!(one.entries().len(), entries);
    // Both wait for each other, and neither for ever.
    other.start(&OFTEN);
    until(|| ask(&one, office.opening(0)) == "open");
    until(|| other.client().get("/health").unwrap().status == 200);
    // Frozen by the operator while the witness is away: thawed, it waits again.
    one.command("freeze", &[]);
    other.kill();
    let thawed = one.command("thaw", &[]);
    assert_eq!(thawed["waits_for_witness"], true);
    assert_eq!(ask(&one, office.opening(0)), "frozen");
    // Without the witness it is as before.
    let removed = one.witness("remove", &["other.example"]);
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(ask(&one, office.opening(0)), "open");
}

/// T5: database and checkpoint are put back, and nobody but the witness knows.
#[test]
fn a_gate_whose_folder_was_put_back_stays_frozen() {
    let (mut one, other) = pair();
    let office = Office::new(&one);
    cosigned(&one);
    one.stop();
    let names = ["gate.db", "head"];
    let old = names.map(|name| fs::read(one.dir.join(name)).unwrap());
    one.start(&OFTEN);
    until(|| ask(&one, office.opening(0)) == "open");
    assert_eq!(ask(&one, office.stating(Statement::Revoke)), "stated");
    assert_eq!(ask(&one, office.opening(0)), "revoked");
    cosigned(&one);
    one.stop();
    for (name, old) in names.iter().zip(old) {
        fs::write(one.dir.join(name), old).unwrap();
    }
    one.start(&OFTEN);
    // Never open: the revocation is not there any more.
    let status = || one.command("status", &[]);
    for _ in 0..200 {
        assert_eq!(ask(&one, office.opening(0)), "frozen");
        if status()["frozen"] == "entries were lost" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(status()["frozen"], "entries were lost");
    let why = status()["why"].as_str().unwrap().to_owned();
    assert!(why.contains("other.example"), "{why}");
    // Nothing is signed: not by requests, not by commands, not for the witness.
    let before = (one.entries(), one.client().get("/checkpoint").unwrap().body);
    assert_eq!(ask(&one, office.stating(Statement::Revoke)), "frozen");
    let id = office.bob.id().to_string();
    for (name, arguments) in [
        ("block", &[&*id][..]),
        ("freeze", &[]),
        ("thaw", &[]),
        ("rotate", &[]),
    ] {
        let refused = one.try_command(name, arguments);
        assert_eq!(refused.status.code(), Some(1), "{name}: {refused:?}");
    }
    until(|| only_witness(&other)["trouble"].is_string());
    let after = (one.entries(), one.client().get("/checkpoint").unwrap().body);
    assert_eq!((before.0.len(), before.1), (after.0.len(), after.1));
    // It stays so after another start.
    let mut one = one;
    one.stop();
    one.start(&OFTEN);
    assert_eq!(ask(&one, office.opening(0)), "frozen");
    // The operator decides. The witness learns of the new log from the card, and cosigns it too.
    one.command("thaw", &["--accept-loss"]);
    one.new_card();
    assert_eq!(one.card.log_key().name.rsplit('/').next(), Some("2"));
    until(|| ask(&one, office.opening(0)) == "open");
    cosigned(&one);
    cosigned(&other);
}

/// Of two witnesses one has not seen what was lost. That it cosigns is not enough while the other one has not been asked.
#[test]
fn one_witness_is_enough_only_if_no_other_contradicts() {
    let (mut one, mut knows) = pair();
    let mut behind = Server::stopped_at("behind.example");
    behind.start(&OFTEN);
    behind.stay();
    one.watch(&behind);
    behind.watch(&one);
    let office = Office::new(&one);
    let cosigned_by = |one: &Server, at: usize| {
        until(|| {
            let status = one.command("status", &[]);
            let witness = &status["witnesses"][at];
            witness["cosigned"] == status["entries"] && witness["trouble"].is_null()
        });
    };
    cosigned_by(&one, 0);
    cosigned_by(&one, 1);
    behind.stop();
    one.stop();
    let names = ["gate.db", "head"];
    let old = names.map(|name| fs::read(one.dir.join(name)).unwrap());
    one.start(&OFTEN);
    until(|| ask(&one, office.opening(0)) == "open");
    assert_eq!(ask(&one, office.stating(Statement::Revoke)), "stated");
    cosigned_by(&one, 1);
    one.stop();
    for (name, old) in names.iter().zip(old) {
        fs::write(one.dir.join(name), old).unwrap();
    }
    behind.start(&OFTEN);
    knows.send(Signal::STOP);
    one.start(&OFTEN);
    for _ in 0..40 {
        assert_eq!(ask(&one, office.opening(0)), "frozen");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    knows.send(Signal::CONT);
    until(|| one.command("status", &[])["frozen"] == "entries were lost");
    assert_eq!(ask(&one, office.opening(0)), "frozen");
    knows.stop();
}

/// New keys of both while they run: each learns of the other's by its card, which the root key signed.
#[test]
fn new_keys_of_a_peer_are_taken_over() {
    let (mut one, other) = pair();
    cosigned(&one);
    one.command("rotate", &[]);
    one.new_card();
    let log = one.card.log_key().clone();
    cosigned(&one);
    let note = one.client().get("/checkpoint").unwrap().body;
    assert!(Checkpoint::read(&note, &log).is_ok());
    verify_by_hand(&note, other.card.log_key());
    // And its signatures as a witness count for the other.
    assert_eq!(ask(&other, Office::new(&other).opening(0)), "open");
    until(|| {
        let note = other.client().get("/checkpoint").unwrap().body;
        SignedNote::read(&note).unwrap().cosignature(&log).is_ok()
    });
}

#[test]
fn who_can_be_a_witness() {
    let (one, other) = (Server::new(), Server::new());
    let refused = |arguments: &[&str]| {
        let refused = one.witness("add", arguments);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        String::from_utf8(refused.stderr).unwrap()
    };
    let url = other.url();
    // Both call their log by the address on their card, which is the same here.
    refused(&[&url]);
    refused(&[&one.url()]);
    let mut third = Server::stopped_at("third.example");
    third.start(&[]);
    let url = third.url();
    let own = one.card.id().to_string();
    let told = refused(&[&url, "--fingerprint", &own]);
    assert!(
        told.contains(&encl::identity::fingerprint(&third.card.id())),
        "{told}"
    );
    let usage = one.witness("add", &[&url, "--fingerprint", "1234"]);
    assert_eq!(usage.status.code(), Some(2));
    assert_eq!(
        one.command("status", &[])["witnesses"],
        serde_json::json!([])
    );
    let fingerprint = encl::identity::fingerprint(&third.card.id());
    for _ in 0..2 {
        let added = one.witness("add", &[&url, "--fingerprint", &fingerprint]);
        assert!(added.status.success(), "{added:?}");
        let said: serde_json::Value = serde_json::from_slice(&added.stdout).unwrap();
        assert_eq!(
            (&said["name"], &said["compared"]),
            (&"third.example".into(), &true.into())
        );
    }
    // Only one of the two operators has added the other: told, and nobody is answered less.
    until(|| only_witness(&one)["trouble"].is_string());
    let trouble = only_witness(&one)["trouble"].as_str().unwrap().to_owned();
    assert!(trouble.contains("witness add"), "{trouble}");
    assert_eq!(ask(&one, Office::new(&one).opening(0)), "open");
    let list = one.witness("list", &[]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list["witnesses"][0]["url"], url);
    let text = run(&["status", path(&one.dir)]);
    assert!(
        String::from_utf8(text.stdout)
            .unwrap()
            .contains("witness      third.example, ")
    );
    assert_eq!(one.witness("remove", &["nobody"]).status.code(), Some(1));
    assert!(one.witness("remove", &[&url]).status.success());
    third.kill();
    // Whoever does not answer keeps no other command waiting.
    let lock = fs::File::open(one.dir.join("changing")).unwrap();
    lock.lock().unwrap();
    refused(&[&url]);
    drop(lock);
}
