//! Lines for whoever reads the log of the tests. They go past the test runner, which keeps to itself what `println!` says.

use std::io::Write;

pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Tells what could not be tested on this machine, and why. `tests/run` counts these lines.
pub(crate) fn skipped(what: &str) {
    tell(&format!("skipped: {what}"));
}
