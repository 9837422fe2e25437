//! People who type commands into a shell. Each has a keystore; all share one temporary folder.

mod people;
mod screen;

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use screen::Screen;

use crate::folder::Prepared;
use crate::json;
use crate::scrub::scrub;
use crate::support::process;
use crate::tell::skipped;

/// The passphrase of all people who have one.
pub(crate) const PASSPHRASE: &str = "correct horse";

/// A folder with people in it. All commands and their output are recorded for the snapshot.
pub(crate) struct Session {
    folder: tempfile::TempDir,
    transcript: String,
}

/// The result of one command.
pub(crate) struct Answer {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

impl Session {
    pub(crate) fn new() -> Self {
        let session = Self {
            folder: tempfile::tempdir().unwrap(),
            transcript: String::new(),
        };
        for folder in ["bin", "keys", "work"] {
            std::fs::create_dir(session.folder.path().join(folder)).unwrap();
        }
        std::os::unix::fs::symlink(
            env!("CARGO_BIN_EXE_encl"),
            session.folder.path().join("bin/encl"),
        )
        .unwrap();
        session.write("passphrase", format!("{PASSPHRASE}\n"));
        session
    }

    /// Runs `make` on the first call. Every call returns a copy of the result, whose people have the same keys.
    pub(crate) fn made_once(once: &OnceLock<Prepared>, make: impl FnOnce() -> Self) -> Self {
        Self::copy_of(once.get_or_init(|| Prepared::of(make().folder.path())))
    }

    /// A copy of this session: the same people with the same files.
    pub(crate) fn again(&self) -> Self {
        Self::copy_of(&Prepared::of(self.folder.path()))
    }

    fn copy_of(prepared: &Prepared) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepared.lay_out(folder.path());
        Self {
            folder,
            transcript: String::new(),
        }
    }

    /// A program that people can run.
    pub(crate) fn program(&self, name: &str, script: &str) {
        let path = self.folder.path().join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The folder in which commands run.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub(crate) fn keystore(&self, person: &str) -> PathBuf {
        self.folder.path().join("keys").join(person)
    }

    /// The folder of a person's machine, in which the program keeps its state.
    pub(crate) fn state(&self, person: &str) -> PathBuf {
        self.folder.path().join("state").join(person)
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.work().join(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        std::fs::read(self.work().join(name)).unwrap()
    }

    /// Whether this program is installed.
    pub(crate) fn has(&self, program: &str) -> bool {
        self.ask("alice", &format!("command -v {program}")).exit == 0
    }

    /// Whether commands can run on a terminal, which needs script(1).
    pub(crate) fn has_terminal(&self) -> bool {
        let has_script = self.has("script");
        if !has_script {
            skipped("cli: a question on a terminal: script(1) is not installed");
        }
        has_script
    }

    /// Runs a shell command that must succeed and is not part of the story.
    pub(crate) fn quietly(&self, person: &str, line: &str) -> Answer {
        let answer = self.ask(person, line);
        assert_eq!(answer.exit, 0, "{line}\n{}", answer.stderr);
        answer
    }

    /// Runs a shell command as `person`, without a terminal.
    pub(crate) fn ask(&self, person: &str, line: &str) -> Answer {
        let mut shell = self.command(person, "setsid", ["-w", "sh", "-c", line]);
        Answer::of(&process::output(&mut shell))
    }

    /// Runs a shell command as `person` on a new terminal and types `typed`. Both streams are returned as stdout.
    pub(crate) fn ask_on_terminal(&self, person: &str, line: &str, typed: &str) -> Answer {
        let mut command = self.command(
            person,
            "timeout",
            ["20", "script", "-qec", line, "/dev/null"],
        );
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        let screen = Screen::of(child.stdout.take().unwrap());
        for line in typed.split_inclusive(['\n', '\u{3}', '\u{4}']) {
            screen.wait_for_a_question();
            keyboard.write_all(line.as_bytes()).unwrap();
        }
        let output = process::finish(&mut child, &line);
        drop(keyboard);
        Answer::of(&Output {
            stdout: screen.all(),
            ..output
        })
    }

    /// Runs a command that is part of the story.
    pub(crate) fn type_(&mut self, person: &str, line: &str) -> Answer {
        let answer = self.ask(person, line);
        let text = &mut self.transcript;
        writeln!(text, "{person}$ {line}").unwrap();
        for line in String::from_utf8_lossy(&answer.stdout).lines() {
            writeln!(text, "{line}").unwrap();
        }
        for line in answer.stderr.lines() {
            writeln!(text, "! {line}").unwrap();
        }
        if answer.exit != 0 {
            writeln!(text, "[exit {}]", answer.exit).unwrap();
        }
        text.push('\n');
        answer
    }

    /// All commands and their output; parts that differ between two runs are replaced.
    pub(crate) fn transcript(&self) -> String {
        let folder = self.work().to_string_lossy().into_owned();
        let keys = self
            .folder
            .path()
            .join("keys")
            .to_string_lossy()
            .into_owned();
        let states = self.folder.path().join("state");
        let states = states.to_string_lossy().into_owned();
        scrub(
            &self
                .transcript
                .replace(&folder, "<work>")
                .replace(&keys, "<keys>")
                .replace(&states, "<state>"),
        )
    }

    fn command<const N: usize>(
        &self,
        person: &str,
        program: &str,
        arguments: [&str; N],
    ) -> Command {
        let path = format!(
            "{}:{}",
            self.folder.path().join("bin").display(),
            env!("PATH")
        );
        let mut command = process::command(program);
        command
            .args(arguments)
            .current_dir(self.work())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env(
                "ENCL_KEYSTORE",
                self.folder.path().join("keys").join(person),
            )
            .env("XDG_STATE_HOME", self.state(person))
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "dumb")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Answer {
    /// What a program answered. Objects are held against `encl help json`.
    fn of(output: &Output) -> Self {
        let answer = Self {
            stdout: output.stdout.clone(),
            stderr: String::from_utf8(output.stderr.clone()).expect("stderr is always UTF-8"),
            exit: output.status.code().unwrap_or(-1),
        };
        json::check(&answer);
        answer
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}
