//! A folder with my keys, another user's folder, and one of mine that the other user cannot write to.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::support::process;
use crate::tell::skipped;

/// The other user: nobody, who owns nothing on a Linux system.
pub(crate) const OTHER: u32 = 65_534;

/// How the program opens folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// As this one can.
    Current,
    /// Without openat2(2), as before Linux 5.6.
    Old,
}

pub(crate) struct Ground {
    folder: TempDir,
}

/// What there is to see of a file: name, owner, mode, inode and content.
pub(crate) type State = Vec<(String, u32, u32, u64, Vec<u8>)>;

impl Ground {
    /// `None`, and said so, where the tests do not run as root: there is no other user then.
    pub(crate) fn as_root() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skipped("attacks by another user: they need root");
            return None;
        }
        Some(Self::new())
    }

    /// `home` has the keys of Alice, and `bob.card` is there; `user` is the other user's, `outside` mine.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("encl-attacks-").tempdir();
        let ground = Self {
            folder: folder.unwrap(),
        };
        for (name, mode) in [
            ("", 0o755),
            ("home", 0o700),
            ("bob", 0o700),
            ("user", 0o755),
            ("outside", 0o755),
        ] {
            let path = ground.at(name);
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        }
        for (home, name) in [("bob", "Bob"), ("home", "Alice")] {
            let address = format!("{home}@example.org");
            let new = [
                "key",
                "new",
                &address,
                "--name",
                name,
                "--no-passphrase",
                "-q",
            ];
            let made = process::output(
                ground
                    .command(Kernel::Current, &new)
                    .env("HOME", ground.at(home)),
            );
            assert!(made.status.success(), "{made:?}");
            fs::write(ground.at(&format!("{home}.card")), made.stdout).unwrap();
        }
        fs::write(ground.at("letter"), b"for nobody else's eyes").unwrap();
        ground.done(&[
            "wrap",
            "letter",
            "--to",
            "bob.card",
            "-q",
            "-o",
            "both.encl",
        ]);
        ground.done(&[
            "wrap",
            "letter",
            "-q",
            "--to",
            "home@example.org",
            "-o",
            "mine.encl",
        ]);
        ground
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, kernel: Kernel, arguments: &[&str]) -> Command {
        // Another program than the one that is built, to see an attack succeed.
        let program = std::env::var("ENCL_ATTACKED");
        let program = program.unwrap_or_else(|_| env!("CARGO_BIN_EXE_encl").to_owned());
        let mut command = match kernel {
            Kernel::Current => process::command(&program),
            Kernel::Old => {
                let mut strace = process::command("strace");
                let inject = "inject=openat2:error=ENOSYS";
                strace.args(["-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"]);
                strace.args(["-e", "trace=openat2", "-e", inject, "--", &program]);
                strace
            }
        };
        command.args(arguments).current_dir(self.folder.path());
        command
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_STATE_HOME");
        command.env("HOME", self.at("home")).env("NO_COLOR", "1");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        process::output(&mut self.command(Kernel::Current, arguments))
    }

    pub(crate) fn done(&self, arguments: &[&str]) -> Output {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        output
    }

    /// Fails if the answer has another exit code; gives what was said.
    pub(crate) fn answers(&self, arguments: &[&str], exit: i32) -> String {
        let output = self.run(arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {said}");
        said
    }

    /// Makes a folder of the other user's.
    pub(crate) fn folder_of_other(&self, name: &str) {
        fs::create_dir_all(self.at(name)).unwrap();
        chown(self.at(name), Some(OTHER), Some(OTHER)).unwrap();
    }

    /// Writes a file of the other user's.
    pub(crate) fn file_of_other(&self, name: &str, bytes: &[u8]) {
        fs::write(self.at(name), bytes).unwrap();
        chown(self.at(name), Some(OTHER), Some(OTHER)).unwrap();
    }

    /// A Maildir of the other user's with one message.
    pub(crate) fn maildir_of_other(&self, name: &str, message: &str, bytes: &[u8]) {
        for folder in ["", "/cur", "/new", "/tmp"] {
            self.folder_of_other(&format!("{name}{folder}"));
        }
        self.file_of_other(&format!("{name}/{message}"), bytes);
    }

    pub(crate) fn state(&self, folder: &str) -> State {
        let entries = fs::read_dir(self.at(folder)).unwrap();
        let mut state: State = entries
            .map(|entry| {
                let entry = entry.unwrap();
                let metadata = fs::symlink_metadata(entry.path()).unwrap();
                let bytes = match metadata.is_file() {
                    true => fs::read(entry.path()).unwrap(),
                    false => Vec::new(),
                };
                let name = entry.file_name().into_string().unwrap();
                (name, metadata.uid(), metadata.mode(), metadata.ino(), bytes)
            })
            .collect();
        state.sort();
        state
    }

    pub(crate) fn owner(&self, name: &str) -> u32 {
        fs::symlink_metadata(self.at(name)).unwrap().uid()
    }
}

/// Whether strace is here.
pub(crate) fn has_strace() -> bool {
    Command::new("strace").arg("-V").output().is_ok()
}

pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The names in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
