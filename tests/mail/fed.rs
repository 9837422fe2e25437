//! Programs that read what a test writes.

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::support::process::finish;

/// Runs a program, writes its standard input by `feed`, and returns both outputs.
///
/// A program that stops reading early is judged by its exit code.
pub(crate) fn output(
    command: &mut Command,
    feed: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send,
) -> Output {
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || drop(feed(&mut stdin)));
        finish(&mut child, command)
    })
}
