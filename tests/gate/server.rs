//! One gate: its folder and the program that serves it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use encl::gate::card::GateCard;
use encl::gate::protocol::Entry;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;
use crate::support::process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_encl-gate");

/// A gate.
pub(crate) struct Server {
    /// Removed with the gate, where it is its own.
    folder: Option<TempDir>,
    pub(crate) dir: PathBuf,
    pub(crate) card: GateCard,
    running: Option<Running>,
}

struct Running {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// A new gate that runs.
    pub(crate) fn new() -> Self {
        let mut server = Self::stopped();
        server.start(&[]);
        server
    }

    /// A new gate that does not run yet.
    pub(crate) fn stopped() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("gate");
        let mut server = Self::in_folder(&dir);
        server.folder = Some(folder);
        server
    }

    /// A new gate in a folder that somebody else removes.
    pub(crate) fn in_folder(dir: &Path) -> Self {
        let made = run(&[
            "init",
            path(dir),
            "--url",
            "http://127.0.0.1:7700",
            "--name",
            "office",
        ]);
        assert!(made.status.success(), "{made:?}");
        Self {
            folder: None,
            card: card(dir),
            dir: dir.to_owned(),
            running: None,
        }
    }

    /// Starts it with more arguments for `serve`.
    pub(crate) fn start(&mut self, arguments: &[&str]) {
        self.start_under(&[], arguments);
    }

    /// Starts it as the argument of another program.
    pub(crate) fn start_under(&mut self, under: &[&str], arguments: &[&str]) {
        let started = self.try_start(under, arguments);
        assert!(started, "the gate did not start");
    }

    /// Starts it, and says whether it has come so far that it listens.
    pub(crate) fn try_start(&mut self, under: &[&str], arguments: &[&str]) -> bool {
        let words = [under, &[PROGRAM]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["serve", path(&self.dir)]);
        command
            .args(["--json", "--listen", "127.0.0.1:0"])
            .args(arguments);
        if !arguments.contains(&"--per-address") {
            // All of a test comes from one address.
            command.args(["--per-address", "10000000", "--per-id", "1000000"]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let Ok(said) = serde_json::from_str::<serde_json::Value>(&line) else {
            child.wait().unwrap();
            return false;
        };
        let address = said["listening"].as_str().unwrap();
        let address = address.strip_prefix("http://").unwrap().parse().unwrap();
        self.running = Some(Running { child, address });
        true
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().address
    }

    /// A connection to it.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// Ends it as an operator does, and says whether it ended well.
    pub(crate) fn stop(&mut self) {
        let mut running = self.running.take().unwrap();
        let pid = Pid::from_child(&running.child);
        kill_process(pid, Signal::TERM).unwrap();
        let status = process::wait_with_limit(&mut running.child, &"encl-gate serve");
        assert!(status.success(), "{status}");
    }

    /// Kills it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            // Under strace the gate is its child, which would live on.
            let id = running.child.id();
            let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
            let children = children.unwrap_or_default();
            let children = children.split_whitespace().filter_map(|id| id.parse().ok());
            for child in children.filter_map(Pid::from_raw) {
                // It may have ended in the meantime.
                let _ = kill_process(child, Signal::KILL);
            }
            let _ = running.child.kill();
            running.child.wait().unwrap();
        }
    }

    /// Waits until it was killed by others.
    pub(crate) fn wait(&mut self) {
        let mut running = self.running.take().unwrap();
        running.child.wait().unwrap();
    }

    /// Runs a command of the operator: its result as JSON.
    pub(crate) fn command(&self, name: &str, arguments: &[&str]) -> serde_json::Value {
        let output = self.try_command(name, arguments);
        assert!(output.status.success(), "{name}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command of the operator that may fail.
    pub(crate) fn try_command(&self, name: &str, arguments: &[&str]) -> Output {
        run(&[&["--json", name, path(&self.dir)], arguments].concat())
    }

    /// All entries of the log that are there.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let output = self.try_command("export", &[]);
        assert!(output.status.success(), "{output:?}");
        let lines = output.stdout.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| line.starts_with(b"{\"entry\""));
        lines.map(|line| Entry::parse(line).unwrap()).collect()
    }

    /// The card as it is in the folder now.
    pub(crate) fn new_card(&mut self) {
        self.card = card(&self.dir);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        drop(self.folder.take());
    }
}

/// Runs `encl-gate` to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    process::output(process::command(PROGRAM).args(arguments))
}

fn card(dir: &Path) -> GateCard {
    GateCard::from_text(&fs::read(dir.join("card")).unwrap()).unwrap()
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
