//! People with keystores who type commands, and gates that run at the addresses on their cards.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::server::run;
use crate::support::process;

const GATE: &str = env!("CARGO_BIN_EXE_encl-gate");

/// A folder with people, their files and their gates.
pub(crate) struct Stage {
    folder: TempDir,
    gates: Vec<Gate>,
}

struct Gate {
    name: String,
    /// On its card.
    address: String,
    /// Where it listens.
    listens: String,
    running: Option<Child>,
}

/// The result of one command.
pub(crate) struct Answer {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// All objects on both streams.
    pub(crate) fn objects(&self) -> Vec<Map<String, Value>> {
        let lines = self.out.lines().chain(self.err.lines());
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The first object with this schema.
    pub(crate) fn object(&self, schema: &str) -> Map<String, Value> {
        let mut objects = self.objects().into_iter();
        let found = objects.find(|object| object["schema"] == schema);
        found.unwrap_or_else(|| panic!("no {schema}: {}{}", self.out, self.err))
    }
}

impl Stage {
    /// Alice, Bob and Carol, who know each other, and these gates, which all three have added.
    pub(crate) fn with_gates(names: &[&str]) -> Self {
        let mut stage = Self {
            folder: tempfile::tempdir().unwrap(),
            gates: Vec::new(),
        };
        let people = ["alice", "bob", "carol"];
        for person in people {
            stage.good(
                person,
                &format!("key new {person}@example.org --no-passphrase -o {person}.card"),
            );
        }
        for person in people {
            let others = people.iter().filter(|other| **other != person);
            let others: Vec<String> = others.map(|other| format!("{other}.card")).collect();
            stage.good(person, &format!("contact add {} --yes", others.join(" ")));
        }
        for name in names {
            stage.make_gate(name);
            let url = stage.url(name);
            for person in people {
                stage.good(person, &format!("gate add {url} --name {name} --yes"));
            }
        }
        stage.write("plan.txt", "the plan");
        std::fs::create_dir(stage.path("receipts")).unwrap();
        stage
    }

    /// A gate that runs, and nobody has added.
    pub(crate) fn make_gate(&mut self, name: &str) {
        let address = free_address();
        let dir = self.path(&format!("gate-{name}"));
        let url = format!("http://{address}");
        let dir = dir.to_str().unwrap();
        let made = run(&["init", dir, "--url", &url, "--name", name]);
        assert!(made.status.success(), "{made:?}");
        self.gates.push(Gate {
            name: name.to_owned(),
            listens: address.clone(),
            address,
            running: None,
        });
        self.start(name);
    }

    pub(crate) fn url(&self, name: &str) -> String {
        let mut gates = self.gates.iter();
        let gate = gates.find(|gate| gate.name == name).unwrap();
        format!("http://{}", gate.address)
    }

    fn gate(&mut self, name: &str) -> &mut Gate {
        let mut gates = self.gates.iter_mut();
        gates.find(|gate| gate.name == name).unwrap()
    }

    pub(crate) fn start(&mut self, name: &str) {
        let dir = self.path(&format!("gate-{name}"));
        let gate = self.gate(name);
        let mut command = Command::new(GATE);
        command.arg("serve").arg(dir);
        command.args(["--json", "--listen", &gate.listens]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        gate.running = Some(child);
    }

    pub(crate) fn stop(&mut self, name: &str) {
        let mut child = self.gate(name).running.take().unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let status = process::wait_with_limit(&mut child, &"encl-gate serve");
        assert!(status.success(), "{status}");
    }

    /// Lets a gate listen at another address than the one on its card, which it returns: that one is free then.
    pub(crate) fn move_gate(&mut self, name: &str) -> String {
        self.stop(name);
        self.gate(name).listens = free_address();
        self.start(name);
        self.gate(name).address.clone()
    }

    pub(crate) fn move_gate_back(&mut self, name: &str) {
        self.stop(name);
        let gate = self.gate(name);
        gate.listens.clone_from(&gate.address);
        self.start(name);
    }

    /// Where a gate listens.
    pub(crate) fn listens(&self, name: &str) -> String {
        let mut gates = self.gates.iter();
        let gate = gates.find(|gate| gate.name == name).unwrap();
        gate.listens.clone()
    }

    /// Runs a command of a gate's operator.
    pub(crate) fn operate(&self, command: &str, name: &str, arguments: &[&str]) -> String {
        let dir = self.path(&format!("gate-{name}"));
        let output = run(&[&[command, dir.to_str().unwrap()], arguments].concat());
        assert!(output.status.success(), "{command}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// What this person's machine remembers.
    pub(crate) fn state(&self, person: &str) -> PathBuf {
        self.path(&format!("state-of-{person}/encl"))
    }

    pub(crate) fn keystore(&self, person: &str) -> PathBuf {
        self.path(&format!("keys-of-{person}"))
    }

    /// Runs `encl` under strace, which has to end with this code: the calls about the network.
    pub(crate) fn traced(&self, person: &str, line: &str, exit: i32) -> String {
        let trace = self.path("trace");
        let mut command = process::command("strace");
        command.args(["-f", "-e", "trace=network", "-o"]);
        command.arg(&trace).arg(env!("CARGO_BIN_EXE_encl"));
        let answer = self.run(command, person, line);
        assert_eq!(
            answer.exit, exit,
            "encl {line}: {}{}",
            answer.out, answer.err
        );
        std::fs::read_to_string(trace).unwrap()
    }

    /// Runs `encl` as a person.
    pub(crate) fn encl(&self, person: &str, line: &str) -> Answer {
        self.run(process::command(env!("CARGO_BIN_EXE_encl")), person, line)
    }

    fn run(&self, mut command: Command, person: &str, line: &str) -> Answer {
        command
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env("ENCL_KEYSTORE", self.keystore(person))
            .env("XDG_STATE_HOME", self.path(&format!("state-of-{person}")))
            // A proxy would see who asks: none is used.
            .env("http_proxy", "http://127.0.0.1:9")
            .env("ALL_PROXY", "http://127.0.0.1:9")
            .stdin(Stdio::null());
        let output = process::output(&mut command);
        Answer {
            exit: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs `encl`, which has to do it.
    pub(crate) fn good(&self, person: &str, line: &str) -> Answer {
        self.ends(person, line, 0)
    }

    /// Runs `encl`, which has to end with this code.
    pub(crate) fn ends(&self, person: &str, line: &str, exit: i32) -> Answer {
        let answer = self.encl(person, line);
        let Answer { out, err, .. } = &answer;
        assert_eq!(answer.exit, exit, "{person}: encl {line}\n{out}{err}");
        answer
    }

    /// What stands in the first error.
    pub(crate) fn error(&self, person: &str, line: &str, exit: i32) -> Map<String, Value> {
        let answer = self.ends(person, &format!("{line} --json"), exit);
        answer.object("encl.error/1")
    }
}

fn free_address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

impl Drop for Stage {
    fn drop(&mut self) {
        for child in self
            .gates
            .iter_mut()
            .filter_map(|gate| gate.running.as_mut())
        {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
