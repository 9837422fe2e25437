//! A folder with two keystores, an input and an envelope; and what must hold in it whatever happened.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Text that stands in the plaintext and nowhere else.
const MARK: &str = "THE PLAINTEXT OF THIS TEST";

/// What a program is asked to do, and where its result appears.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static [&'static str],
    keystore: &'static str,
    /// The file under its final name.
    pub(crate) target: Option<&'static str>,
    /// What the target holds before.
    old: Option<&'static [u8]>,
}

pub(crate) const SCENARIOS: [Scenario; 8] = [
    Scenario {
        name: "wrap",
        arguments: &[
            "wrap",
            "report.txt",
            "--to",
            "bob@example.org",
            "-o",
            "out.encl",
        ],
        keystore: "alice",
        target: Some("out.encl"),
        old: None,
    },
    Scenario {
        name: "wrap over a file",
        arguments: &[
            "wrap",
            "report.txt",
            "--to",
            "bob@example.org",
            "-o",
            "out.encl",
            "--force",
        ],
        keystore: "alice",
        target: Some("out.encl"),
        old: Some(b"what was here before"),
    },
    Scenario {
        name: "wrap, the target exists",
        arguments: &[
            "wrap",
            "report.txt",
            "--to",
            "bob@example.org",
            "-o",
            "out.encl",
        ],
        keystore: "alice",
        target: Some("out.encl"),
        old: Some(b"what was here before"),
    },
    Scenario {
        name: "wrap for a new card",
        arguments: &[
            "wrap",
            "report.txt",
            "--to",
            "carol.card",
            "--to",
            "bob@example.org",
            "-o",
            "out.encl",
        ],
        keystore: "alice",
        target: Some("out.encl"),
        old: None,
    },
    Scenario {
        name: "unwrap",
        arguments: &["unwrap", "sealed.encl", "-o", "out.txt"],
        keystore: "bob",
        target: Some("out.txt"),
        old: None,
    },
    Scenario {
        name: "unwrap over a file",
        arguments: &["unwrap", "sealed.encl", "-o", "out.txt", "--force"],
        keystore: "bob",
        target: Some("out.txt"),
        old: Some(b"what was here before"),
    },
    Scenario {
        name: "key new",
        arguments: &["key", "new", "second@example.org", "--no-passphrase"],
        keystore: "bob",
        target: None,
        old: None,
    },
    Scenario {
        name: "contact add",
        arguments: &["contact", "add", "carol.card", "--yes"],
        keystore: "bob",
        target: None,
        old: None,
    },
];

/// A copy of the prepared folder, in which one thing goes wrong.
pub(crate) struct Scene {
    folder: tempfile::TempDir,
}

pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_encl")
}

impl Scene {
    /// Keys, cards, an input and an envelope, made by the program itself.
    pub(crate) fn prepared() -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let text = format!("{MARK}\n").repeat(3_000);
        fs::write(scene.path("report.txt"), text).unwrap();
        for (person, keystore) in [("alice", "alice"), ("bob", "bob"), ("carol", "carol")] {
            let address = format!("{person}@example.org");
            let made = scene.encl(keystore, &["key", "new", &address, "--no-passphrase"]);
            fs::write(scene.path(&format!("{person}.card")), ok(made).stdout).unwrap();
        }
        ok(scene.encl("alice", &["contact", "add", "bob.card", "--yes"]));
        ok(scene.encl("bob", &["contact", "add", "alice.card", "--yes"]));
        ok(scene.encl(
            "alice",
            &[
                "wrap",
                "report.txt",
                "--to",
                "bob@example.org",
                "-o",
                "sealed.encl",
            ],
        ));
        scene
    }

    pub(crate) fn copy(&self, scenario: &Scenario) -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        copy_all(self.folder.path(), scene.folder.path());
        if let (Some(target), Some(old)) = (scenario.target, scenario.old) {
            fs::write(scene.path(target), old).unwrap();
        }
        scene
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program in this folder with one of its keystores, without a terminal.
    pub(crate) fn command(&self, program: &str, keystore: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("ENCL_KEYSTORE", self.path(keystore))
            .env("ENCL_IDENTITY", "");
        command
            .stdin(Stdio::null())
            .env_remove("ENCL_PASSPHRASE_FILE");
        command
    }

    pub(crate) fn encl(&self, keystore: &str, arguments: &[&str]) -> Output {
        self.command(program(), keystore)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Runs a scenario under `strace` with these options.
    pub(crate) fn traced(&self, scenario: &Scenario, options: &[&str]) -> Output {
        let mut command = self.command("strace", scenario.keystore);
        command
            .args(options)
            .args(["--", program()])
            .args(scenario.arguments);
        command
            .output()
            .expect("strace runs (apt-get install strace)")
    }

    /// Everything that must hold after a scenario, however it ended; `finished` when it said so itself.
    pub(crate) fn check(&self, scenario: &Scenario, finished: bool, what: &str) {
        let original = format!("{MARK}\n").repeat(3_000);
        assert!(
            fs::read(self.path("report.txt")).unwrap() == original.as_bytes(),
            "{what}: the input was changed"
        );
        if let Some(target) = scenario.target {
            self.check_target(scenario, target, finished, what);
        }
        for keystore in ["alice", "bob"] {
            for command in [["key", "list"], ["contact", "list"], ["group", "list"]] {
                let listed = self.encl(keystore, &command);
                assert!(
                    listed.status.success(),
                    "{what}: {keystore}'s keystore does not open: {}",
                    text(&listed)
                );
            }
        }
        let opened = self.encl("bob", &["unwrap", "sealed.encl", "-o", "-"]);
        assert!(
            opened.stdout == original.as_bytes(),
            "{what}: Bob's key is lost: {}",
            text(&opened)
        );
        self.check_second_identity(what);
        self.check_nothing_readable(&self.path(""), what);
    }

    fn check_target(&self, scenario: &Scenario, target: &str, finished: bool, what: &str) {
        let found = fs::read(self.path(target)).ok();
        let is_old = found.as_deref() == scenario.old;
        let is_new = found.is_some() && !is_old && self.is_complete(scenario, target);
        assert!(
            is_old || is_new,
            "{what}: {target} is partial: {:?} bytes",
            found.map(|bytes| bytes.len())
        );
        assert!(
            is_new || !finished,
            "{what}: exit 0, and {target} is not there"
        );
    }

    fn is_complete(&self, scenario: &Scenario, target: &str) -> bool {
        if scenario.arguments[0] == "wrap" {
            let opened = self.encl("bob", &["unwrap", target, "-o", "-"]);
            return opened.status.success()
                && opened.stdout == fs::read(self.path("report.txt")).unwrap();
        }
        let mode = fs::metadata(self.path(target))
            .unwrap()
            .permissions()
            .mode()
            & 0o777;
        mode == 0o600
            && fs::read(self.path(target)).unwrap() == fs::read(self.path("report.txt")).unwrap()
    }

    /// If `key new` got so far that its identity is listed, its keys open what is sealed for it.
    fn check_second_identity(&self, what: &str) {
        let listed = self.encl("bob", &["key", "list"]);
        if !text(&listed).contains("second@example.org") {
            return;
        }
        let sealed = self.encl(
            "bob",
            &[
                "wrap",
                "report.txt",
                "--to",
                "second@example.org",
                "--no-self",
                "--anonymous",
                "-o",
                "-",
            ],
        );
        fs::write(self.path("second.encl"), &ok(sealed).stdout).unwrap();
        let opened = self.encl("bob", &["unwrap", "second.encl", "-o", "-"]);
        assert!(
            opened.status.success(),
            "{what}: the new key does not open: {}",
            text(&opened)
        );
        fs::remove_file(self.path("second.encl")).unwrap();
    }

    fn check_nothing_readable(&self, folder: &Path, what: &str) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            if metadata.is_dir() {
                self.check_nothing_readable(&path, what);
            } else if path != self.path("report.txt") && metadata.permissions().mode() & 0o077 != 0
            {
                let bytes = fs::read(&path).unwrap();
                let shown = bytes
                    .windows(MARK.len())
                    .any(|window| window == MARK.as_bytes());
                assert!(
                    !shown,
                    "{what}: others can read the plaintext in {}",
                    path.display()
                );
                let secret = bytes.windows(6).any(|window| window == b"\"seed\"");
                assert!(
                    !secret,
                    "{what}: others can read the keys in {}",
                    path.display()
                );
            }
        }
    }
}

pub(crate) fn ok(output: Output) -> Output {
    assert!(output.status.success(), "{}", text(&output));
    output
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn copy_all(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            fs::set_permissions(&to, fs::metadata(&from).unwrap().permissions()).unwrap();
            copy_all(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
