//! Programs in Python: a second opinion on what the program makes.

use std::process::Command;

use crate::support::process;

/// The interpreter of the environment that `tests/run` made, or `python3`.
pub(crate) fn python() -> Command {
    let python = std::env::var("ENCL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    process::command(&python)
}
