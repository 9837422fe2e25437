//! Bob's machine, and Mallory, who changes his keystore.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use encl::identity::Card;
use encl::keystore::Keystore;
use tempfile::TempDir;

use crate::folder::Prepared;
use crate::scene::Author;
use crate::support::process;

pub(crate) const KEYSTORE: &str = "bob/.local/share/encl";
pub(crate) const STATE: &str = "bob/.local/state/encl";
/// From Bob to Alice.
const MAIL: &str =
    "From: Bob <bob@example.org>\nTo: alice@example.org\nSubject: a letter\n\nHello\n";

/// People, each with a home folder: Bob is attacked, and Mallory, who has three identities, attacks.
pub(crate) struct Scene(TempDir);

impl Scene {
    /// Bob has verified Alice, knows Carol, blocked Dan, and rotated his key; Mallory has sealed something for him in each name.
    pub(crate) fn new() -> Self {
        let scene = Self::unused();
        // Where the keystore is now is noted by its next use.
        scene.done("bob", &["key", "list"]);
        scene
    }

    /// The scene before Bob's keystore was used where it is now.
    pub(super) fn unused() -> Self {
        static MADE: OnceLock<Prepared> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let scene = Self(tempfile::tempdir().unwrap());
            scene.furnish();
            Prepared::of(scene.0.path())
        });
        let scene = Self(tempfile::tempdir().unwrap());
        made.lay_out(scene.0.path());
        scene
    }

    fn furnish(&self) {
        for folder in ["early", "forge"] {
            fs::create_dir(self.at(folder)).unwrap();
        }
        fs::write(self.at("note"), "a note\n").unwrap();
        fs::write(self.at("mail"), MAIL).unwrap();
        self.make_people();
        fs::copy(self.own_file("card"), self.at("early/card")).unwrap();
        let rotated = self.done("bob", &["key", "rotate"]);
        fs::write(self.at("bob.card"), rotated.stdout).unwrap();
        for who in ["alice", "mallory", "forge", "as-alice"] {
            self.done(who, &["contact", "add", "bob.card", "--yes"]);
        }
        self.make_contacts();
        fs::write(self.at("sendmail"), "#!/bin/sh\ncat > sent\n").unwrap();
        fs::set_permissions(self.at("sendmail"), fs::Permissions::from_mode(0o755)).unwrap();
        self.done(
            "alice",
            &["wrap", "note", "--to", "bob.card", "-o", "alice.encl"],
        );
        let backup = ["backup", "--to", "bob@example.org", "-o", "bob.backup"];
        self.done("bob", &backup);
        self.make_forgeries();
    }

    fn make_people(&self) {
        let people = [
            ("bob", "Bob", "bob@example.org"),
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
        // The test has the keys of Alice, whose later cards say what no program of ours would make them say.
        let first = Author::new("Alice", &["alice@example.org"]);
        let second = first.later("Alice", &["alice@example.org"]);
        let alice = Author {
            card: second,
            ..first
        };
        let later = alice.later("Carol CEO", &["alice@example.org", "ceo@example.org"]);
        alice.own(&Keystore::at(self.at("alice/.local/share/encl")));
        for (file, card) in [
            ("alice-first.card", &first.card),
            ("alice.card", &alice.card),
            ("alice-later.card", &later),
        ] {
            fs::write(self.at(file), card.to_text()).unwrap();
        }
        let two = Author::new("Erin", &["erin@example.org", "boss@example.org"]);
        fs::write(self.at("erin.card"), two.card.to_text()).unwrap();
    }

    /// Bob verifies Alice, knows Carol, Erin by first use, and Dan, whom he blocks, and has a group that Erin was in.
    fn make_contacts(&self) {
        let keep = |card: &str, early: &str| {
            let bytes = fs::read(self.contact_file(card)).unwrap();
            fs::write(self.at("early").join(early), bytes).unwrap();
        };
        for card in ["alice-first.card", "carol.card", "dan.card"] {
            self.done("bob", &["contact", "add", card, "--yes"]);
        }
        keep("alice.card", "alice-first");
        keep("carol.card", "carol");
        self.done("bob", &["contact", "add", "alice.card", "--yes"]);
        keep("alice.card", "alice-unverified");
        let number = self.run("bob", &["--no-input", "contact", "verify", "alice"]);
        let number = String::from_utf8(number.stdout).unwrap();
        self.done("bob", &["contact", "verify", "alice", "--code", &number]);
        self.done(
            "bob",
            &["wrap", "note", "--to", "erin.card", "-o", "for-erin"],
        );
        let (alice, erin) = ("alice@example.org", "erin@example.org");
        for group in ["team", "gone"] {
            self.done("bob", &["group", "new", group, alice, erin]);
            let bytes = fs::read(self.group_file(group)).unwrap();
            fs::write(self.at("early").join(group), bytes).unwrap();
        }
        self.done("bob", &["group", "remove", "team", erin]);
        self.done("bob", &["group", "delete", "gone"]);
        keep("dan.card", "dan");
        self.done("bob", &["contact", "block", "dan"]);
        let newer = self.done("carol", &["key", "rotate"]).stdout;
        fs::write(self.at("carol.card"), newer).unwrap();
        self.done("bob", &["contact", "add", "carol.card", "--yes"]);
        self.done("bob", &["group", "add", "team", "carol@example.org"]);
    }

    /// What Mallory seals for Bob in each name, and a backup in Bob's name, which says that Alice's key is another one.
    fn make_forgeries(&self) {
        // Bob's own program refuses to be two people; a folder that Mallory puts together does not.
        let forged = self.at("forge/.local/share/encl/identities");
        fs::create_dir(&forged).unwrap();
        fs::set_permissions(&forged, fs::Permissions::from_mode(0o700)).unwrap();
        self.take_over("as-bob", "forge");
        for (who, home) in [
            ("mallory", "mallory"),
            ("as-bob", "forge"),
            ("as-alice", "as-alice"),
        ] {
            let forged = format!("{who}.encl");
            self.done(home, &["wrap", "note", "--to", "bob.card", "-o", &forged]);
        }
        self.done("forge", &["contact", "add", "as-alice.card", "--yes"]);
        let number = self.run("forge", &["--no-input", "contact", "verify", "Alice"]);
        let number = String::from_utf8(number.stdout).unwrap();
        self.done("forge", &["contact", "verify", "Alice", "--code", &number]);
        let backup = ["backup", "--to", "bob.card", "-o", "forged.backup"];
        self.done("forge", &backup);
        // One keystore opens whatever Mallory can open.
        for who in ["as-bob", "as-alice"] {
            self.take_over(who, "mallory");
        }
    }

    /// Makes the identity of `who` one of `home`'s own.
    fn take_over(&self, who: &str, home: &str) {
        let theirs = self.identity(who);
        let id = theirs.file_name().unwrap().to_str().unwrap();
        let identities = self.at(home).join(".local/share/encl/identities");
        copy_folder(&theirs, &identities.join(id));
        self.done(home, &["key", "adopt", id]);
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn command(&self, who: &str, arguments: &[&str]) -> Command {
        self.command_by(env!("CARGO_BIN_EXE_encl"), arguments, who)
    }

    /// Another program, which may start ours.
    pub(crate) fn command_by(&self, program: &str, arguments: &[&str], who: &str) -> Command {
        let mut command = process::command(program);
        let command_in = command.args(arguments).current_dir(self.0.path());
        command_in.env_clear().env("HOME", self.at(who));
        command
    }

    pub(crate) fn run(&self, who: &str, arguments: &[&str]) -> Output {
        process::output(&mut self.command(who, arguments))
    }

    pub(crate) fn done(&self, who: &str, arguments: &[&str]) -> Output {
        let output = self.run(who, arguments);
        assert!(
            output.status.success(),
            "{who}: {arguments:?}: {}",
            said(&output)
        );
        output
    }

    /// The identity of somebody.
    pub(crate) fn identity(&self, who: &str) -> PathBuf {
        let id = card_in(self, &format!("{who}.card")).id();
        let identities = self.at(who).join(".local/share/encl/identities");
        identities.join(id.to_string())
    }

    pub(crate) fn own_file(&self, name: &str) -> PathBuf {
        self.identity("bob").join(name)
    }

    /// Bob's file about the contact with this card.
    pub(crate) fn contact_file(&self, card: &str) -> PathBuf {
        let id = card_in(self, card).id();
        self.at(KEYSTORE).join("contacts").join(id.to_string())
    }

    pub(crate) fn group_file(&self, name: &str) -> PathBuf {
        self.at(KEYSTORE).join("groups").join(name)
    }

    /// Puts the identity of `who` into Bob's keystore.
    pub(crate) fn plant(&self, who: &str) -> PathBuf {
        let theirs = self.identity(who);
        let here = self
            .at(KEYSTORE)
            .join("identities")
            .join(theirs.file_name().unwrap());
        copy_folder(&theirs, &here);
        here
    }

    pub(crate) fn make_default(&self, identity: &Path) {
        let id = identity.file_name().unwrap().to_str().unwrap();
        write(
            &self.at(KEYSTORE).join("default"),
            format!("{id}\n").as_bytes(),
        );
    }
}

pub(crate) fn card_in(scene: &Scene, file: &str) -> Card {
    let text = fs::read(scene.at(file)).unwrap();
    Card::from_text(text.trim_ascii_end()).unwrap()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
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
