//! What every help text ends with: exit codes and examples.

pub(crate) mod completion;
pub(crate) mod shells;
pub(crate) mod tips;
pub(crate) mod topics;

use crate::cli::errors::Exit;
use crate::cli::errors::sysexits;

/// What every help text ends with: the exit codes that the command can give, then examples.
pub(crate) fn closing(exits: &[Exit], examples: &str) -> String {
    let examples: Vec<_> = examples
        .lines()
        .map(|line| format!("  {}", line.trim()))
        .collect();
    format!(
        "Exit codes:\n{}\nExamples:\n{}",
        exit_codes(exits),
        examples.join("\n")
    )
}

/// The closing part of the help of a command with exit codes for mail programs.
pub(crate) fn sysexit_closing(examples: &str) -> String {
    let examples: Vec<_> = examples
        .lines()
        .map(|line| format!("  {}", line.trim()))
        .collect();
    format!(
        "Exit codes:\n{}\n\nExamples:\n{}",
        sysexits::TABLE,
        examples.join("\n")
    )
}

/// The table of exit codes, one a line.
pub(crate) fn exit_codes(exits: &[Exit]) -> String {
    let line = |exit: &Exit| format!("  {}  {}\n", exit.code(), exit.means());
    let lines: Vec<String> = exits.iter().map(line).collect();
    format!("  0  done, and safely on disk\n{}", lines.concat())
}
