//! People with a keystore each in one temporary folder, who type commands into a shell.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::scrub::scrub;

/// The passphrase of whoever has one.
pub(crate) const PASSPHRASE: &str = "correct horse";

/// Keeps the words and the message of its Nth call as `sent-N` and `sent-N.eml`, and ends as `exit-N` says, if there is one.
const SENDMAIL: &str = r#"n=1
while [ -e sent-$n ]; do n=$((n + 1)); done
echo "$*" > sent-$n
cat > sent-$n.eml
[ -e exit-$n ] && exit "$(cat exit-$n)"
exit 0"#;

/// A folder with people in it. Everything that was typed and answered is kept for the snapshot.
pub(crate) struct Session {
    folder: tempfile::TempDir,
    transcript: String,
}

/// What one command answered.
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

    /// Alice and Bob know each other's cards; Carol knows nobody. A letter from Bob lies in Alice's folder.
    pub(crate) fn with_people() -> Self {
        let session = Self::new();
        for name in ["alice", "bob", "carol"] {
            let title = name[..1].to_uppercase() + &name[1..];
            session.quietly(
                name,
                &format!(
                    "encl key new {name}@example.org --name {title} --no-passphrase > {name}.card"
                ),
            );
        }
        session.quietly(
            "alice",
            "encl contact add bob.card --yes && encl contact add carol.card --yes",
        );
        session.quietly(
            "alice",
            "encl group new finance bob@example.org carol@example.org",
        );
        session.quietly("bob", "encl contact add alice.card --yes");
        session.write("report.pdf", "%PDF: the report\n".repeat(1000));
        session.write("notes.txt", "notes\n");
        session.write("letter.pdf", "a letter\n");
        session.quietly(
            "bob",
            "encl wrap letter.pdf --to alice@example.org && rm letter.pdf",
        );
        session.write_mail();
        session.write_answer();
        session.quietly(
            "alice",
            "mkdir photos sealed opened && echo sea > photos/1.txt",
        );
        session
    }

    /// The same people, and Dan and Erin, who have all cards; `plan.txt.encl` of Bob's opens to any two of Alice, Bob and Dan,
    /// and `bob.approval` is Bob's for Alice.
    pub(crate) fn with_a_board() -> Self {
        let session = Self::with_people();
        for name in ["dan", "erin"] {
            let title = name[..1].to_uppercase() + &name[1..];
            session.quietly(
                name,
                &format!(
                    "encl key new {name}@example.org --name {title} --no-passphrase > {name}.card"
                ),
            );
        }
        for person in ["alice", "bob", "carol", "dan", "erin"] {
            let all =
                "for card in *.card; do [ $card = {}.card ] || encl contact add $card --yes; done";
            session.quietly(person, &all.replace("{}", person));
        }
        session.quietly(
            "bob",
            "encl contact verify alice@example.org --no-input > number-from-bob || true",
        );
        session.quietly(
            "alice",
            "encl group new legal dan@example.org erin@example.org",
        );
        session.write("plan.txt", "the plan\n");
        session.quietly(
            "bob",
            "encl wrap plan.txt --quorum 2:alice@example.org,bob@example.org,dan@example.org && rm plan.txt",
        );
        session.quietly(
            "bob",
            "encl approve plan.txt.encl --to alice@example.org -o bob.approval",
        );
        session
    }

    /// The same people with the same files once more, whatever is done to them.
    pub(crate) fn again(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(self.folder.path().join("."))
            .arg(folder.path())
            .status();
        assert!(copied.unwrap().success());
        Self {
            folder,
            transcript: String::new(),
        }
    }

    /// A letter of Alice's, one sealed for her by Bob, and mailboxes; programs that take what is sent to them.
    fn write_mail(&self) {
        let letter = |from: &str, to: &str, subject: &str| {
            let stamp = "Date: Tue, 24 Nov 2026 06:24:00 +0000\nMessage-ID: <1@example.org>";
            format!(
                "From: {from}@example.org\nTo: {to}@example.org\n{stamp}\nSubject: {subject}\n\nThe code is 4711.\n"
            )
        };
        self.write("letter.eml", letter("alice", "bob", "the code"));
        self.write("from-bob.eml", letter("bob", "alice", "your code"));
        self.quietly("bob", "encl mail wrap from-bob.eml -o sealed.eml");
        for folder in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(self.work().join("mailbox").join(folder)).unwrap();
        }
        self.write("mailbox/cur/1.a:2,S", letter("bob", "alice", "first"));
        self.write("mailbox/new/2.b", letter("carol", "alice", "second"));
        let mbox = ["one", "two"].map(|subject| {
            let letter = letter("bob", "alice", subject);
            format!("From bob@example.org Tue Nov 24 06:24:00 2026\n{letter}\n")
        });
        self.write("archive.mbox", mbox.concat());
        self.program("maildrop", "exec cat > handed-over.eml");
        self.program("sendmail", SENDMAIL);
    }

    /// A letter with which Bob sends his card.
    fn write_answer(&self) {
        let card = String::from_utf8(self.read("bob.card")).unwrap();
        self.write(
            "answer.eml",
            format!(
                "From: Bob <bob@example.org>\nTo: alice@example.org\nSubject: my card\n\n{card}"
            ),
        );
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

    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.work().join(name), bytes).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        std::fs::read(self.work().join(name)).unwrap()
    }

    /// A shell command that has to work, and is not part of the story.
    pub(crate) fn quietly(&self, person: &str, line: &str) -> Answer {
        let answer = self.ask(person, line);
        assert_eq!(answer.exit, 0, "{line}\n{}", answer.stderr);
        answer
    }

    /// A shell command of `person`, without a terminal.
    pub(crate) fn ask(&self, person: &str, line: &str) -> Answer {
        Answer::of(&self.shell(
            person,
            OsStr::new("timeout"),
            ["60", "setsid", "-w", "sh", "-c", line],
        ))
    }

    /// The same in bash on a terminal of its own, at which `typed` is typed; both streams come back as stdout.
    pub(crate) fn ask_on_terminal(&self, person: &str, line: &str, typed: &str) -> Answer {
        let mut command = self.command(
            person,
            OsStr::new("timeout"),
            ["20", "script", "-qec", line, "/dev/null"],
        );
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut keyboard = child.stdin.take().unwrap();
        let screen = Screen::of(child.stdout.take().unwrap());
        for line in typed.split_inclusive(['\n', '\u{3}', '\u{4}']) {
            screen.wait_for_a_question();
            keyboard.write_all(line.as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        drop(keyboard);
        Answer::of(&Output {
            stdout: screen.all(),
            ..output
        })
    }

    /// A command that is part of the story.
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

    /// All that was typed and answered, with what differs between two runs replaced.
    pub(crate) fn transcript(&self) -> String {
        let folder = self.work().to_string_lossy().into_owned();
        let keys = self
            .folder
            .path()
            .join("keys")
            .to_string_lossy()
            .into_owned();
        scrub(
            &self
                .transcript
                .replace(&folder, "<work>")
                .replace(&keys, "<keys>"),
        )
    }

    fn shell<const N: usize>(&self, person: &str, program: &OsStr, arguments: [&str; N]) -> Output {
        self.command(person, program, arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn command<const N: usize>(
        &self,
        person: &str,
        program: &OsStr,
        arguments: [&str; N],
    ) -> Command {
        let path = format!(
            "{}:{}",
            self.folder.path().join("bin").display(),
            env!("PATH")
        );
        let mut command = Command::new(program);
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
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "dumb")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// What a terminal shows, as it comes.
struct Screen {
    shown: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Screen {
    fn of(mut stdout: ChildStdout) -> Self {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let copy = Arc::clone(&shown);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(bytes @ 1..) = stdout.read(&mut buffer) {
                copy.lock().unwrap().extend_from_slice(&buffer[..bytes]);
            }
        });
        Self { shown, reader }
    }

    /// What is typed before its question is not an answer to it.
    fn wait_for_a_question(&self) {
        let asks = |shown: &[u8]| {
            let text = String::from_utf8_lossy(shown);
            let last = text.rsplit('\n').next().unwrap_or_default();
            last.ends_with("[y/N] ")
                || last.ends_with(": ")
                    && ["assphrase of", "Repeat the passphrase", "Line "]
                        .iter()
                        .any(|question| last.contains(question))
        };
        while !self.reader.is_finished() && !asks(&self.shown.lock().unwrap()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.shown.lock().unwrap().push(b'\n');
    }

    fn all(self) -> Vec<u8> {
        self.reader.join().unwrap();
        std::mem::take(&mut *self.shown.lock().unwrap())
    }
}

impl Answer {
    fn of(output: &Output) -> Self {
        Self {
            stdout: output.stdout.clone(),
            stderr: String::from_utf8(output.stderr.clone()).expect("stderr is always UTF-8"),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}
