//! One gate: its folder and the program that serves it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use encl::gate::card::GateCard;
use encl::gate::protocol::Entry;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;
use crate::support::process;

/// The program that is tested: the one that was built with the tests, or with `ENCL_GATE` another one, to measure a release.
pub(crate) fn program() -> String {
    let built = || env!("CARGO_BIN_EXE_encl-gate").to_owned();
    std::env::var("ENCL_GATE").unwrap_or_else(|_| built())
}

/// A gate.
pub(crate) struct Server {
    /// Removed with the gate, where it is its own.
    folder: Option<TempDir>,
    pub(crate) dir: PathBuf,
    pub(crate) card: GateCard,
    /// Where it listens; with port 0 each start has another one.
    listen: String,
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

    /// The same for a gate with another host on its card, and so with another name of its log.
    pub(crate) fn stopped_at(host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("gate");
        let mut server = Self::made(&dir, &format!("http://{host}"), host);
        server.folder = Some(folder);
        server
    }

    /// A new gate in a folder that somebody else removes.
    pub(crate) fn in_folder(dir: &Path) -> Self {
        Self::made(dir, "http://127.0.0.1:7700", "office")
    }

    fn made(dir: &Path, url: &str, name: &str) -> Self {
        let made = run(&["init", path(dir), "--url", url, "--name", name]);
        assert!(made.status.success(), "{made:?}");
        Self {
            folder: None,
            card: card(dir),
            dir: dir.to_owned(),
            listen: "127.0.0.1:0".into(),
            running: None,
        }
    }

    /// Makes it anew at a time so many seconds from now.
    pub(crate) fn begin_at(&mut self, seconds: i64) {
        fs::remove_dir_all(&self.dir).unwrap();
        let offset = format!("{seconds:+}s");
        let mut command = process::command("faketime");
        command.args(["-f", &offset, &program(), "init", path(&self.dir)]);
        command.args(["--url", "http://127.0.0.1:7700", "--name", "office"]);
        let made = process::output(&mut command);
        assert!(made.status.success(), "this test needs faketime: {made:?}");
        self.new_card();
    }

    /// Kilobytes of memory that it has in use.
    pub(crate) fn memory_kib(&self) -> u64 {
        let id = self.running.as_ref().unwrap().child.id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.unwrap().parse().unwrap()
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
        let program = program();
        let words = [under, &[&*program]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["serve", path(&self.dir)]);
        command
            .args(["--json", "--listen", &self.listen])
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

    /// Where it is reached.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// It is at the same address after each further start.
    pub(crate) fn stay(&mut self) {
        self.listen = self.address().to_string();
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

    /// Stops it as it is, or lets it go on.
    pub(crate) fn send(&self, signal: Signal) {
        let running = self.running.as_ref().unwrap();
        kill_process(Pid::from_child(&running.child), signal).unwrap();
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

    /// `witness NAME`.
    pub(crate) fn witness(&self, name: &str, arguments: &[&str]) -> Output {
        run(&[&["--json", "witness", name, path(&self.dir)], arguments].concat())
    }

    /// Makes the other gate a witness of this one, and this one a witness of the other, as one of its two operators does.
    pub(crate) fn watch(&self, other: &Self) {
        let added = self.witness("add", &[&other.url()]);
        assert!(added.status.success(), "{added:?}");
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
    process::output(process::command(&program()).args(arguments))
}

fn card(dir: &Path) -> GateCard {
    GateCard::from_text(&fs::read(dir.join("card")).unwrap()).unwrap()
}

/// Waits until something is so; no test waits for anything that takes longer.
pub(crate) fn until(is_done: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it does not happen");
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
