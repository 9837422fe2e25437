//! Programs that are run with a limit of time.

use std::io::{self, Read, Write};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A program that takes longer hangs. The slowest takes seconds; the rest is for a busy machine.
const LIMIT: Duration = Duration::from_secs(400);

/// Runs a program, writes its standard input by `feed`, and returns its output. Kills it after [`LIMIT`], and fails the test.
///
/// A program that stops reading early is judged by its exit code.
pub(crate) fn output(
    command: &mut Command,
    feed: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send,
) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let end = Instant::now() + LIMIT;
    let stdout = read(child.stdout.take().unwrap());
    let stderr = read(child.stderr.take().unwrap());
    let mut stdin = child.stdin.take().unwrap();
    let gathered = thread::scope(|scope| {
        scope.spawn(move || drop(feed(&mut stdin)));
        let left = || end.saturating_duration_since(Instant::now());
        let stdout = stdout.recv_timeout(left());
        let gathered = stdout.and_then(|stdout| Ok((stdout, stderr.recv_timeout(left())?)));
        if gathered.is_err() {
            child.kill().unwrap();
        }
        gathered
    });
    let Ok((stdout, stderr)) = gathered else {
        child.wait().unwrap();
        panic!("{command:?} took longer than {LIMIT:?}");
    };
    // Both outputs are closed: the program ends, or has ended.
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_micros(200));
    }
    Output {
        status: child.wait().unwrap(),
        stdout,
        stderr,
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        let _ = sender.send(bytes); // nobody waits any more after the limit
    });
    receiver
}
