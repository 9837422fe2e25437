//! The page: it is what its sources build, and what people make in it is taken by the program.

use std::fs;

use crate::node::{self, node};
use crate::succeeds;

/// Short form: identities that are made in the page and taken by the program. `ENCL_SWEEP=full` makes a hundred.
const IDENTITIES: u32 = 2;

#[test]
fn it_is_what_its_sources_build() {
    let Some(_) = node() else { return };
    let folder = tempfile::tempdir().unwrap();
    let built = ["one", "other"].map(|name| {
        let path = folder.path().join(name);
        succeeds(node().unwrap().arg("build.mjs").arg(&path));
        fs::read(path).unwrap()
    });
    assert!(built[0] == built[1], "two builds differ");
    let committed = fs::read(node::folder().join("dist/reader.html")).unwrap();
    assert!(
        built[0] == committed,
        "dist/reader.html is not what its sources build: `node build.mjs` in src/reader writes it anew"
    );
}

#[test]
fn what_people_make_in_it_is_taken_by_the_program() {
    let Some(mut node) = node() else { return };
    let is_full = std::env::var("ENCL_SWEEP").is_ok_and(|sweep| sweep == "full");
    let identities = if is_full { 100 } else { IDENTITIES };
    let tests = ["test/making.mjs", "test/words.mjs", "test/working.mjs"];
    node.args(["--test", "--test-reporter=tap"]).args(tests);
    node.env("ENCL", env!("CARGO_BIN_EXE_encl"));
    let told = succeeds(node.env("ENCL_IDENTITIES", identities.to_string()));
    let count = |name: &str| -> u32 {
        let line = told.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    };
    assert!(count("# pass") >= 10, "{told}");
    assert_eq!(count("# skipped"), 0, "{told}");
}
