//! Prints lines to the log of the tests. They bypass the test runner, which captures `println!`.

use std::io::Write;

pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Reports a test that cannot run on this machine, and why. `tests/run` counts these lines.
pub(crate) fn skipped(what: &str) {
    tell(&format!("skipped: {what}"));
}
