//! The page in real browsers, from a file, as a person uses it: `src/reader/test/browsers.mjs`.

use std::path::Path;

use crate::node::node;
use crate::succeeds;
use crate::tell;

/// Programs as Debian installs them, and how many checks each has to pass at least.
const BROWSERS: [(&str, &str, usize); 3] = [
    ("chromium", "/usr/bin/chromium", 20),
    ("firefox", "/usr/bin/firefox-esr", 20),
    ("webkit", "/usr/bin/WebKitWebDriver", 8),
];
/// Set by `tests/run`, which has installed them: then nothing is skipped.
const DEMANDED: &str = "ENCL_BROWSERS";

fn works_in(name: &str) {
    let (_, program, checks) = BROWSERS.iter().find(|known| known.0 == name).unwrap();
    let Some(mut node) = node() else { return };
    if !Path::new(program).exists() {
        assert!(std::env::var_os(DEMANDED).is_none(), "{program} is missing");
        tell::skipped(&format!("the reader in {name}: there is no {program}"));
        return;
    }
    // Pictures of each state, to be looked at by a person.
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reader");
    node.args([
        "test/browsers.mjs",
        "--kit",
        "--only",
        name,
        "--shots",
        "--out",
    ]);
    node.arg(pictures);
    let told = succeeds(node.args(["--encl", env!("CARGO_BIN_EXE_encl")]));
    let passed = told.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(passed >= *checks, "{told}");
    for line in told.lines().filter(|line| line.contains("cases")) {
        tell::tell(line);
    }
}

#[test]
fn it_works_in_chromium() {
    works_in("chromium");
}

#[test]
fn it_works_in_firefox() {
    works_in("firefox");
}

#[test]
#[ignore = "it needs the packages webkit2gtk-driver, xvfb and xauth"]
fn it_works_in_webkit() {
    works_in("webkit");
}
