//! Every change, with every family of commands, for each thing that the machine may remember.

use std::fmt::Debug;
use std::process::Output;

use serde_json::Value;

use super::changes::{self, Change};
use super::ground::card_in;
use super::memory::{Changed, Memory, can_be_read_only, ended};
use super::readers::{Readers, ids_in};
use crate::tell::tell;

/// A family of commands: what it has to do with a changed keystore, and what is wrong about it.
type Family = fn(&Changed, &Change) -> Vec<String>;

/// In this order: the last ones change the keystore.
const FAMILIES: [(&str, Family); 7] = [
    ("wrap, mail send", wrap),
    ("--require-verified", require_verified),
    ("--signed-by, --require-signed", signed),
    ("mail deliver", deliver),
    ("group", group),
    ("key", key),
    ("restore", restore),
];

const ALICE: &str = "alice@example.org";
const FORGED: [&str; 3] = ["mallory.encl", "as-bob.encl", "as-alice.encl"];

fn with_memory(memory: Memory) {
    let (mut cells, mut raised) = (0, Vec::new());
    for change in changes::all() {
        let changed = Changed::new(&change, memory);
        for (family, run) in FAMILIES {
            cells += 1;
            let wrong = run(&changed, &change);
            if !wrong.is_empty() {
                raised.push(format!("{}, {family}: {}", change.name, wrong.join("; ")));
            }
        }
    }
    tell(&format!(
        "attacks: {cells} cells of changed keystores, {} raised ({memory:?})",
        raised.len()
    ));
    assert!(cells >= 7 * 50, "{cells}");
    assert!(raised.is_empty(), "{memory:?}\n{}", raised.join("\n"));
}

#[test]
fn a_machine_that_remembers_raises_nobody() {
    with_memory(Memory::Kept);
}

#[test]
fn a_machine_whose_memory_is_read_only_raises_nobody() {
    if can_be_read_only() {
        with_memory(Memory::ReadOnly);
    }
}

#[test]
fn the_first_use_raises_nobody() {
    with_memory(Memory::FirstUse);
}

#[test]
fn a_machine_without_memory_raises_nobody() {
    with_memory(Memory::None);
}

#[test]
fn the_memory_of_855f9f5_raises_nobody() {
    with_memory(Memory::Migrated);
}

/// Complaints, each about what was expected and what came instead.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn expect<T: PartialEq + Debug>(&mut self, what: &str, is: &T, due: &T) {
        self.check(is == due, || format!("{what}: {is:?} instead of {due:?}"));
    }

    fn check(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }

    fn expect_none<T: Debug>(&mut self, what: &str, found: &[T]) {
        self.check(found.is_empty(), || format!("{what}: {found:?}"));
    }
}

fn wrap(changed: &Changed, change: &Change) -> Vec<String> {
    let mut wrong = Wrong::default();
    let id = card_in(&changed.scene, "alice.card").id().to_string();
    let to = [
        "wrap", "note", "-o", "out", "--to", ALICE, "--to", "Alice", "--to", &id,
    ];
    let wrapped = changed.code(&to);
    let send = ["mail", "send", "--", "./sendmail", ALICE];
    let sent = ended(&changed.with_mail(&send), &send);
    if changed.remembers() {
        wrong.expect("wrap", &wrapped, &change.expected.wrap);
        wrong.expect("mail send", &sent, &change.expected.send);
    }
    if changed.remembers() || changed.memory == Memory::Migrated {
        let blocked = ["wrap", "note", "-o", "blocked", "--to", "dan@example.org"];
        let is_refused = changed.code(&blocked) != 0;
        wrong.check(is_refused, || "Dan is not blocked".to_owned());
    }
    let allowed = Readers::of_alice(changed);
    for file in ["out", "sent"] {
        wrong.expect_none(file, &allowed.strangers(changed, file));
    }
    wrong.0
}

fn require_verified(changed: &Changed, change: &Change) -> Vec<String> {
    let mut wrong = Wrong::default();
    let verified = |to: &str, out: &str| {
        changed.code(&["wrap", "note", "--require-verified", "-o", out, "--to", to])
    };
    let alice = verified(ALICE, "sure");
    let mut allowed = Readers::only(changed, &["alice.card", "bob.card"]);
    if !changed.remembers() {
        // All identities were taken as Bob's own.
        allowed.add_identities(changed);
    }
    wrong.expect_none("sure", &allowed.strangers(changed, "sure"));
    match changed.memory {
        Memory::Kept | Memory::ReadOnly => wrong.expect("alice", &alice, &change.expected.verified),
        // She was verified, if it is her.
        Memory::Migrated => {}
        Memory::FirstUse | Memory::None => {
            let is_own = allowed.has(changed, "as-alice.card");
            wrong.check(alice != 0 || is_own, || "alice is verified".to_owned());
        }
    }
    let mut others = vec!["carol@example.org"];
    // An earlier version did not remember for what Alice was verified: it is what her card says now.
    if changed.memory != Memory::Migrated {
        others.push("ceo@example.org");
    }
    for who in others {
        wrong.check(verified(who, "unsure") != 0, || {
            format!("{who} is verified")
        });
    }
    // What was made is for Alice and from Bob.
    let made: Vec<&str> = ["out", "sure"]
        .into_iter()
        .filter(|file| changed.scene.at(file).exists())
        .collect();
    if changed.remembers() && !made.is_empty() {
        let opens = changed
            .scene
            .run("mallory", &[&["verify"][..], &made].concat());
        wrong.expect("Mallory opens it", &opens.status.code(), &Some(3));
        let from = [&["verify", "--signed-by", "bob.card"][..], &made].concat();
        wrong.expect(
            "Alice opens it",
            &changed.scene.run("alice", &from).status.code(),
            &Some(0),
        );
    }
    wrong.0
}

/// Mallory's envelopes are from nobody whom Bob knows, and that of Alice is from her.
fn signed(changed: &Changed, change: &Change) -> Vec<String> {
    let mut wrong = Wrong::default();
    let id = card_in(&changed.scene, "alice.card").id().to_string();
    let all = [&FORGED[..], &["alice.encl"]].concat();
    let verify = |more: &[&str]| changed.bob(&[&["--json", "verify"][..], &all, more].concat());
    let claimants = Readers::of_alice(changed);
    let taken_for_alice = claimants.has(changed, "as-alice.card");
    let words = match changed.remembers() {
        true => &[ALICE, "Alice", &id][..],
        false => &[ALICE],
    };
    for who in words {
        let output = verify(&["--signed-by", who]);
        let accepted = accepted(&output);
        let mut forged = accepted.clone();
        forged.retain(|file| file != "alice.encl" && !(taken_for_alice && file == "as-alice.encl"));
        wrong.expect_none(&format!("from {who}"), &forged);
        if changed.remembers() {
            let due = match change.expected.signed {
                0 => (vec!["alice.encl".to_owned()], Some(4)),
                refused => (Vec::new(), Some(refused)),
            };
            wrong.expect(
                &format!("from {who}"),
                &(accepted, output.status.code()),
                &due,
            );
        }
    }
    if changed.remembers() {
        let from_bob = accepted(&verify(&["--signed-by", "bob@example.org"]));
        wrong.expect_none("from Bob", &from_bob);
    }
    let output = verify(&["--require-signed"]);
    let known = ids_in(&changed.keystore().join("contacts"));
    let own = ids_in(&changed.keystore().join("identities"));
    for line in lines(&output) {
        let (file, signer) = (&line["file"], &line["signer"]);
        let signer_id = signer["id"].as_str().unwrap_or_default().to_owned();
        let is_known =
            known.contains(&signer_id) || (!changed.remembers() && own.contains(&signer_id));
        wrong.check(is_known, || format!("{file} is from somebody known"));
        let is_verified = signer["verified"]["key"] == Value::Bool(true);
        let may_be = match changed.memory {
            Memory::Kept | Memory::ReadOnly => signer_id == id,
            Memory::Migrated => signer_id == id || own.contains(&signer_id),
            Memory::FirstUse | Memory::None => own.contains(&signer_id),
        };
        wrong.check(!is_verified || may_be, || {
            format!("{file} is from somebody verified")
        });
    }
    wrong.0
}

fn deliver(changed: &Changed, change: &Change) -> Vec<String> {
    let mut wrong = Wrong::default();
    let deliver = ["mail", "deliver", "--for", ALICE];
    let output = changed.with_mail(&deliver);
    let code = ended(&output, &deliver);
    if changed.remembers() {
        wrong.expect("deliver", &code, &change.expected.deliver);
    }
    let allowed = Readers::of_alice(changed);
    wrong.expect_none("delivered", &allowed.strangers_of(&output.stdout));
    wrong.0
}

/// A group that nobody adopted reaches nobody.
fn group(changed: &Changed, change: &Change) -> Vec<String> {
    let mut wrong = Wrong::default();
    let to = |group: &str| changed.code(&["wrap", "note", "--to", group, "-o", &group[1..]]);
    let team = to("@team");
    let deliver = ["mail", "deliver", "--for", "@team"];
    let delivered = changed.with_mail(&deliver);
    let list = ended(&delivered, &deliver);
    let mut members = Readers::only(changed, &["alice.card", "bob.card"]);
    // Nobody compared which of her keys is the newest one.
    members.add(&card_in(&changed.scene, "carol.card"));
    let from_team = changed.bob(&[
        "--json",
        "verify",
        "mallory.encl",
        "as-alice.encl",
        "--signed-by",
        "@team",
    ]);
    let grown = changed.code(&["group", "add", "team", "carol@example.org"]);
    if changed.remembers() {
        wrong.expect("wrap", &team, &change.expected.group);
        wrong.expect("deliver", &list, &change.expected.list);
        for group in ["@new", "@gone"] {
            if changed.keystore().join("groups").join(&group[1..]).exists() {
                wrong.expect(group, &to(group), &7);
            }
        }
        let due = match (changed.memory, change.expected.grow) {
            (Memory::ReadOnly, 0) => 1,
            (_, due) => due,
        };
        wrong.expect("group add", &grown, &due);
    } else {
        // It was taken as it stands.
        members.add_identities(changed);
        members.add_members(changed, "team");
    }
    wrong.expect_none("delivered", &members.strangers_of(&delivered.stdout));
    wrong.expect_none("wrapped", &members.strangers(changed, "team"));
    wrong.expect_none("from the group", &accepted(&from_team));
    wrong.0
}

/// Nobody is one of Bob's identities, verified or unblocked who was not so before.
fn key(changed: &Changed, _change: &Change) -> Vec<String> {
    let mut wrong = Wrong::default();
    let planted = ["mallory.card", "as-bob.card", "as-alice.card"]
        .map(|card| card_in(&changed.scene, card).id().to_string());
    if changed.remembers() {
        for line in lines(&changed.bob(&["--json", "key", "list"])) {
            let is_planted = line["id"]
                .as_str()
                .is_some_and(|id| planted.contains(&id.to_owned()));
            wrong.check(!is_planted || line["adopted"] == Value::Bool(false), || {
                format!("{} is adopted", line["id"])
            });
            wrong.check(!is_planted || line["default"] == Value::Bool(false), || {
                format!("{} is the default", line["id"])
            });
        }
    }
    wrong.0.extend(trust(changed, false));
    wrong.0
}

fn restore(changed: &Changed, change: &Change) -> Vec<String> {
    let mut wrong = Wrong::default();
    if changed.remembers() {
        let identities = ids_in(&changed.keystore().join("identities"));
        changed.code(&["restore", "forged.backup", "--yes"]);
        let after = ids_in(&changed.keystore().join("identities"));
        wrong.expect("identities of the forged backup", &after, &identities);
        wrong.0.extend(trust(changed, false));
    }
    let restored = changed.code(&["restore", "bob.backup", "--yes"]);
    if changed.remembers() {
        // What was not decided yet cannot be decided in a memory that is read-only.
        let is_refused = changed.memory == Memory::ReadOnly && restored == 1;
        if !is_refused {
            wrong.expect("restore", &restored, &change.expected.restore);
        }
        let again = changed.code(&[
            "wrap",
            "note",
            "--require-verified",
            "-o",
            "again",
            "--to",
            ALICE,
        ]);
        wrong.expect("verified again", &again, &change.expected.again);
    }
    wrong.0.extend(trust(changed, true));
    wrong.0
}

/// Who is trusted more than he should be.
fn trust(changed: &Changed, is_restored: bool) -> Vec<String> {
    let [alice, dan] =
        ["alice.card", "dan.card"].map(|card| card_in(&changed.scene, card).id().to_string());
    let may_be_verified = is_restored || !matches!(changed.memory, Memory::FirstUse | Memory::None);
    let is_remembered = changed.remembers() || changed.memory == Memory::Migrated;
    let mut wrong = Vec::new();
    for line in lines(&changed.bob(&["--json", "contact", "list"])) {
        let (id, trust) = (
            line["id"].as_str().unwrap(),
            line["trust"].as_str().unwrap(),
        );
        let fits = match trust {
            "own" => false,
            "verified" => id == alice && may_be_verified,
            "blocked" => true,
            _ => id != dan || !is_remembered,
        };
        if !fits {
            wrong.push(format!("{} is {trust}", line["name"]));
        }
    }
    wrong
}

/// The files that were accepted.
fn accepted(output: &Output) -> Vec<String> {
    let file = |line: Value| line["file"].as_str().unwrap().to_owned();
    lines(output).into_iter().map(file).collect()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
