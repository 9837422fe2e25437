//! What every help text ends with: exit codes and examples.

pub(crate) mod completion;
pub(crate) mod shells;
pub(crate) mod tips;
pub(crate) mod topics;

use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::errors::Exit;
use crate::cli::errors::sysexits;

/// Whether help texts are only defined and not shown.
static IS_LEFT_OUT: AtomicBool = AtomicBool::new(false);

/// Defines options without the ends of their help texts, which take as long to write as some options to define.
pub(crate) fn without_closing<T>(define: impl FnOnce() -> T) -> T {
    IS_LEFT_OUT.store(true, Ordering::Relaxed);
    let defined = define();
    IS_LEFT_OUT.store(false, Ordering::Relaxed);
    defined
}

/// What every help text ends with: the exit codes that the command can give, then examples.
pub(crate) fn closing(exits: &[Exit], examples: &str) -> String {
    if IS_LEFT_OUT.load(Ordering::Relaxed) {
        return String::new();
    }
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
