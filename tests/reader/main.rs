//! The reader in the browser, as far as Node can run it: its types, its unit tests, the test kit, and what the program seals.
//! `tests/format` and `tests/vectors` ask it beside the other readers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod browsers;
mod honest;
#[path = "../support/node.rs"]
mod node;
mod page;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tell.rs"]
mod tell;

use std::fs;
use std::path::Path;
use std::process::Command;

use node::node;
use support::process;

/// The output of a run that has to succeed.
fn succeeds(run: &mut Command) -> String {
    let output = process::output(run);
    let [out, errors] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{run:?}:\n{out}{errors}");
    out.into_owned()
}

#[test]
fn its_types_hold() {
    if let Some(mut node) = node() {
        succeeds(node.args(["node_modules/typescript/bin/tsc", "--noEmit"]));
    }
}

#[test]
fn its_unit_tests_pass() {
    if let Some(mut node) = node() {
        let told = succeeds(node.args(["--test", "--test-reporter=tap", "test/unit.mjs"]));
        let line = told.lines().find_map(|line| line.strip_prefix("# pass "));
        let passed: u32 = line.unwrap().parse().unwrap();
        println!("{passed} unit tests");
        assert!(passed >= 20, "{told}");
    }
}

#[test]
fn it_answers_every_file_of_the_kit() {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kit");
    let kinds = fs::read_dir(&kit).unwrap().map(|kind| kind.unwrap());
    let kinds = kinds.filter(|kind| kind.file_name() != "keys");
    let files: usize = kinds
        .map(|kind| fs::read_dir(kind.path()).unwrap().count())
        .sum();
    assert!(files >= 1_000, "{files} files");
    if let Some(mut node) = node() {
        let told = succeeds(node.args(["test/run.mjs", "--kit"]).arg(&kit));
        assert_eq!(
            told.trim_end(),
            format!("{files} cases, 0 answered otherwise")
        );
    }
}

/// What a lock file of another kind would tell about the machine on which it was made.
#[test]
fn its_lock_file_names_no_host() {
    let lock = fs::read_to_string(node::folder().join("package-lock.json")).unwrap();
    assert!(!lock.contains("://"));
    assert!(lock.matches("\"integrity\"").count() > 50);
}
