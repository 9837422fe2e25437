//! Bob's machine, and Mallory, who changes his keystore.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::folder::Prepared;
use crate::support::process;

pub(crate) const KEYSTORE: &str = "bob/.local/share/encl";
pub(crate) const STATE: &str = "bob/.local/state/encl";

/// People, each with a home folder: Bob is attacked, and Mallory, who has three identities, attacks.
pub(crate) struct Scene(TempDir);

impl Scene {
    /// Bob has verified Alice, knows Carol, blocked Dan, and rotated his key; Mallory has sealed something for him in each name.
    pub(crate) fn new() -> Self {
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

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn command(&self, who: &str, arguments: &[&str]) -> Command {
        let mut command = process::command(env!("CARGO_BIN_EXE_encl"));
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

    /// The only identity of somebody.
    pub(crate) fn identity(&self, who: &str) -> PathBuf {
        let folder = self.at(who).join(".local/share/encl/identities");
        let mut entries = fs::read_dir(folder).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    pub(crate) fn own_file(&self, name: &str) -> PathBuf {
        self.identity("bob").join(name)
    }

    /// Bob's file about the contact with this card.
    pub(crate) fn contact_file(&self, card: &str) -> PathBuf {
        let shown = self.done(
            "bob",
            &["--json", "contact", "show", card.trim_end_matches(".card")],
        );
        let shown = String::from_utf8(shown.stdout).unwrap();
        let id = shown.split("\"id\":\"").nth(1).unwrap();
        self.at(KEYSTORE).join("contacts").join(&id[..64])
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
