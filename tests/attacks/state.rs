//! Who can write to a keystore's folder, and not to the state of the machine, changes it in every way he can think of. What is
//! asked each time: was anybody let in, was anything signed or accepted in somebody else's name, or is anybody more trusted?

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::folder::Prepared;
use crate::support::process;

const KEYSTORE: &str = "bob/.local/share/encl";
const STATE: &str = "bob/.local/state/encl";

/// People, each with a home folder: Bob is attacked, and Mallory, who has three identities, attacks.
struct Scene(TempDir);

impl Scene {
    /// Bob has verified Alice, knows Carol, blocked Dan, and rotated his key; Mallory has sealed something for him in each name.
    fn new() -> Self {
        static MADE: OnceLock<Prepared> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let scene = Self(tempfile::tempdir().unwrap());
            scene.furnish();
            Prepared::of(scene.0.path())
        });
        let scene = Self(tempfile::tempdir().unwrap());
        made.lay_out(scene.0.path());
        // Where the keystore is now is noted by its next use.
        scene.done("bob", &["key", "list"]);
        scene
    }

    fn furnish(&self) {
        let people = [
            ("bob", "Bob", "bob@example.org"),
            ("alice", "Alice", "alice@example.org"),
            ("carol", "Carol", "carol@example.org"),
            ("dan", "Dan", "dan@example.org"),
            ("mallory", "Mallory", "mallory@example.net"),
            ("as-bob", "Bob", "bob@example.org"),
            ("as-alice", "Alice", "alice@example.org"),
        ];
        for (who, name, address) in people {
            fs::create_dir(self.at(who)).unwrap();
            let made = self.done(
                who,
                &["key", "new", address, "--name", name, "--no-passphrase"],
            );
            fs::write(self.at(&format!("{who}.card")), made.stdout).unwrap();
        }
        for folder in ["early", "forge"] {
            fs::create_dir(self.at(folder)).unwrap();
        }
        fs::copy(self.own_file("card"), self.at("early/card")).unwrap();
        let rotated = self.done("bob", &["key", "rotate"]);
        fs::write(self.at("bob.card"), rotated.stdout).unwrap();
        for card in ["alice.card", "carol.card", "dan.card"] {
            self.done("bob", &["contact", "add", card, "--yes"]);
        }
        for who in ["alice", "mallory", "forge", "as-alice"] {
            self.done(who, &["contact", "add", "bob.card", "--yes"]);
        }
        let number = self.run("bob", &["--no-input", "contact", "verify", "alice"]);
        let number = String::from_utf8(number.stdout).unwrap();
        self.done("bob", &["contact", "verify", "alice", "--code", &number]);
        let dan = fs::read(self.contact_file("dan.card")).unwrap();
        fs::write(self.at("early/dan"), dan).unwrap();
        self.done("bob", &["contact", "block", "dan"]);
        fs::write(self.at("note"), "a note\n").unwrap();
        // Bob's own program refuses to be two people; a folder that Mallory puts together does not.
        let forged = self.at("forge/.local/share/encl/identities");
        let mine = self.identity("as-bob");
        let id = mine.file_name().unwrap().to_str().unwrap().to_owned();
        fs::create_dir(&forged).unwrap();
        fs::set_permissions(&forged, fs::Permissions::from_mode(0o700)).unwrap();
        copy_folder(&mine, &forged.join(&id));
        self.done("forge", &["key", "adopt", &id]);
        for (who, home) in [
            ("mallory", "mallory"),
            ("as-bob", "forge"),
            ("as-alice", "as-alice"),
        ] {
            let forged = format!("{who}.encl");
            self.done(home, &["wrap", "note", "--to", "bob.card", "-o", &forged]);
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn command(&self, who: &str, arguments: &[&str]) -> Command {
        let mut command = process::command(env!("CARGO_BIN_EXE_encl"));
        let command_in = command.args(arguments).current_dir(self.0.path());
        command_in.env_clear().env("HOME", self.at(who));
        command
    }

    fn run(&self, who: &str, arguments: &[&str]) -> Output {
        process::output(&mut self.command(who, arguments))
    }

    fn done(&self, who: &str, arguments: &[&str]) -> Output {
        let output = self.run(who, arguments);
        assert!(
            output.status.success(),
            "{who}: {arguments:?}: {}",
            said(&output)
        );
        output
    }

    /// The only identity of somebody.
    fn identity(&self, who: &str) -> PathBuf {
        let folder = self.at(who).join(".local/share/encl/identities");
        let mut entries = fs::read_dir(folder).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    fn own_file(&self, name: &str) -> PathBuf {
        self.identity("bob").join(name)
    }

    /// Bob's file about the contact with this card.
    fn contact_file(&self, card: &str) -> PathBuf {
        let shown = self.done(
            "bob",
            &["--json", "contact", "show", card.trim_end_matches(".card")],
        );
        let shown = String::from_utf8(shown.stdout).unwrap();
        let id = shown.split("\"id\":\"").nth(1).unwrap();
        self.at(KEYSTORE).join("contacts").join(&id[..64])
    }

    /// Puts the identity of `who` into Bob's keystore.
    fn plant(&self, who: &str) -> PathBuf {
        let theirs = self.identity(who);
        let here = self
            .at(KEYSTORE)
            .join("identities")
            .join(theirs.file_name().unwrap());
        copy_folder(&theirs, &here);
        here
    }

    fn make_default(&self, identity: &Path) {
        let id = identity.file_name().unwrap().to_str().unwrap();
        write(
            &self.at(KEYSTORE).join("default"),
            format!("{id}\n").as_bytes(),
        );
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn write(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &there),
            false => write(&there, &fs::read(entry.path()).unwrap()),
        }
    }
}

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

#[test]
fn what_is_planted_opens_and_is_adopted_by_its_fingerprint_only() {
    let scene = Scene::new();
    let planted = scene.plant("mallory");
    let id = planted.file_name().unwrap().to_str().unwrap();
    let told = said(&scene.done(
        "bob",
        &["wrap", "note", "--to", "alice@example.org", "-o", "out"],
    ));
    assert!(
        told.contains("not adopted") && told.contains(&format!("encl key adopt {id}`")),
        "{told}"
    );
    // What was sealed for it opens, and nobody known has signed it.
    scene.done(
        "mallory",
        &["wrap", "note", "--to", "mallory.card", "-o", "theirs"],
    );
    scene.done("bob", &["unwrap", "theirs", "-o", "opened"]);
    assert_eq!(
        scene
            .run("bob", &["verify", "theirs", "--require-verified"])
            .status
            .code(),
        Some(2)
    );
    let listed = scene.done("bob", &["key", "list"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("not adopted"), "{listed}");
    for (words, exit) in [
        (&["key", "adopt", "--no-input"][..], 7),
        (&["key", "adopt", "mallory@example.net"], 7),
        (&["key", "adopt", &"7".repeat(64)], 7),
        (&["key", "default", id], 7),
        (&["key", "adopt", id, "--no-input"], 0),
        (&["key", "default", id], 0),
        (&["key", "remove", id, "--yes"], 0),
    ] {
        let output = scene.run("bob", words);
        assert_eq!(
            output.status.code(),
            Some(exit),
            "{words:?}: {}",
            said(&output)
        );
    }
    // What was removed stays removed, also if its folder comes back.
    scene.plant("mallory");
    assert_eq!(
        scene.run("bob", &["key", "default", id]).status.code(),
        Some(7)
    );
}

#[test]
fn an_identity_that_is_gone_is_missed_until_it_is_back_or_removed() {
    for comes_back in [true, false] {
        let scene = Scene::new();
        let (mine, aside) = (scene.identity("bob"), scene.at("aside"));
        let id = mine.file_name().unwrap().to_str().unwrap().to_owned();
        fs::rename(&mine, &aside).unwrap();
        let wrap = ["wrap", "note", "--to", "alice@example.org", "-o", "out"];
        let told = scene.run("bob", &wrap);
        assert_eq!(told.status.code(), Some(7), "{}", said(&told));
        assert!(said(&told).contains("encl key remove"), "{}", said(&told));
        match comes_back {
            true => fs::rename(&aside, &mine).unwrap(),
            false => drop(scene.done("bob", &["key", "remove", &id, "--yes"])),
        }
        scene.done("bob", &wrap);
    }
}

#[test]
fn two_machines_with_one_keystore_ask_once_about_a_new_identity() {
    let scene = Scene::new();
    let at = |machine: &str, arguments: &[&str]| {
        let mut command = scene.command("bob", arguments);
        process::output(command.env("XDG_STATE_HOME", scene.at(machine)))
    };
    let wrap = |machine: &str| {
        at(
            machine,
            &[
                "wrap",
                "note",
                "--to",
                "alice@example.org",
                "-o",
                "out",
                "--force",
            ],
        )
    };
    // Both meet the keystore as it stands.
    assert!(said(&wrap("one")).contains("for the first time"));
    assert!(said(&wrap("two")).contains("for the first time"));
    let again = said(&wrap("two"));
    assert!(!again.contains("for the first time"), "{again}");
    let new = ["key", "new", "second@example.org", "--no-passphrase"];
    assert!(at("one", &new).status.success());
    assert!(!said(&wrap("one")).contains("not adopted"));
    let told = said(&wrap("two"));
    let id = told
        .split("encl key adopt ")
        .nth(1)
        .unwrap()
        .split('`')
        .next()
        .unwrap();
    let adopted = at("two", &["key", "adopt", id]);
    assert!(adopted.status.success(), "{}", said(&adopted));
    assert!(!said(&wrap("two")).contains("not adopted"));
    // One that was removed on one machine is missed on the other.
    assert!(at("one", &["key", "remove", id, "--yes"]).status.success());
    assert_eq!(wrap("two").status.code(), Some(7));
    assert!(at("two", &["key", "remove", id, "--yes"]).status.success());
    assert!(wrap("two").status.success());
}

#[test]
fn a_state_of_another_user_or_of_another_version_is_not_believed() {
    let scene = Scene::new();
    let wrap = ["wrap", "note", "--to", "alice@example.org", "-o", "out"];
    for (version, exit) in [("encl-state/3\n", 1), ("", 1)] {
        write(&scene.at(STATE).join("version"), version.as_bytes());
        let output = scene.run("bob", &wrap);
        assert_eq!(output.status.code(), Some(exit), "{}", said(&output));
    }
    write(&scene.at(STATE).join("version"), b"encl-state/2\n");
    fs::set_permissions(scene.at(STATE), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(scene.run("bob", &wrap).status.code(), Some(1));
    fs::set_permissions(scene.at(STATE), fs::Permissions::from_mode(0o700)).unwrap();
    scene.done("bob", &wrap);
}
