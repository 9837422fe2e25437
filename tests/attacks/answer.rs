//! What a program answered.

use std::process::Command;

use crate::support::process;

/// The result of one command.
pub(crate) struct Answer {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    /// Runs a command to its end, for which there is a limit.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = process::output(command);
        Self {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test if the exit code is another one.
    pub(crate) fn ended(self, exit: i32, what: &str) -> Self {
        let Self { stdout, stderr, .. } = &self;
        assert_eq!(self.exit, exit, "{what}\n{stdout}{stderr}");
        self
    }
}
