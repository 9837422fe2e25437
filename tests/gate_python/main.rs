//! The client of gates in Python, which was written from PROTOCOL.md alone, and the program `encl-gate`: one story, in which
//! every answer is opened, checked and used by the other implementation.

#![cfg(feature = "gate")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "../support/python.rs"]
mod python;
mod scene;
#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;

use encl::policy::Conditions;
use scene::{Gates, Scene, time};

#[track_caller]
fn opened(answer: &Value) {
    assert_eq!(answer["class"], "ok", "{answer}");
    assert_eq!(answer["bytes"], 5, "{answer}");
}

#[track_caller]
fn refused(answer: &Value, why: &str) {
    assert_eq!(answer["class"], "refused", "{answer}");
    assert!(answer["why"].as_str().unwrap().contains(why), "{answer}");
    assert_eq!(answer["bytes"], 0, "{answer}");
}

#[test]
fn listed_people_are_answered_until_the_owner_says_otherwise() {
    let scene = Scene::new(1);
    let file = scene.sealed("listed", &Gates::of(1, 1));
    opened(&scene.open(&file, "bob", &[]));
    // With the checkpoint of the first time, the second proves that the log only grew.
    opened(&scene.open(&file, "bob", &[]));
    opened(&scene.open(&file, "carol", &[]));
    refused(&scene.open(&file, "bob", &["--unnamed"]), "unknown");

    let carol = scene.id("carol");
    let said = scene.say(&file, "bob", &["--say", "revoke"]);
    assert_eq!(said["class"], "not-an-owner", "{said}");
    let said = scene.say(&file, "ann", &["--say", "deny", "--who", &carol]);
    assert_eq!(said["said"][0], "taken over", "{said}");
    refused(&scene.open(&file, "carol", &[]), "denied");
    opened(&scene.open(&file, "bob", &[]));
    let until = ["--say", "expire", "--until", "2026-01-01T00:00:00Z"];
    assert_eq!(scene.say(&file, "ann", &until)["said"][0], "taken over");
    refused(&scene.open(&file, "bob", &[]), "expired");
    let said = scene.say(&file, "ann", &["--say", "revoke"]);
    assert_eq!(said["said"][0], "taken over", "{said}");
    refused(&scene.open(&file, "bob", &[]), "revoked");

    let log = scene.say(&file, "ann", &["--log"]);
    let entries = log["entries"].as_array().unwrap();
    let ops: Vec<_> = entries
        .iter()
        .map(|one| one["op"].as_str().unwrap())
        .collect();
    let expected = [
        "open",
        "open",
        "open",
        "statement",
        "refuse",
        "open",
        "statement",
        "refuse",
        "statement",
        "refuse",
    ];
    assert_eq!(ops, expected, "{log}");
    for (number, entry) in (1..).zip(entries) {
        assert_eq!(entry["n"], number, "{log}");
        let is_carried = entry["op"] == "statement";
        assert!(is_carried || entry["proved"] == true, "{entry}");
    }
    let log = scene.say(&file, "bob", &["--log"]);
    assert_eq!(log["class"], "not-an-owner", "{log}");
}

#[test]
fn whoever_opened_all_other_locks_is_answered_where_there_is_no_list() {
    let scene = Scene::new(1);
    let unlisted = Gates {
        is_listed: false,
        ..Gates::of(1, 1)
    };
    let file = scene.sealed("unlisted", &unlisted);
    opened(&scene.open(&file, "bob", &["--unnamed"]));
    let carol = scene.id("carol");
    let said = scene.say(&file, "ann", &["--say", "deny", "--who", &carol]);
    assert_eq!(said["said"][0], "unknown", "nobody is on a list: {said}");
    let words = Gates {
        words: Some("correct horse"),
        ..unlisted
    };
    let file = scene.sealed("words", &words);
    opened(&scene.open(&file, "", &["--passphrase", "correct horse"]));
    let answer = scene.open(&file, "", &["--passphrase", "wrong"]);
    assert_eq!(answer["class"], "passphrase", "{answer}");
}

#[test]
fn a_private_envelope_has_one_owner_whom_nobody_sees() {
    let scene = Scene::new(1);
    let private = Gates {
        is_private: true,
        ..Gates::of(1, 1)
    };
    let file = scene.sealed("private", &private);
    opened(&scene.open(&file, "carol", &[]));
    assert_eq!(
        scene.say(&file, "bob", &["--say", "revoke"])["class"],
        "not-an-owner"
    );
    assert_eq!(
        scene.say(&file, "ann", &["--say", "revoke"])["said"][0],
        "taken over"
    );
    refused(&scene.open(&file, "carol", &[]), "revoked");
}

#[test]
fn as_many_gates_as_needed_are_asked() {
    let mut scene = Scene::new(3);
    let file = scene.sealed("two of three", &Gates::of(2, 3));
    let answer = scene.open(&file, "bob", &[]);
    opened(&answer);
    assert_eq!(answer["said"].as_array().unwrap().len(), 2, "{answer}");
    scene.stop(0);
    opened(&scene.open(&file, "bob", &[]));
    scene.stop(1);
    let answer = scene.open(&file, "bob", &[]);
    assert_eq!(answer["class"], "unreachable", "{answer}");
}

#[test]
fn dates_are_by_the_clock_of_the_gate() {
    let scene = Scene::new(1);
    let dated = |begin: Option<&str>, end: Option<&str>| Gates {
        conditions: Conditions {
            not_before: begin.map(time),
            expires: end.map(time),
        },
        ..Gates::of(1, 1)
    };
    let [past, future] = ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"];
    let file = scene.sealed("early", &dated(Some(future), None));
    refused(&scene.open(&file, "bob", &[]), "early");
    let file = scene.sealed("expired", &dated(None, Some(past)));
    refused(&scene.open(&file, "bob", &[]), "expired");
    let file = scene.sealed("now", &dated(Some(past), Some(future)));
    opened(&scene.open(&file, "bob", &[]));
}
