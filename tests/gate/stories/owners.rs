//! What owners see and keep: damaged records, restrictions from two machines, exported logs, gates with and without a copy of their keys.

use std::fs;

use serde_json::Value;

use super::stage::Stage;

const SEAL: &str = "wrap plan.txt --to bob@example.org --to carol@example.org --gate work";
const OPEN: &str = "unwrap plan.txt.encl -o opened.txt --force";

/// The only file in a folder of this person's keystore.
fn only_file(stage: &Stage, person: &str, folder: &str) -> std::path::PathBuf {
    let mut files = fs::read_dir(stage.keystore(person).join(folder)).unwrap();
    files.next().unwrap().unwrap().path()
}

/// Dora is Alice on another machine.
pub(super) fn second_machine(stage: &Stage) {
    stage.write("passphrase", "correct horse battery\n");
    stage.good(
        "alice",
        "backup -o alice.backup --passphrase-file passphrase --new-passphrase-file passphrase",
    );
    stage.good(
        "dora",
        "restore alice.backup --yes --passphrase-file passphrase",
    );
}

#[test]
fn a_damaged_record_stops_no_revocation() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    let record = only_file(&stage, "alice", "gate-sealed");
    fs::write(&record, "damaged\n").unwrap();
    let revoked = stage.good("alice", "gate revoke plan.txt.encl --yes");
    assert!(revoked.err.contains("damaged"), "{}", revoked.err);
    stage.ends("bob", OPEN, 5);
    // What was there is there still, and the record is whole again.
    let aside = format!("{}.damaged", record.to_str().unwrap());
    assert_eq!(fs::read_to_string(aside).unwrap(), "damaged\n");
    let again = stage.good("alice", "gate status plan.txt.encl");
    assert!(again.err.is_empty(), "{}", again.err);
    assert!(
        again.out.contains("1 of 1 gate knows; sure"),
        "{}",
        again.out
    );
}

#[test]
fn a_damaged_statement_does_not_stop_a_revocation_by_ticket() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    let record = only_file(&stage, "alice", "gate-sealed");
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, format!("{text}damaged\n")).unwrap();
    let ticket = record.file_name().unwrap().to_str().unwrap();
    let revoked = stage.good("alice", &format!("gate revoke {ticket} --yes"));
    assert!(revoked.err.contains("damaged"), "{}", revoked.err);
    stage.ends("bob", OPEN, 5);
    // The first line is what it was.
    let repaired = fs::read_to_string(&record).unwrap();
    assert_eq!(repaired.lines().next(), text.lines().next());
}

#[test]
fn without_a_gate_nobody_is_let_in_and_nothing_is_revoked_in_silence() {
    let stage = Stage::with_gates(&["work"]);
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --gate work --lease 1h",
    );
    fs::copy(stage.path("plan.txt.encl"), stage.path("copy.encl")).unwrap();
    stage.good("alice", OPEN);
    let before = fs::read(stage.path("plan.txt.encl")).unwrap();
    let line = "grant plan.txt.encl --to carol@example.org --no-gate";
    let error = stage.error("alice", line, 2);
    assert!(error["message"].as_str().unwrap().contains("--no-gate"));
    assert!(fs::read(stage.path("plan.txt.encl")).unwrap() == before);
    let line = "revoke plan.txt.encl --from bob@example.org --yes --unasked --no-gate";
    let resealed = stage.good("alice", line);
    assert!(resealed.err.contains("is not revoked"), "{}", resealed.err);
    let mut commands = resealed.err.split('`');
    let revoke = commands.find_map(|one| one.strip_prefix("encl gate revoke "));
    let revoke = format!("gate revoke {} --yes", revoke.unwrap());
    stage.good("alice", &revoke);
    stage.ends("bob", "unwrap copy.encl -o opened.txt --force", 5);
}

#[test]
fn who_was_denied_from_another_machine_does_not_come_back() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    second_machine(&stage);
    stage.good(
        "dora",
        "gate revoke plan.txt.encl --who bob@example.org --yes",
    );
    let line = "revoke plan.txt.encl --from carol@example.org --yes";
    let error = stage.error("alice", line, 5);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("taken from bob"), "{message}");
    // Whoever is no owner cannot ask, and has to say that this is meant.
    let line = "rewrap plan.txt.encl --to bob@example.org --resign --yes";
    let error = stage.error("carol", line, 5);
    assert!(error["message"].as_str().unwrap().contains("no owner"));
    stage.good("carol", &format!("{line} --unasked"));
}

#[test]
fn sealing_again_without_the_gate_is_no_success_before_the_old_one_is_revoked() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good("alice", &format!("{SEAL} --lease 1h"));
    fs::copy(stage.path("plan.txt.encl"), stage.path("copy.encl")).unwrap();
    stage.good("alice", OPEN);
    stage.stop("work");
    let before = fs::read(stage.path("plan.txt.encl")).unwrap();
    let line = "revoke plan.txt.encl --from carol@example.org --yes";
    let error = stage.error("alice", line, 1);
    assert_eq!(error["class"], "gate_unreachable");
    assert!(error["message"].as_str().unwrap().contains("did not say"));
    assert!(fs::read(stage.path("plan.txt.encl")).unwrap() == before);
    let error = stage.error("alice", &format!("{line} --unasked"), 1);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("not yet sure"), "{message}");
    assert!(fs::read(stage.path("plan.txt.encl")).unwrap() != before);
    stage.start("work");
    let ticket = error["hint"].as_str().unwrap().split('`').nth(1).unwrap();
    let status = ticket.strip_prefix("encl ").unwrap();
    let told = stage.good("alice", status);
    assert!(told.out.contains("revoked"), "{}", told.out);
    let error = stage.error("bob", "unwrap copy.encl -o opened.txt --force", 5);
    assert!(error["message"].as_str().unwrap().contains("revoked"));
    stage.good("bob", OPEN);
}

/// The part that Alice kept still opens it: a new envelope would be one that nobody has revoked.
#[test]
fn what_is_revoked_is_not_sealed_again() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good("alice", &format!("{SEAL} --lease 1h"));
    stage.good("alice", OPEN);
    stage.good("alice", "gate revoke plan.txt.encl --yes");
    stage.stop("work");
    let before = fs::read(stage.path("plan.txt.encl")).unwrap();
    for line in [
        "revoke plan.txt.encl --from carol@example.org --yes --unasked",
        "rewrap plan.txt.encl --to bob@example.org --yes --unasked",
    ] {
        let error = stage.error("alice", line, 5);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("revoked it at its gates"), "{message}");
    }
    assert!(fs::read(stage.path("plan.txt.encl")).unwrap() == before);
}

#[test]
fn who_is_denied_is_not_let_in_again() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", "wrap plan.txt --to bob@example.org --gate work");
    stage.good(
        "alice",
        "gate revoke plan.txt.encl --who carol@example.org --yes",
    );
    let before = fs::read(stage.path("plan.txt.encl")).unwrap();
    for line in ["grant plan.txt.encl --to", "gate allow plan.txt.encl --to"] {
        let error = stage.error("alice", &format!("{line} carol@example.org"), 5);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("deny carol"), "{message}");
    }
    assert!(fs::read(stage.path("plan.txt.encl")).unwrap() == before);
}

/// Carol is denied, and comes with a key that replaced hers.
#[test]
fn a_new_root_key_does_not_undo_a_denial() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --gate work -o bobs.encl",
    );
    for file in ["plan.txt.encl", "bobs.encl"] {
        stage.good(
            "alice",
            &format!("gate revoke {file} --who carol@example.org --yes"),
        );
    }
    stage.good("carol", "key replace -o new.card");
    stage.good("alice", "contact add new.card --yes");
    for line in [
        "grant bobs.encl --to carol@example.org",
        "gate allow bobs.encl --to carol@example.org",
        "rewrap plan.txt.encl --to carol@example.org --yes",
    ] {
        let error = stage.error("alice", line, 5);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("carol"), "{message}");
    }
}

#[test]
fn an_exported_log_is_checked_without_the_gate() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.good("bob", &format!("{OPEN} --receipts receipts"));
    stage.good("carol", OPEN);
    stage.good("alice", "audit plan.txt.encl");
    stage.good("bob", &format!("{OPEN} --receipts receipts"));
    let exported = stage.operate("export", "work", &[]);
    stage.stop("work");
    stage.ends("alice", "audit plan.txt.encl", 1);
    stage.write("receipts/work.log", &exported);
    let audit = stage.good("alice", "audit plan.txt.encl --from receipts --json");
    let gates = &audit.object("encl.audit/1")["gates"];
    assert_eq!(gates[0]["entries"], 3);
    assert_eq!(gates[0]["exported"], exported.lines().count());
    let text = stage
        .good("alice", "audit plan.txt.encl --from receipts")
        .out;
    assert!(text.contains("as exported"), "{text}");
    // An entry that was changed after the first checkpoint that is known, or left out.
    let lines: Vec<&str> = exported.lines().collect();
    let last = lines.len() - 1;
    let changed = exported.replace(
        lines[last],
        &lines[last].replace("\"op\":\"open\"", "\"op\":\"card\""),
    );
    assert_ne!(changed, exported);
    let mut shorter = lines.clone();
    shorter.remove(last - 1);
    for wrong in [changed, shorter.join("\n") + "\n"] {
        stage.write("receipts/work.log", &wrong);
        let error = stage.error("alice", "audit plan.txt.encl --from receipts", 4);
        assert_eq!(error["class"], "gate_forked");
    }
    // The log of another gate says nothing of this one.
    stage.write("receipts/work.log", "{\"entry\":\"encl/1\"}\n");
    stage.ends("alice", "audit plan.txt.encl --from receipts", 1);
}

#[test]
fn a_single_gate_is_warned_of_until_a_copy_of_its_keys_is_recorded() {
    let mut stage = Stage::with_gates(&["work"]);
    let url = stage.url("work");
    let warns = |stage: &Stage, line: &str| {
        let sealed = stage.good("alice", &format!("{line} -o sealed.encl --force"));
        sealed.err.contains("loses its keys")
    };
    assert!(warns(&stage, SEAL));
    assert!(!warns(
        &stage,
        "wrap plan.txt --to bob@example.org --gate work --helper carol@example.org"
    ));
    stage.good("alice", &format!("gate add {url} --backed-up --yes"));
    assert!(!warns(&stage, SEAL));
    let shown = stage.good("alice", "gate show work --json");
    assert_eq!(shown.object("encl.gate/1")["backed_up"], true);
    // A newer card has a key of which there may be no copy.
    stage.stop("work");
    stage.operate("rotate", "work", &[]);
    stage.good("alice", "gate add gate-work/card --yes");
    assert!(warns(&stage, SEAL));
}

#[test]
fn receipts_of_two_times_are_compared() {
    let stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    for _ in 0..2 {
        stage.good("bob", &format!("{OPEN} --receipts receipts"));
    }
    let receipts = fs::read_dir(stage.path("receipts")).unwrap();
    let receipts: Vec<String> = receipts
        .map(|entry| entry.unwrap().path().to_str().unwrap().to_owned())
        .collect();
    let compared = stage.encl(
        "alice",
        &format!("gate compare {} --json", receipts.join(" ")),
    );
    let result = compared.object("encl.gate-compare/1")["result"].clone();
    assert_eq!(result, Value::from("continues"), "{}", compared.err);
    assert_eq!(compared.exit, 0);
}
