//! Two people who send each other messages of the corpus with the program.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::fed;
use crate::support::process;

/// Bytes with every `from` turned into `to`.
pub(crate) fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// A folder with Alice and Bob, who know each other.
pub(crate) struct People {
    folder: TempDir,
}

impl People {
    pub(crate) fn new() -> Self {
        let people = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for name in ["alice", "bob"] {
            let address = format!("{name}@example.org");
            let card = people.done(
                name,
                &["key", "new", &address, "--name", name, "--no-passphrase"],
                b"",
            );
            fs::write(people.path(&format!("{name}.card")), card).unwrap();
        }
        for (who, other) in [("alice", "bob"), ("bob", "alice")] {
            let card = format!("{other}.card");
            people.done(who, &["contact", "add", &card, "--yes"], b"");
        }
        people
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program with `input` on standard input.
    pub(crate) fn run(&self, who: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = process::command(env!("CARGO_BIN_EXE_encl"));
        self.at_home(command.args(arguments), who);
        fed::output(&mut command, |stdin| stdin.write_all(input))
    }

    /// Sets the environment of a command to the keystore of `who`.
    pub(crate) fn at_home(&self, command: &mut Command, who: &str) {
        command.current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path());
        command.env("ENCL_KEYSTORE", self.path(&format!("keys-{who}")));
        command.env("XDG_STATE_HOME", self.path(&format!("state-{who}")));
    }

    /// Runs the program, which must succeed, and returns its standard output.
    pub(crate) fn done(&self, who: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let output = self.run(who, arguments, input);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{who}: {arguments:?}\n{stderr}");
        output.stdout
    }
}
