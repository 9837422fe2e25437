//! Mail behind a gate: sealed at delivery and in a mailbox, and asked for in batches; and envelopes for which nobody is asked.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::stage::Stage;
use crate::tell::skipped;

/// Messages of a mailbox that are asked for with one request.
const MESSAGES: usize = 40;

fn message(number: usize) -> String {
    format!(
        "From: alice@example.org\nTo: bob@example.org\nSubject: number {number}\nDate: Mon, 30 Nov 2026 10:00:00 +0000\n\nword {number}\n"
    )
}

/// A Maildir with so many messages.
fn mailbox(stage: &Stage, messages: usize) {
    for folder in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(stage.path("box").join(folder)).unwrap();
    }
    for number in 0..messages {
        let path = stage.path("box/cur").join(format!("{number}.host:2,S"));
        std::fs::write(path, message(number)).unwrap();
    }
}

/// The requests and the openings that a gate has logged.
fn openings(stage: &Stage) -> (usize, usize) {
    let folder = stage.path("export");
    let _ = std::fs::remove_dir_all(&folder);
    let log = stage.operate("export", "work", &[]);
    let entries = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let opened: Vec<Value> = entries.filter(|entry| entry["op"] == "open").collect();
    let requests: BTreeSet<String> = opened
        .iter()
        .map(|one| one["request"].to_string())
        .collect();
    (requests.len(), opened.len())
}

#[test]
fn a_mailbox_is_asked_for_with_one_request() {
    let stage = Stage::with_gates(&["work"]);
    mailbox(&stage, MESSAGES);
    stage.good("alice", "mail seal box --for bob@example.org --gate work");
    let found = stage.good("bob", "mail grep word box");
    assert_eq!(found.out.lines().count(), MESSAGES);
    assert_eq!(openings(&stage), (1, MESSAGES));
    stage.good("bob", "mail unseal box");
    assert_eq!(openings(&stage), (2, 2 * MESSAGES));
    let restored = std::fs::read_dir(stage.path("box/cur")).unwrap();
    let restored = restored.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let restored: BTreeSet<String> = restored.collect();
    assert_eq!(restored, (0..MESSAGES).map(message).collect());
}

#[test]
fn a_message_is_sealed_shown_and_revoked() {
    let stage = Stage::with_gates(&["work"]);
    stage.write("letter.eml", &message(7));
    stage.good("alice", "mail wrap letter.eml --gate work -o sealed.eml");
    assert!(
        stage
            .good("bob", "mail show sealed.eml")
            .out
            .contains("word 7")
    );
    stage.good("bob", "mail unwrap sealed.eml -o opened.eml");
    assert_eq!(stage.read("opened.eml"), message(7));
    assert_eq!(openings(&stage).1, 2);
    // Nobody who is a stranger is told that Bob reads his mail.
    stage.good("bob", "contact remove alice@example.org --yes");
    stage.ends("bob", "mail show sealed.eml", 5);
    assert_eq!(openings(&stage).1, 2);
    stage.good("bob", "mail show sealed.eml --ask");
    assert_eq!(openings(&stage).1, 3);
}

/// Commands that must not send a packet, whatever the envelope says.
#[test]
fn nobody_is_asked_where_nobody_may_be() {
    if Command::new("strace").arg("--version").output().is_err() {
        return skipped("no strace: that no packet is sent was not tested");
    }
    let mut stage = Stage::with_gates(&["work"]);
    stage.make_gate("other");
    let url = stage.url("other");
    stage.good("alice", &format!("gate add {url} --name other --yes"));
    // Bob does not know that gate; the address in the envelope is that of a gate that runs.
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --gate other -o other.encl",
    );
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --gate work -o work.encl",
    );
    for (line, exit) in [
        ("inspect other.encl", 0),
        ("inspect work.encl", 0),
        ("unwrap other.encl -o no.txt", 5),
        ("verify other.encl", 5),
        ("unwrap work.encl --no-gate -o no.txt", 5),
        ("gate list", 0),
    ] {
        let calls = stage.traced("bob", line, exit);
        let is_network = |call: &&str| call.contains("AF_INET") || call.contains("AF_NETLINK");
        let found: Vec<&str> = calls.lines().filter(is_network).collect();
        assert!(found.is_empty(), "encl {line}: {found:?}");
    }
    // The same trace shows what it shows where a gate is asked.
    let calls = stage.traced("bob", "unwrap work.encl -o yes.txt", 0);
    assert!(calls.contains("AF_INET"));
}

#[test]
fn several_files_are_asked_for_with_one_request_and_their_leases_are_kept() {
    let mut stage = Stage::with_gates(&["work"]);
    let files = ["one.encl", "two.encl", "three.encl"];
    for file in files {
        let seal = "wrap plan.txt --to bob@example.org --gate work --lease 1h -o";
        stage.good("alice", &format!("{seal} {file}"));
    }
    std::fs::create_dir(stage.path("opened")).unwrap();
    // What is there already is neither opened nor asked for.
    stage.write("opened/three", "mine");
    let unwrap = format!("unwrap {} -C opened", files.join(" "));
    stage.ends("bob", &unwrap, 8);
    assert_eq!(openings(&stage), (1, 2));
    stage.stop("work");
    for file in ["one", "two"] {
        stage.good("bob", &format!("unwrap {file}.encl -o again.txt --force"));
    }
    stage.ends("bob", "unwrap three.encl -o again.txt --force", 1);
}
