//! The system calls of a run, as `strace` wrote them down.

use std::collections::BTreeMap;
use std::fs;

use crate::scene::{Scenario, Scene, ok};

/// One system call: its name, which one of that name in its thread it is (from 1), and its line.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) number: usize,
    pub(crate) line: String,
}

impl Call {
    /// Whether something changes on disk or in a file, if it goes through.
    pub(crate) fn writes(&self) -> bool {
        let descriptor = self
            .line
            .split(['(', ','])
            .nth(1)
            .and_then(|text| text.trim().parse::<u32>().ok());
        let to_a_file = descriptor.is_some_and(|number| number > 2);
        match self.name.as_str() {
            "write" | "pwrite64" | "writev" | "fsync" | "fdatasync" => to_a_file,
            "openat" => self.line.contains("O_CREAT") || self.line.contains("O_TMPFILE"),
            name => [
                "link",
                "rename",
                "mkdir",
                "unlink",
                "rmdir",
                "chmod",
                "ftruncate",
            ]
            .iter()
            .any(|part| name.contains(part)),
        }
    }
}

/// All calls that the program itself makes in a scenario that goes well, in their order.
pub(crate) fn calls(prepared: &Scene, scenario: &Scenario) -> Vec<Call> {
    let scene = prepared.copy(scenario);
    let file = scene.path("trace");
    let output = scene.traced(scenario, &["-f", "-qq", "-o", file.to_str().unwrap()]);
    if scenario.name != "wrap, the target exists" {
        ok(output);
    }
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in fs::read_to_string(&file).unwrap().lines() {
        let Some((thread, call)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let call = call.trim_start();
        let name = call.split('(').next().unwrap_or_default();
        // Continuations, signals and exits are no calls; nothing can be injected into the first execve.
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name
            || !call.contains('(')
            || matches!(name, "execve" | "exit" | "exit_group" | "rt_sigreturn")
        {
            continue;
        }
        let count = counts
            .entry((thread.to_owned(), name.to_owned()))
            .or_default();
        *count += 1;
        calls.push(Call {
            name: name.to_owned(),
            number: *count,
            line: call.to_owned(),
        });
    }
    // The same name and number in another thread is the same point to inject at.
    let mut seen = std::collections::BTreeSet::new();
    calls.retain(|call| seen.insert((call.name.clone(), call.number)));
    calls
}

/// Whether the whole sweep was asked for.
pub(crate) fn full() -> bool {
    std::env::var("ENCL_SWEEP").is_ok_and(|sweep| sweep == "full")
}
