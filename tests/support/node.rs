//! The reader in the browser, run by Node: a third opinion on what the program makes. A binary that uses it has `tell` too.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::process;
use crate::tell;

/// Set by `tests/run`, which has installed what is needed: then nothing is skipped.
const NODE: &str = "ENCL_NODE";

/// The folder of the reader in the browser.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reader")
}

/// Node in the reader's folder, without arguments yet; `None`, and a line in the log, where Node or the reader's packages are missing.
pub(crate) fn node() -> Option<Command> {
    let demanded = std::env::var(NODE).ok();
    let program = demanded.clone().unwrap_or_else(|| "node".to_owned());
    let is_there = folder().join("node_modules/esbuild").exists() && runs(&program);
    if !is_there {
        assert!(
            demanded.is_none(),
            "{NODE} is set, but Node or the packages are missing"
        );
        tell::skipped(
            "the reader in the browser: it needs Node 20 and `npm ci --ignore-scripts --prefix src/reader`",
        );
        return None;
    }
    let mut node = process::command(&program);
    node.current_dir(folder());
    Some(node)
}

fn runs(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}
