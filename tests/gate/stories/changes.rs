//! Envelopes with a gate that are changed: who is let in, who is removed, and what nobody can write into the file.

use super::stage::Stage;

const SEAL: &str = "wrap plan.txt --to bob@example.org --gate work";

fn open(file: &str) -> String {
    format!("unwrap {file} -o opened.txt --force")
}

#[test]
fn an_owner_lets_somebody_in_and_nobody_else_does() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    let error = stage.error("bob", "grant plan.txt.encl --to carol@example.org", 5);
    assert!(error["message"].as_str().unwrap().contains("only an owner"));
    stage.ends("carol", &open("plan.txt.encl"), 3);
    stage.good("alice", "grant plan.txt.encl --to carol@example.org");
    stage.good("carol", &open("plan.txt.encl"));
    // While the gate cannot be asked nobody is let in, and nothing is written.
    stage.good("alice", &format!("{SEAL} -o other.encl"));
    let before = std::fs::read(stage.path("other.encl")).unwrap();
    stage.stop("work");
    stage.ends("alice", "grant other.encl --to carol@example.org", 1);
    assert!(std::fs::read(stage.path("other.encl")).unwrap() == before);
}

#[test]
fn who_is_removed_cannot_open_an_old_copy_either() {
    let stage = Stage::with_gates(&["work"]);
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --to carol@example.org --gate work",
    );
    std::fs::copy(stage.path("plan.txt.encl"), stage.path("copy.encl")).unwrap();
    stage.good("carol", &open("copy.encl"));
    stage.good(
        "alice",
        "revoke plan.txt.encl --from carol@example.org --yes",
    );
    stage.ends("carol", &open("plan.txt.encl"), 3);
    for person in ["bob", "carol"] {
        let error = stage.error(person, &open("copy.encl"), 5);
        assert!(error["message"].as_str().unwrap().contains("revoked"));
    }
    stage.good("bob", &open("plan.txt.encl"));
    // With -o the old one stays as it is, and so does its access.
    stage.good(
        "alice",
        "revoke plan.txt.encl --from bob@example.org --yes -o new.encl",
    );
    stage.good("bob", &open("plan.txt.encl"));
    stage.ends("bob", &open("new.encl"), 3);
}

#[test]
fn a_denied_person_and_a_date_outlive_sealing_again() {
    let stage = Stage::with_gates(&["work"]);
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --to carol@example.org --gate work",
    );
    stage.good(
        "alice",
        "gate revoke plan.txt.encl --who bob@example.org --yes",
    );
    let error = stage.error(
        "alice",
        "revoke plan.txt.encl --from carol@example.org --yes",
        5,
    );
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("taken from bob")
    );
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --to carol@example.org --gate work -o dated.encl",
    );
    stage.good("alice", "gate expire dated.encl --on 5d --yes");
    stage.good("alice", "revoke dated.encl --from carol@example.org --yes");
    let inspected = stage.good("bob", "inspect dated.encl --json");
    let object = inspected.object("encl.inspect/1");
    assert!(object["locks"][1]["gate"]["expires"].is_string());
}

#[test]
fn a_helper_opens_nothing_alone_and_is_made_no_reader() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --gate work --helper carol@example.org --unlisted",
    );
    stage.ends("carol", &open("plan.txt.encl"), 5);
    stage.ends("bob", "grant plan.txt.encl --to carol@example.org", 5);
    stage.ends(
        "alice",
        "wrap plan.txt --to carol@example.org --gate work --helper carol@example.org -o both.encl",
        2,
    );
    // The gate is down: she helps.
    stage.stop("work");
    let error = stage.error("bob", &open("plan.txt.encl"), 1);
    assert_eq!(error["class"], "gate_unreachable");
    stage.good(
        "carol",
        "approve plan.txt.encl --lock 1 --to bob@example.org -o bob.approval --yes",
    );
    stage.good(
        "bob",
        &format!("{} --with bob.approval", open("plan.txt.encl")),
    );
}

#[test]
fn what_may_be_kept_opens_without_the_gate_and_what_may_not_does_not() {
    let mut stage = Stage::with_gates(&["work"]);
    stage.good("alice", SEAL);
    stage.good("alice", &format!("{SEAL} --lease 1h -o kept.encl"));
    for file in ["plan.txt.encl", "kept.encl"] {
        stage.good("bob", &open(file));
    }
    stage.stop("work");
    stage.ends("bob", &open("plan.txt.encl"), 1);
    stage.good("bob", &open("kept.encl"));
    stage.good("bob", &format!("{} --no-gate", open("kept.encl")));
    // It is sealed to Bob's key: Carol with his file has nothing.
    let leases = stage.keystore("bob").join("gate-leases");
    let hers = stage.keystore("carol").join("gate-leases");
    std::fs::create_dir(&hers).unwrap();
    for lease in std::fs::read_dir(leases).unwrap() {
        let lease = lease.unwrap();
        std::fs::copy(lease.path(), hers.join(lease.file_name())).unwrap();
    }
    stage.ends("carol", &open("kept.encl"), 3);
}

#[test]
fn a_private_envelope_is_revoked_by_its_author_alone() {
    let stage = Stage::with_gates(&["work"]);
    stage.good(
        "alice",
        "wrap plan.txt --to bob@example.org --gate work --private -o private.encl",
    );
    let bytes = std::fs::read(stage.path("private.encl")).unwrap();
    for word in ["\"work\"", "alice", "127.0.0.1"] {
        assert!(
            !bytes
                .windows(word.len())
                .any(|some| some == word.as_bytes())
        );
    }
    stage.good("bob", &open("private.encl"));
    stage.ends("bob", "gate revoke private.encl --yes", 3);
    stage.good("alice", "gate revoke private.encl --yes");
    stage.ends("bob", &open("private.encl"), 5);
    stage.ends(
        "alice",
        "wrap plan.txt --to bob@example.org --gate work --private --owner carol@example.org -o no.encl",
        2,
    );
}
