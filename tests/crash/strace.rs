//! Runs the program under strace: records its system calls, and lets one of them kill the program or fail.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output};

use super::scene::Scene;
use crate::support::process;

/// Calls that can add or remove data on a disk.
const TOUCHING: [&str; 21] = [
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "copy_file_range",
    "sendfile",
    "fsync",
    "fdatasync",
    "link",
    "linkat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "chmod",
    "fchmod",
    "ftruncate",
    "flock",
];

/// One system call of a run.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The number among the calls of this name in its thread, from 1.
    pub(crate) nth: usize,
    pub(crate) thread: Thread,
    /// The line that strace wrote.
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thread {
    Main,
    Other,
}

impl Call {
    /// Whether the call can change a disk or standard output.
    pub(crate) fn touches(&self) -> bool {
        TOUCHING.contains(&&*self.name) || self.opens_for_writing()
    }

    pub(crate) fn opens_for_writing(&self) -> bool {
        self.name.starts_with("open")
            && ["O_WRONLY", "O_RDWR", "O_CREAT"]
                .iter()
                .any(|flag| self.text.contains(flag))
    }

    pub(crate) fn opens_unnamed(&self) -> bool {
        self.text.contains("O_TMPFILE")
    }

    /// Whether the call writes a message for people; losing it changes no data.
    pub(crate) fn is_message(&self) -> bool {
        self.name.starts_with("write") && self.text.contains("(2, ")
    }

    /// The injection that kills the program instead of making this call.
    pub(crate) fn killing(&self) -> String {
        format!("inject={}:signal=KILL:when={}", self.name, self.nth)
    }

    /// The injection that makes this call fail.
    pub(crate) fn failing(&self, error: &str) -> String {
        format!("inject={}:error={error}:when={}", self.name, self.nth)
    }
}

/// Runs the program to its end and lists its calls.
pub(crate) fn record(
    scene: &Scene,
    arguments: &[&str],
    injections: &[String],
) -> (Output, Vec<Call>) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log").display().to_string();
    let mut words = vec!["strace", "-ff", "-qq", "-s", "64", "-o", &log];
    words.extend(injections.iter().flat_map(|injection| ["-e", &**injection]));
    let output = run(scene, words, arguments);
    (output, logged(folder.path()))
}

/// Runs the program with injections, and returns the calls that failed. Calls are counted by thread: to find a call of the main
/// thread, other threads are not followed. Which worker makes a call varies.
pub(crate) fn inject(
    scene: &Scene,
    arguments: &[&str],
    thread: Thread,
    injections: &[String],
) -> (Output, Vec<Call>) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log").display().to_string();
    let mut words = vec!["strace", "-qq", "-s", "64", "-o", &log];
    words.extend((thread == Thread::Other).then_some("-ff"));
    let names: Vec<&str> = injections
        .iter()
        .filter_map(|injection| injection.split(['=', ':']).nth(1))
        .collect();
    let traced = format!("trace={}", names.join(","));
    words.extend(["-e", &traced]);
    words.extend(injections.iter().flat_map(|injection| ["-e", &**injection]));
    let output = run(scene, words, arguments);
    let mut calls = logged(folder.path());
    calls.retain(|call| call.text.ends_with("(INJECTED)"));
    (output, calls)
}

/// The calls in the logs of a folder, one log for each thread.
fn logged(folder: &Path) -> Vec<Call> {
    let logs = fs::read_dir(folder).unwrap();
    let calls = logs.flat_map(|log| calls(&fs::read(log.unwrap().path()).unwrap()));
    calls.collect()
}

fn run<'a>(scene: &Scene, mut words: Vec<&'a str>, arguments: &[&'a str]) -> Output {
    require();
    words.push(env!("CARGO_BIN_EXE_encl"));
    words.extend(arguments);
    process::output(&mut scene.command(&words))
}

/// Fails with a hint if strace is missing, since these tests need it.
pub(crate) fn require() {
    if let Err(error) = Command::new("strace").arg("-V").output() {
        assert_ne!(
            error.kind(),
            ErrorKind::NotFound,
            "strace is missing: apt-get install strace"
        );
    }
}

fn calls(log: &[u8]) -> Vec<Call> {
    let log = String::from_utf8_lossy(log);
    let thread = if log.starts_with("execve(") {
        Thread::Main
    } else {
        Thread::Other
    };
    let mut counts = HashMap::new();
    let call = |line: &str| {
        let name = line.split_once('(')?.0;
        let is_call = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_call.then(|| {
            let nth = counts
                .entry(name.to_owned())
                .and_modify(|nth| *nth += 1)
                .or_insert(1_usize);
            Call {
                name: name.to_owned(),
                nth: *nth,
                thread,
                text: line.to_owned(),
            }
        })
    };
    log.lines().filter_map(call).collect()
}
