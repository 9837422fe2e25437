//! Stories with real programs: people encrypt behind gates, take access back, and read who asked.

mod changes;
mod exports;
mod help;
mod json;
mod mail;
mod meanwhile;
mod owners;
mod stage;

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use stage::Stage;

const SEAL: &str = "wrap plan.txt --to bob@example.org --gate work";
const OPEN: &str = "unwrap plan.txt.encl -o opened.txt --force";

/// The numbers of entries by what they say, of the first gate that `encl audit` shows.
fn logged(stage: &Stage, file: &str) -> Vec<(String, String)> {
    let audit = stage.good("alice", &format!("audit {file} --json"));
    let objects = audit.objects();
    let entries = objects.iter();
    let entries = entries.filter(|object| object["schema"] == "encl.audit-entry/1");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .map(|entry| (word(&entry["op"]), word(&entry["signed"])))
        .collect()
}

#[test]
fn a_person_is_answered_then_denied_and_the_log_says_so() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.good("bob", OPEN);
    assert_eq!(stage.read("opened.txt"), "the plan");
    stage.good(
        "alice",
        "gate revoke plan.txt.encl --who bob@example.org --yes",
    );
    let error = stage.error("bob", OPEN, 5);
    assert_eq!(
        (&error["code"], &error["class"]),
        (&"refused".into(), &"refused".into())
    );
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("access was taken from you")
    );
    // The author is no less answered.
    stage.good("alice", OPEN);
    let words = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(op, signed)| ((*op).to_owned(), (*signed).to_owned()))
            .collect()
    };
    assert_eq!(
        logged(&stage, "plan.txt.encl"),
        words(&[
            ("open", "asker"),
            ("statement", "owner"),
            ("refuse", "asker"),
            ("open", "asker"),
        ])
    );
    // Nobody else reads it.
    stage.ends("bob", "audit plan.txt.encl", 3);
    stage.ends("bob", "gate revoke plan.txt.encl --yes", 3);
    stage.ends("alice", "audit plan.txt", 4);
}

#[test]
fn a_revocation_of_two_of_three_is_sure_when_two_know_it() {
    let mut stage = Stage::with_gates(&["one", "two", "three"]);
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --gates 2:one,two,three",
    );
    stage.good("bob", OPEN);
    stage.stop("one");
    stage.good("bob", OPEN);
    stage.stop("two");
    let error = stage.error("bob", OPEN, 1);
    assert_eq!(error["class"], "gate_unreachable");
    let told = stage.ends("alice", "gate revoke plan.txt.encl --yes --json", 1);
    let state = told.object("encl.gate-state/1");
    assert_eq!(
        (&state["known"], &state["sure"]),
        (&1.into(), &"not-yet".into())
    );
    let error = told.object("encl.error/1");
    assert_eq!(error["class"], "gate_unreachable");
    // Also without the file: the record is in the keystore.
    fs::rename(stage.path("plan.txt.encl"), stage.path("sent.encl")).unwrap();
    let ticket = state["ticket"].as_str().unwrap().to_owned();
    stage.start("two");
    stage.ends("alice", &format!("gate status {ticket}"), 1);
    let again = stage.good("alice", &format!("gate revoke {ticket} --yes --json"));
    let state = again.object("encl.gate-state/1");
    assert_eq!(
        (&state["known"], &state["sure"]),
        (&2.into(), &"sure".into())
    );
    stage.start("one");
    let error = stage.error("bob", "unwrap sent.encl -o opened.txt --force", 5);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("stated by an owner")
    );
    // The one that had not heard hears it now.
    let status = stage.good("alice", "gate status sent.encl --json");
    let status = status.object("encl.gate-status/1");
    for gate in status["gates"].as_array().unwrap() {
        assert_eq!(gate["state"]["revoked"], true, "{gate}");
    }
    assert!(!stage.state("alice").join("gate-evidence").exists());
}

#[test]
fn a_gate_that_forgot_is_noticed_and_told_again() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.stop("work");
    let copied = fs::read(stage.path("gate-work/gate.db")).unwrap();
    let head = fs::read(stage.path("gate-work/head")).unwrap();
    stage.start("work");
    stage.good("bob", OPEN);
    stage.good("alice", "gate revoke plan.txt.encl --yes");
    // The operator puts an old copy back, head file and all.
    stage.stop("work");
    for entry in fs::read_dir(stage.path("gate-work")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("gate.db")
        {
            fs::remove_file(path).unwrap();
        }
    }
    fs::write(stage.path("gate-work/gate.db"), copied).unwrap();
    fs::write(stage.path("gate-work/head"), head).unwrap();
    stage.start("work");
    // Bob knows a later log: the gate sees that it forgot, and answers nobody.
    let error = stage.error("bob", OPEN, 5);
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("answers nobody")
    );
    stage.ends("alice", "gate status plan.txt.encl", 5);
    stage.operate("thaw", "work", &["--accept-loss"]);
    // The program that runs looks every second.
    let mut status = stage.encl("alice", "gate status plan.txt.encl --json");
    for _ in 0..50 {
        if status.exit != 5 {
            break;
        }
        thread::sleep(Duration::from_millis(200));
        status = stage.encl("alice", "gate status plan.txt.encl --json");
    }
    assert_eq!(status.exit, 0, "{}", status.err);
    let warned = status.objects().iter().any(|object| {
        let is_warning = object["schema"] == "encl.warning/1";
        is_warning && object["message"].as_str().unwrap().contains("forgot")
    });
    assert!(warned, "{}", status.err);
    let status = status.object("encl.gate-status/1");
    assert_eq!(status["gates"][0]["state"]["revoked"], true);
    stage.ends("bob", OPEN, 5);
}

#[test]
fn a_gate_is_added_with_the_users_word_only() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.make_gate("other");
    let url = stage.url("other");
    // Nobody is there to agree.
    stage.ends("alice", &format!("gate add {url} --no-input"), 2);
    let wrong = "0".repeat(64);
    stage.ends("alice", &format!("gate add {url} --fingerprint {wrong}"), 7);
    let card = stage.operate("status", "other", &["--json"]);
    let card: Value = serde_json::from_str(card.lines().next().unwrap()).unwrap();
    let id = card["id"].as_str().unwrap();
    let added = stage.good(
        "alice",
        &format!("gate add {url} --fingerprint {id} --no-input --json"),
    );
    let added = added.object("encl.gate/1");
    assert_eq!(
        (&added["accepted"], &added["id"]),
        (&"added".into(), &id.into())
    );
    assert!(added["verified"].is_string());
    // Another one under a known name.
    stage.make_gate("third");
    let third = stage.url("third");
    stage.ends("alice", &format!("gate add {third} --name work --yes"), 7);
    stage.ends("alice", "gate add plan.txt --yes", 4);
    stage.ends("alice", "gate add http://127.0.0.1:9 --yes", 1);
    stage.ends("alice", "gate add http://127.0.0.1:9/path --yes", 2);
    // Its newer card is taken without a question, from a file too.
    stage.stop("third");
    stage.good("bob", "gate add gate-third/card --name third --yes");
    stage.operate("rotate", "third", &[]);
    let updated = stage.good("bob", "gate add gate-third/card --no-input --json");
    assert_eq!(updated.object("encl.gate/1")["accepted"], "updated");
}

/// Whoever writes to a keystore's folder would send the requests of its owner to a gate of his.
#[test]
fn a_gate_that_somebody_put_into_the_keystore_is_not_asked() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.make_gate("other");
    let url = stage.url("other");
    stage.good("carol", &format!("gate add {url} --name other --yes"));
    stage.good(
        "carol",
        "wrap plan.txt --to bob@example.org --gate other -o carols.encl",
    );
    for entry in fs::read_dir(stage.keystore("carol").join("gates")).unwrap() {
        let path = entry.unwrap().path();
        let there = stage
            .keystore("bob")
            .join("gates")
            .join(path.file_name().unwrap());
        if !there.exists() {
            fs::copy(path, there).unwrap();
        }
    }
    let list = stage.good("bob", "gate list --json");
    let standings: Vec<Value> = list
        .objects()
        .iter()
        .map(|object| object["standing"].clone())
        .collect();
    assert!(standings.contains(&"unknown".into()), "{standings:?}");
    stage.ends("bob", "unwrap carols.encl -o opened.txt", 5);
    let asked = stage.good("carol", "audit carols.encl --json");
    let asked = asked.object("encl.audit/1");
    assert_eq!(asked["gates"][0]["entries"], 0);
    // What the user adds is asked.
    stage.good("bob", &format!("gate add {url} --yes"));
    stage.good("bob", "unwrap carols.encl -o opened.txt");
}

#[test]
fn gates_and_records_come_back_with_a_backup() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.good("bob", OPEN);
    stage.write("passphrase", "correct horse battery\n");
    stage.good(
        "alice",
        "backup -o alice.backup --passphrase-file passphrase --new-passphrase-file passphrase",
    );
    // A new machine.
    let restored = stage.good(
        "dora",
        "restore alice.backup --yes --json --passphrase-file passphrase",
    );
    let restored = restored.object("encl.restore/1");
    assert_eq!(restored["gates"]["new"], 1, "{restored:?}");
    assert_eq!(restored["gate_records"]["new"], 1);
    let record = fs::read_dir(stage.keystore("dora").join("gate-sealed")).unwrap();
    let ticket = record.last().unwrap().unwrap().file_name();
    let ticket = ticket.to_str().unwrap().to_owned();
    stage.good("dora", &format!("gate revoke {ticket} --yes"));
    stage.ends("bob", OPEN, 5);
}

#[test]
fn a_withheld_entry_is_shown_by_a_receipt() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.good("bob", &format!("{OPEN} --receipts receipts"));
    stage.good("alice", "audit plan.txt.encl --from receipts");
    let receipt = fs::read_dir(stage.path("receipts")).unwrap();
    let receipt = receipt.last().unwrap().unwrap().path();
    let receipt = receipt.to_str().unwrap();
    let same = stage.good("alice", &format!("gate compare {receipt} {receipt} --json"));
    assert_eq!(same.object("encl.gate-compare/1")["result"], "same");
    stage.ends("alice", &format!("gate compare {receipt} plan.txt"), 7);
}
