//! Decisions that are interrupted, that many programs make at once, and that an older memory takes back.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::thread;
use std::time::Duration;

use encl::crypto::signing::RootId;
use encl::json;

use super::ground::{KEYSTORE, STATE, Scene, card_in, copy_folder, said, write};
use crate::door::ground::has_strace;
use crate::scene::Author;
use crate::support::process;
use crate::tell::{skipped, tell};

/// Calls that change what is on a disk.
const CHANGING: &str =
    "mkdir,mkdirat,link,linkat,rename,renameat,renameat2,unlink,unlinkat,write,fsync,fdatasync";
const SIGKILL: i32 = 9;

/// A command that decides something, and what has to be true before, between and after.
struct Decision {
    prepare: fn(&Scene),
    arguments: fn(&Scene) -> Vec<String>,
    /// What is wrong, however far the command came.
    check: fn(&Scene) -> Result<(), String>,
    /// Whether it is decided.
    is_done: fn(&Scene) -> bool,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn code_of_number(scene: &Scene, who: &str) -> Vec<String> {
    let number = scene.run("bob", &["--no-input", "contact", "verify", who]);
    let number = String::from_utf8(number.stdout).unwrap();
    words(&["contact", "verify", who, "--code", &number])
}

/// How far Bob trusts a contact.
fn trust(scene: &Scene, who: &str) -> String {
    let shown = scene.run("bob", &["--json", "contact", "show", who]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let word = shown.split("\"trust\":\"").nth(1);
    let word = word.and_then(|rest| rest.split('"').next());
    word.unwrap_or("unknown").to_owned()
}

fn wrap(scene: &Scene, more: &[&str]) -> Output {
    let wrap = ["wrap", "note", "-o", "out", "--force"];
    scene.run("bob", &[&wrap[..], more].concat())
}

fn reaches(scene: &Scene, more: &[&str]) -> Result<(), String> {
    let output = wrap(scene, more);
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{more:?}: {}", said(&output))),
    }
}

fn is_one_of(scene: &Scene, who: &str, due: &[&str]) -> Result<(), String> {
    let trust = trust(scene, who);
    match due.contains(&&*trust) {
        true => Ok(()),
        false => Err(format!("{who} is {trust}")),
    }
}

/// Kills the program at each call that changes a disk; the command can then be run again.
fn kill_at_each_write(name: &str, decision: &Decision) {
    if !has_strace() {
        return skipped("kills at each write of a decision: they need strace");
    }
    let run = |scene: &Scene, injection: Option<&str>| {
        let mut strace = scene.command_by("strace", &["-qq", "-o", "log"], "bob");
        match injection {
            Some(injection) => strace.args(["-e", injection]),
            None => strace.args(["-e", &format!("trace={CHANGING}")]),
        };
        strace.arg(env!("CARGO_BIN_EXE_encl"));
        process::output(strace.args((decision.arguments)(scene)))
    };
    let prepared = || {
        let scene = Scene::new();
        (decision.prepare)(&scene);
        scene
    };
    let scene = prepared();
    let output = run(&scene, None);
    assert!(output.status.success(), "{name}: {}", said(&output));
    assert!((decision.is_done)(&scene), "{name}");
    let log = fs::read_to_string(scene.at("log")).unwrap();
    let calls: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split('(').next())
        .collect();
    assert!(calls.len() > 5, "{name}: {log}");
    let (mut killed, mut wrong) = (0, Vec::new());
    for (place, call) in calls.iter().enumerate() {
        let nth = calls[..=place].iter().filter(|one| one == &call).count();
        let scene = prepared();
        let output = run(
            &scene,
            Some(&format!("inject={call}:signal=KILL:when={nth}")),
        );
        killed += usize::from(output.status.signal() == Some(SIGKILL));
        let between = (decision.check)(&scene);
        let again = run(&scene, None);
        let done = match (decision.is_done)(&scene) {
            true => Ok(()),
            false => Err(format!("it cannot be done again: {}", said(&again))),
        };
        if let Err(what) = between.and(done).and((decision.check)(&scene)) {
            wrong.push(format!("killed at {call} {nth}: {what}"));
        }
    }
    tell(&format!(
        "attacks: {name}: {killed} kills, {} decided less",
        wrong.len()
    ));
    assert!(wrong.is_empty(), "{name}\n{}", wrong.join("\n"));
    assert!(killed * 10 > calls.len() * 9, "{killed} of {}", calls.len());
}

#[test]
fn a_kill_of_contact_verify_leaves_nothing_less_decided() {
    kill_at_each_write(
        "contact verify",
        &Decision {
            prepare: |_| {},
            arguments: |scene| code_of_number(scene, "carol@example.org"),
            check: |scene| {
                is_one_of(scene, "carol@example.org", &["unverified", "verified"])?;
                // What the file says alone is believed by nobody.
                let verified = ["--to", "carol@example.org", "--require-verified"];
                let is_verified = wrap(scene, &verified).status.success();
                assert_eq!(is_verified, trust(scene, "carol@example.org") == "verified");
                reaches(scene, &["--to", "alice@example.org", "--require-verified"])
            },
            is_done: |scene| trust(scene, "carol@example.org") == "verified",
        },
    );
}

#[test]
fn a_kill_of_contact_block_leaves_nothing_less_decided() {
    kill_at_each_write(
        "contact block",
        &Decision {
            prepare: |_| {},
            arguments: |_| words(&["contact", "block", "alice@example.org"]),
            check: |scene| is_one_of(scene, "alice@example.org", &["verified", "blocked"]),
            is_done: |scene| trust(scene, "alice@example.org") == "blocked",
        },
    );
}

#[test]
fn a_kill_of_group_add_leaves_nothing_less_decided() {
    kill_at_each_write(
        "group add",
        &Decision {
            prepare: |_| {},
            arguments: |_| words(&["group", "add", "team", "erin@example.org"]),
            check: |scene| reaches(scene, &["--to", "@team"]),
            is_done: |scene| {
                let id = card_in(scene, "erin.card").id().to_string();
                let members = fs::read_to_string(scene.group_file("team")).unwrap();
                members.contains(&id) && wrap(scene, &["--to", "@team"]).status.success()
            },
        },
    );
}

#[test]
fn a_kill_of_group_delete_brings_nobody_back() {
    kill_at_each_write(
        "group delete",
        &Decision {
            prepare: |_| {},
            arguments: |_| words(&["group", "delete", "team"]),
            check: |scene| {
                // It is as it was; or it is asked about, or gone.
                let is_there = scene.group_file("team").exists();
                let code = wrap(scene, &["--to", "@team"]).status.code();
                match code {
                    Some(0) if is_there => Ok(()),
                    Some(7) => Ok(()),
                    _ => Err(format!("{code:?}")),
                }
            },
            is_done: |scene| !scene.group_file("team").exists(),
        },
    );
}

/// Carol keeps @board, first with Alice, then with Bob alone.
fn two_cards_of_a_group(scene: &Scene) {
    let carol = |arguments: &[&str]| drop(scene.done("carol", arguments));
    for card in ["alice.card", "bob.card"] {
        carol(&["contact", "add", card, "--yes"]);
    }
    carol(&["group", "new", "board", "alice@example.org"]);
    carol(&["group", "card", "board", "-o", "first.group"]);
    carol(&["group", "add", "board", "bob@example.org"]);
    carol(&["group", "remove", "board", "alice@example.org"]);
    carol(&["group", "card", "board", "-o", "later.group"]);
}

/// Whether a group of Bob's reaches Alice.
fn reaches_alice(scene: &Scene, group: &str) -> bool {
    let id = card_in(scene, "alice.card").id().to_string();
    let members = fs::read_to_string(scene.group_file(group)).unwrap_or_default();
    let reaches = wrap(scene, &["--to", &format!("@{group}")])
        .status
        .success();
    reaches && members.contains(&id)
}

#[test]
fn a_kill_of_contact_add_of_a_group_brings_nobody_back() {
    kill_at_each_write(
        "contact add of a later group",
        &Decision {
            prepare: |scene| {
                two_cards_of_a_group(scene);
                scene.done("bob", &["contact", "add", "first.group", "--yes"]);
                assert!(reaches_alice(scene, "board"));
            },
            arguments: |_| words(&["contact", "add", "later.group", "--yes"]),
            check: |scene| reaches(scene, &["--to", "@board"]),
            is_done: |scene| {
                let older = scene.run("bob", &["contact", "add", "first.group", "--yes"]);
                older.status.code() == Some(7) && !reaches_alice(scene, "board")
            },
        },
    );
}

#[test]
fn a_kill_of_group_card_leaves_the_group_as_it_was() {
    kill_at_each_write(
        "group card",
        &Decision {
            prepare: |_| {},
            arguments: |_| words(&["group", "card", "team", "-o", "team.group", "--force"]),
            check: |scene| reaches(scene, &["--to", "@team"]),
            is_done: |scene| {
                let taken = scene.run("alice", &["contact", "add", "team.group", "--yes"]);
                // Alice has Bob's card, and Carol comes with the group.
                taken.status.success()
            },
        },
    );
}

#[test]
fn a_kill_of_key_adopt_leaves_nothing_less_decided() {
    kill_at_each_write(
        "key adopt",
        &Decision {
            prepare: |scene| drop(scene.plant("mallory")),
            arguments: |scene| {
                let id = card_in(scene, "mallory.card").id().to_string();
                words(&["key", "adopt", &id])
            },
            check: |scene| {
                let listed = scene.done("bob", &["--json", "key", "list"]);
                let listed = String::from_utf8(listed.stdout).unwrap();
                let mine = card_in(scene, "bob.card").id().to_string();
                let is_mine = |line: &str| {
                    line.contains(&mine)
                        && line.contains("\"default\":true")
                        && line.contains("\"adopted\":true")
                };
                if !listed.lines().any(is_mine) {
                    return Err(listed);
                }
                reaches(scene, &["--to", "alice@example.org", "--require-verified"])
            },
            is_done: |scene| {
                let listed = scene.done("bob", &["--json", "key", "list"]);
                !String::from_utf8(listed.stdout)
                    .unwrap()
                    .contains("\"adopted\":false")
            },
        },
    );
}

#[test]
fn eight_writers_at_once_lose_nothing_and_raise_nobody() {
    let scene = Scene::new();
    let people: Vec<String> = (0..24).map(|number| format!("p{number}")).collect();
    let address = |who: &str| format!("{who}@example.com");
    for who in &people {
        let card = Author::new(who, &[&address(who)]).card;
        fs::write(scene.at(&format!("{who}.card")), card.to_text()).unwrap();
    }
    let bob = &scene;
    let done = |arguments: &[&str]| bob.done("bob", arguments);
    thread::scope(|scope| {
        for people in people.chunks(3) {
            scope.spawn(move || {
                for (who, decide) in people.iter().zip(["verify", "block", "group"]) {
                    let (card, at) = (format!("{who}.card"), address(who));
                    done(&["contact", "add", &card, "--yes"]);
                    match decide {
                        "verify" => {
                            let code = code_of_number(bob, &at);
                            let code: Vec<&str> = code.iter().map(String::as_str).collect();
                            done(&code);
                        }
                        "block" => drop(done(&["contact", "block", &at])),
                        _ => drop(done(&["group", "add", "team", &at])),
                    }
                }
            });
        }
    });
    for (who, due) in people
        .iter()
        .zip(["verified", "blocked", "unverified"].into_iter().cycle())
    {
        assert_eq!(trust(&scene, &address(who)), due, "{who}");
    }
    let grown = people
        .iter()
        .skip(2)
        .step_by(3)
        .map(|who| format!("{who}.card"));
    let cards = ["alice.card".to_owned(), "carol.card".to_owned()];
    let due: BTreeSet<String> = grown
        .chain(cards)
        .map(|card| card_in(&scene, &card).id().to_string())
        .collect();
    let members = fs::read_to_string(scene.group_file("team")).unwrap();
    assert_eq!(
        members.lines().map(str::to_owned).collect::<BTreeSet<_>>(),
        due
    );
    reaches(&scene, &["--to", "@team"]).unwrap();
    reaches(&scene, &["--to", "alice@example.org", "--require-verified"]).unwrap();
    assert_eq!(trust(&scene, "dan@example.org"), "blocked");
}

/// What came later is asked about again; a verification that was taken back since is there again, and a block stays, since the
/// keystore says it too.
#[test]
fn state_rollback_asks_about_what_came_later() {
    let scene = Scene::new();
    copy_folder(&scene.at(STATE), &scene.at("old"));
    let new = ["key", "new", "second@example.org", "--no-passphrase"];
    scene.done("bob", &new);
    scene.done("bob", &["group", "add", "team", "erin@example.org"]);
    let code = code_of_number(&scene, "carol@example.org");
    let code: Vec<&str> = code.iter().map(String::as_str).collect();
    scene.done("bob", &code);
    scene.done("bob", &["contact", "block", "erin@example.org"]);
    scene.done("bob", &["contact", "block", "alice@example.org"]);
    scene.done("bob", &["contact", "unblock", "alice@example.org"]);
    assert_eq!(trust(&scene, "alice@example.org"), "unverified");
    fs::remove_dir_all(scene.at(STATE)).unwrap();
    copy_folder(&scene.at("old"), &scene.at(STATE));
    for (who, due) in [
        ("alice@example.org", "verified"),
        ("carol@example.org", "unverified"),
        ("dan@example.org", "blocked"),
        ("erin@example.org", "blocked"),
    ] {
        assert_eq!(trust(&scene, who), due, "{who}");
    }
    let output = wrap(&scene, &["--to", "@team"]);
    assert_eq!(output.status.code(), Some(7), "{}", said(&output));
    assert!(
        said(&output).contains("key adopt @team"),
        "{}",
        said(&output)
    );
    let output = wrap(&scene, &["--to", "carol@example.org"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("not adopted"), "{}", said(&output));
}

/// Finding somebody who was verified does not read the files of all others.
#[test]
fn contacts_10000_are_not_read_to_find_one_who_is_verified() {
    if !has_strace() {
        return skipped("10,000 contacts: the files that are opened are counted by strace");
    }
    let scene = Scene::new();
    let contacts = scene.at(KEYSTORE).join("contacts");
    let text = fs::read_to_string(scene.contact_file("carol.card")).unwrap();
    let carol = json::to_b64(&card_in(&scene, "carol.card").id().0);
    for number in 0..10_000_u32 {
        // Their cards are read by nobody.
        let id = [[3_u8; 28].as_slice(), &number.to_be_bytes()].concat();
        let id = RootId(id.try_into().unwrap());
        let text = text.replace(&carol, &json::to_b64(&id.0));
        let text = text.replace("Carol", &format!("Person {number}"));
        let text = text.replace("carol@", &format!("person{number}@"));
        write(&contacts.join(id.to_string()), text.as_bytes());
    }
    // The first run after a change reads them all, and makes an index of a folder that is at rest.
    thread::sleep(Duration::from_secs(4));
    reaches(&scene, &["--to", "alice@example.org"]).unwrap();
    let log = scene.at("log");
    let opened = |to: &str| {
        let words = ["-f", "-qq", "-e", "trace=openat,open", "-o", "log"];
        let mut strace = scene.command_by("strace", &words, "bob");
        strace.arg(env!("CARGO_BIN_EXE_encl"));
        strace.args([
            "wrap",
            "note",
            "-o",
            "out",
            "--force",
            "--require-verified",
            "--to",
            to,
        ]);
        let output = process::output(&mut strace);
        assert!(output.status.success(), "{to}: {}", said(&output));
        let log = fs::read_to_string(&log).unwrap();
        let is_contact = |line: &&str| line.contains("/contacts/");
        log.lines().filter(is_contact).count()
    };
    for who in ["alice@example.org", "alice+letters@example.org", "Alice"] {
        let opened = opened(who);
        assert!(
            (1..=4).contains(&opened),
            "{who}: {opened} contacts were opened"
        );
    }
}
