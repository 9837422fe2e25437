//! Starts programs for tests, with default signals, and waits for them with a time limit.

use std::fmt::Debug;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use super::sweep;

/// HUP, INT and QUIT, as bits of the mask in `/proc/self/status`.
const ENDING: u64 = 0b111;
/// By its path: a name that has to be looked up makes the standard library fork, which is slow in a large test program.
const ENV: &str = "/usr/bin/env";
const DEFAULT_SIGNALS: &str = "--default-signal=HUP,INT,QUIT";

/// The time limit of one command: many times what the longest takes on a busy machine. A browser with the whole test kit takes five
/// minutes on a slow one.
pub(crate) fn limit() -> Duration {
    Duration::from_secs(if sweep::is_full() { 3_600 } else { 1_200 })
}

/// A command without input that HUP, INT and QUIT end. A program inherits ignored signals, so these are reset if the tests were
/// started with them ignored: under `nohup`, or in a background job of a script.
pub(crate) fn command(program: &str) -> Command {
    static ARE_IGNORED: LazyLock<bool> = LazyLock::new(are_ignored);
    let mut command = Command::new(if *ARE_IGNORED { ENV } else { program });
    if *ARE_IGNORED {
        command.arg(DEFAULT_SIGNALS).arg(program);
    }
    command.stdin(Stdio::null());
    command
}

fn are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    if mask.unwrap_or_default() & ENDING == 0 {
        return false;
    }
    let can_reset = Command::new(ENV).args([DEFAULT_SIGNALS, "true"]).output();
    assert!(
        can_reset.is_ok_and(|output| output.status.success()),
        "the tests run with HUP, INT or QUIT ignored (nohup, a background job), and {ENV} does not know {DEFAULT_SIGNALS}: \
         GNU coreutils 8.31 does"
    );
    true
}

/// Runs a command to its end and collects both outputs. A command that takes longer than [`limit`] is killed and fails the test.
pub(crate) fn output(command: &mut Command) -> Output {
    let what = format!("{command:?}");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
    finish(&mut child, &what)
}

/// Waits for the end of a child and collects the outputs that are pipes.
pub(crate) fn finish(child: &mut Child, what: &dyn Debug) -> Output {
    let outputs = (
        child.stdout.take().map(all_of),
        child.stderr.take().map(all_of),
    );
    let deadline = Instant::now() + limit();
    // A pipe is closed when the child ends, unless a process that the child started still runs.
    let bytes = |child: &mut Child, output: Option<Receiver<Vec<u8>>>| match output {
        None => Vec::new(),
        Some(output) => output
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .unwrap_or_else(|_| give_up(child, what)),
    };
    let stdout = bytes(child, outputs.0);
    let stderr = bytes(child, outputs.1);
    Output {
        status: wait_with_limit(child, what),
        stdout,
        stderr,
    }
}

/// Waits for the end of a child. One that takes longer than [`limit`] is killed and fails the test.
pub(crate) fn wait_with_limit(child: &mut Child, what: &dyn Debug) -> ExitStatus {
    let deadline = Instant::now() + limit();
    let mut pause = Duration::from_micros(50);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("the status of a child can be read") {
            return status;
        }
        sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    give_up(child, what)
}

fn give_up(child: &mut Child, what: &dyn Debug) -> ! {
    // If the child leads a process group, kill the whole group.
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-KILL", "--", &group]).output();
    let _ = child.kill();
    let _ = child.wait();
    panic!("killed after {} seconds: {what:?}", limit().as_secs());
}

/// Reads a pipe to its end in another thread.
fn all_of(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}
