//! A folder with two people, their cards, a file and its envelope, in which the program is run.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::folder::Prepared;
use crate::support::process;

/// Part of every plaintext, so that left-over plaintext is found.
pub(crate) const MARK: &str = "for nobody else's eyes";
/// The content of an existing target.
pub(crate) const OLD: &[u8] = b"an older file, which is not to be lost\n";

/// Placeholder in arguments for the safety number of Bob and Alice.
pub(crate) const NUMBER: &str = "<number>";

/// The content of `in`: several chunks, the last one short.
pub(crate) fn plaintext() -> Vec<u8> {
    MARK.as_bytes()
        .iter()
        .copied()
        .cycle()
        .take(70_000)
        .collect()
}

/// A folder for one run of the program.
pub(crate) struct Scene {
    folder: TempDir,
}

impl Scene {
    /// `alice` and `bob` are keystores, and bob knows alice.
    pub(crate) fn new() -> Self {
        static FIRST: OnceLock<Prepared> = OnceLock::new();
        Self::copy_of(FIRST.get_or_init(|| Self::furnished().prepared()))
    }

    /// The scene of [`Scene::new`] with the changes of `furnish`. It is made once, and every later scene is a copy.
    pub(crate) fn like(once: &OnceLock<Prepared>, furnish: impl FnOnce(&Self)) -> Self {
        Self::copy_of(once.get_or_init(|| {
            let scene = Self::new();
            furnish(&scene);
            scene.prepared()
        }))
    }

    pub(crate) fn copy_of(prepared: &Prepared) -> Self {
        let scene = Self::empty();
        prepared.lay_out(scene.path());
        scene.settle();
        scene
    }

    /// Uses each keystore once, so that the machine notes where it is now. That is a note that may fail, and none of the calls
    /// that are counted.
    fn settle(&self) {
        for entry in fs::read_dir(self.path()).unwrap() {
            let keystore = entry.unwrap().path();
            if keystore.join("identities").is_dir() {
                self.done(&["key", "list", "--keystore", keystore.to_str().unwrap()]);
            }
        }
    }

    /// The present state of this scene, for copies.
    pub(crate) fn prepared(&self) -> Prepared {
        Prepared::of(self.path())
    }

    /// Sets umask 0 for this process and its children: files that the program does not protect are readable by everybody.
    fn empty() -> Self {
        rustix::process::umask(rustix::fs::Mode::empty());
        let folder = tempfile::Builder::new().prefix("encl-crash-").tempdir();
        Self {
            folder: folder.unwrap(),
        }
    }

    fn furnished() -> Self {
        let scene = Self::empty();
        scene.write("in", &plaintext());
        for name in ["alice", "bob", "carol"] {
            let address = format!("{name}@example.org");
            let arguments = [
                "key",
                "new",
                &address,
                "--no-passphrase",
                "--keystore",
                name,
            ];
            let made = scene.done(&arguments);
            scene.write(&format!("{name}.card"), &made.stdout);
        }
        fs::remove_dir_all(scene.at("carol")).unwrap();
        let other = [
            "key",
            "new",
            "alice@example.org",
            "--no-passphrase",
            "--keystore",
            "other",
        ];
        scene.write("other.card", &scene.done(&other).stdout);
        fs::remove_dir_all(scene.at("other")).unwrap();
        scene.done(&["contact", "add", "alice.card", "--yes", "--keystore", "bob"]);
        let number = [
            "contact",
            "verify",
            "alice@example.org",
            "--no-input",
            "--keystore",
            "bob",
        ];
        scene.write("number", &scene.run(&number).stdout);
        scene.done(&["wrap", "in", "--to", "bob.card", "--keystore", "alice"]);
        fs::remove_dir_all(scene.at("alice/contacts")).unwrap();
        // Save the time once, so that scenarios write nothing but their own changes.
        for keystore in ["alice", "bob"] {
            scene.done(&["verify", "in.encl", "--keystore", keystore]);
        }
        scene
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.at(name)).ok()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.at(name), bytes).unwrap();
    }

    /// The program, not started yet, without this user's environment.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        self.command(&[&[env!("CARGO_BIN_EXE_encl")], arguments].concat())
    }

    /// A command in this folder.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = process::command(words[0]);
        for word in &words[1..] {
            match *word {
                NUMBER => command.arg(String::from_utf8(self.read("number").unwrap()).unwrap()),
                word => command.arg(word),
            };
        }
        self.at_home(command)
    }

    /// Runs a shell script in this folder, which must succeed. `$ENCL` is the program.
    pub(crate) fn script(&self, script: &str) {
        let output = process::output(&mut self.shell(script, &[]));
        assert!(output.status.success(), "{script}: {}", said(&output));
    }

    /// A shell script in this folder, with its arguments.
    pub(crate) fn shell(&self, script: &str, arguments: &[&str]) -> Command {
        let mut command = process::command("sh");
        command.args(["-c", script, "sh"]).args(arguments);
        self.at_home(command)
    }

    fn at_home(&self, mut command: Command) -> Command {
        command.current_dir(self.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.path())
            .env("ENCL", env!("CARGO_BIN_EXE_encl"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        process::output(&mut self.program(arguments))
    }

    /// Runs the program, which must succeed.
    pub(crate) fn done(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        output
    }

    /// The paths of all files in this folder and its subfolders.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        gather(self.path(), &mut files);
        files
    }

    /// Files with plaintext or a private key that other users can read, except those in `known`.
    pub(crate) fn readable_secrets(&self, known: &[&str]) -> Vec<PathBuf> {
        let files = self.files().into_iter();
        files
            .filter(|path| !known.iter().any(|name| *path == self.at(name)))
            .filter(|path| {
                fs::symlink_metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
            })
            .filter(|path| is_secret(path))
            .collect()
    }
}

/// The program's standard error.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn is_secret(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    read.is_ok() && (holds(MARK) || holds("\"seed\""))
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => gather(&entry.path(), files),
            false => files.push(entry.path()),
        }
    }
}
