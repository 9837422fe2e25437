//! Every change, with every command that could raise trust, for each thing that the machine may remember.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::ground::{KEYSTORE, STATE, Scene, copy_folder, write};
use crate::support::process;

/// A change of Bob's keystore, and the exit code of `wrap` and of `wrap --require-verified` for Alice after it, on the machine that
/// remembers the keystore.
struct Change {
    name: &'static str,
    make: fn(&Scene),
    wrap: i32,
    verified: i32,
}

#[expect(clippy::too_many_lines, reason = "it is a list")]
fn changes() -> Vec<Change> {
    let change = |name, make: fn(&Scene), wrap, verified| Change {
        name,
        make,
        wrap,
        verified,
    };
    vec![
        change("nothing", |_| {}, 0, 0),
        change("an identity planted", |s| drop(s.plant("mallory")), 0, 0),
        change("one with my address", |s| drop(s.plant("as-bob")), 0, 0),
        change(
            "one with a contact's address",
            |s| drop(s.plant("as-alice")),
            0,
            0,
        ),
        change(
            "planted, and the default",
            |s| s.make_default(&s.plant("as-bob")),
            0,
            0,
        ),
        change(
            "planted for me, and mine gone",
            |s| {
                fs::remove_dir_all(s.identity("bob")).unwrap();
                s.make_default(&s.plant("as-bob"));
            },
            7,
            7,
        ),
        change(
            "mine gone",
            |s| fs::remove_dir_all(s.identity("bob")).unwrap(),
            7,
            7,
        ),
        change(
            "all identities gone",
            |s| fs::remove_dir_all(s.at(KEYSTORE).join("identities")).unwrap(),
            7,
            7,
        ),
        change(
            "an older card of mine",
            |s| write(&s.own_file("card"), &fs::read(s.at("early/card")).unwrap()),
            7,
            7,
        ),
        change(
            "my secret swapped",
            |s| {
                let theirs = fs::read(s.identity("mallory").join("secret")).unwrap();
                write(&s.own_file("secret"), &theirs);
            },
            4,
            4,
        ),
        change(
            "mine ended",
            |s| write(&s.own_file("ended"), b"revoked\n"),
            7,
            7,
        ),
        change(
            "mine ended without its revocation",
            |s| {
                write(&s.own_file("ended"), b"revoked\n");
                fs::remove_file(s.own_file("revocation")).unwrap();
            },
            7,
            7,
        ),
        change(
            "a default that is nobody",
            |s| write(&s.at(KEYSTORE).join("default"), "7".repeat(64).as_bytes()),
            0,
            0,
        ),
        change(
            "no default",
            |s| fs::remove_file(s.at(KEYSTORE).join("default")).unwrap(),
            0,
            0,
        ),
        change("trust raised in a file", raise_carol, 0, 0),
        change(
            "a block taken out",
            |s| {
                write(
                    &s.contact_file("dan.card"),
                    &fs::read(s.at("early/dan")).unwrap(),
                );
            },
            0,
            0,
        ),
        change(
            "a contact unverified",
            |s| {
                let file = s.contact_file("alice.card");
                let text = fs::read_to_string(&file).unwrap();
                let (head, tail) = text.split_once("\"trust\":\"verified\"").unwrap();
                let rest = tail.find(",\"how\"").unwrap();
                write(
                    &file,
                    format!("{head}\"trust\":\"unverified\"{}", &tail[rest..]).as_bytes(),
                );
            },
            0,
            0,
        ),
        change(
            "an index and a clock",
            |s| {
                write(
                    &s.at(KEYSTORE).join("contacts.index"),
                    b"encl-contacts/1 x y\n",
                );
                write(&s.at(KEYSTORE).join("clock"), b"2136-01-01T00:00:00Z\n");
            },
            0,
            0,
        ),
        change(
            "moved behind a link",
            |s| {
                fs::rename(s.at(KEYSTORE), s.at("bob/elsewhere")).unwrap();
                std::os::unix::fs::symlink(s.at("bob/elsewhere"), s.at(KEYSTORE)).unwrap();
            },
            0,
            0,
        ),
        change(
            "another keystore in its place",
            |s| {
                fs::remove_dir_all(s.at(KEYSTORE)).unwrap();
                copy_folder(&s.at("as-bob/.local/share/encl"), &s.at(KEYSTORE));
            },
            7,
            7,
        ),
        change(
            "others may read it",
            |s| {
                fs::set_permissions(s.own_file("secret"), fs::Permissions::from_mode(0o644))
                    .unwrap();
            },
            1,
            1,
        ),
    ]
}

/// Says in Carol's file that she is verified, with a MAC as an earlier version made them.
fn raise_carol(scene: &Scene) {
    let file = scene.contact_file("carol.card");
    let text = fs::read_to_string(&file).unwrap();
    let raised = "\"trust\":\"verified\",\"since\":\"2026-11-24T02:00:00Z\",\"compared\":\"code\",\
                  \"by\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\",\
                  \"mac\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\"";
    write(
        &file,
        text.replace("\"trust\":\"unverified\"", raised).as_bytes(),
    );
}

/// What the machine remembers when the changed keystore is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Kept,
    /// The first use of the keystore comes after the change.
    FirstUse,
    /// There is no place for a state folder.
    None,
}

/// Runs as Bob.
fn as_bob(scene: &Scene, memory: Memory, arguments: &[&str]) -> i32 {
    let mut command = scene.command("bob", arguments);
    if memory == Memory::None {
        command.env("XDG_STATE_HOME", "/dev/null/nowhere");
    }
    process::output(&mut command).status.code().unwrap()
}

#[test]
fn whoever_writes_to_the_folder_raises_no_trust() {
    let (mut cells, mut raised) = (0, Vec::new());
    for change in changes() {
        for memory in [Memory::Kept, Memory::FirstUse, Memory::None] {
            let scene = Scene::new();
            (change.make)(&scene);
            if memory == Memory::FirstUse {
                fs::remove_dir_all(scene.at(STATE)).unwrap();
            }
            let mut check = |what: &str, holds: bool| {
                cells += 1;
                if !holds {
                    raised.push(format!("{} ({memory:?}): {what}", change.name));
                }
            };
            let bob = |arguments: &[&str]| as_bob(&scene, memory, arguments);
            let wrap = bob(&["wrap", "note", "--to", "alice@example.org", "-o", "out"]);
            let verified = [
                "wrap",
                "note",
                "--to",
                "alice@example.org",
                "-o",
                "sure",
                "--require-verified",
            ];
            let verified = bob(&verified);
            if memory == Memory::Kept {
                check(&format!("wrap: exit {wrap}"), wrap == change.wrap);
                check(
                    &format!("verified: exit {verified}"),
                    verified == change.verified,
                );
                for made in ["out", "sure"]
                    .iter()
                    .filter(|name| scene.at(name).exists())
                {
                    let read_by = |who: &str| {
                        scene
                            .run(who, &["unwrap", made, "-o", "-"])
                            .status
                            .success()
                    };
                    let reads = ["mallory", "as-bob", "as-alice"].into_iter().any(read_by);
                    check("Mallory reads it", !reads);
                    let signed = scene.run("alice", &["verify", made, "--signed-by", "bob.card"]);
                    check("it is not signed by Bob", signed.status.success());
                }
            } else {
                check("somebody is verified", verified != 0);
                let works = change.name != "nothing" || wrap == 0;
                check(&format!("it does not work: exit {wrap}"), works);
            }
            for forged in ["mallory.encl", "as-bob.encl", "as-alice.encl"] {
                for who in ["bob@example.org", "alice@example.org", "Alice"] {
                    // Before the first use, whoever writes to the folder decides who Bob is.
                    if memory == Memory::Kept || who != "bob@example.org" {
                        let accepted = bob(&["verify", forged, "--signed-by", who]) == 0;
                        let taken = memory != Memory::Kept && forged == "as-alice.encl";
                        check(&format!("{forged} is from {who}"), !accepted || taken);
                    }
                }
            }
            let carol = [
                "wrap",
                "note",
                "--to",
                "carol@example.org",
                "-o",
                "x",
                "--require-verified",
            ];
            check("Carol is verified", bob(&carol) != 0);
            if memory == Memory::Kept {
                let dan = bob(&["wrap", "note", "--to", "dan@example.org", "-o", "y"]);
                check("Dan is not blocked", dan != 0);
            }
        }
    }
    println!(
        "attacks: {cells} cells of changed keystores, {} raised",
        raised.len()
    );
    assert!(cells > 500, "{cells}");
    assert_eq!(raised, [""; 0]);
}
