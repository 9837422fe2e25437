//! House rules that a test can check: which module may use which, and what must not be in the sources.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "tidy/door.rs"]
mod door;
#[path = "tidy/program.rs"]
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the library and the modules that it may use. Adding one is a deliberate decision.
const LAYERS: [(&str, &[&str]); 18] = [
    ("time", &[]),
    ("address", &[]),
    ("pipeline", &[]),
    ("json", &["time"]),
    ("atomic_file", &[]),
    ("crypto", &["json"]), // only to write base64
    ("reader", &["crypto"]),
    ("payload", &["crypto", "pipeline"]),
    ("identity", &["address", "crypto", "json", "time"]),
    ("policy", &["crypto", "json", "time"]),
    (
        "envelope",
        &[
            "crypto", "identity", "json", "payload", "policy", "time", "pipeline",
        ],
    ),
    (
        "gate",
        &[
            "address", "crypto", "envelope", "identity", "json", "policy", "time",
        ],
    ),
    ("file_kind", &["envelope", "gate", "identity"]),
    (
        "keystore",
        &[
            "address",
            "atomic_file",
            "crypto",
            "envelope",
            "gate",
            "identity",
            "json",
            "policy",
            "time",
            "pipeline",
        ],
    ),
    (
        "mail",
        &[
            "address",
            "atomic_file",
            "crypto",
            "envelope",
            "json",
            "policy",
            "time",
        ],
    ),
    (
        "directory",
        &[
            "address", "crypto", "envelope", "gate", "identity", "keystore", "mail", "pipeline",
            "policy", "time",
        ],
    ),
    (
        "operations",
        &[
            "address",
            "atomic_file",
            "crypto",
            "directory",
            "envelope",
            "file_kind",
            "gate",
            "identity",
            "json",
            "keystore",
            "mail",
            "payload",
            "pipeline",
            "policy",
            "reader",
            "time",
        ],
    ),
    ("cli", &[]), // uses the library from outside, by its public names
];

/// A longer file has more than one purpose.
const LINES_MAX: usize = 450;

/// Folders that hold nothing written by hand here.
const OTHERS: [&str; 6] = [
    "target",
    "corpus",
    "artifacts",
    ".git",
    "node_modules",
    "dist",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ends: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !OTHERS.contains(&name) {
                folders.push(path);
            } else if ends.iter().any(|end| name.ends_with(end)) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found
}

#[test]
fn no_module_uses_one_above_or_beside() {
    let layers: BTreeMap<_, _> = LAYERS.into_iter().collect();
    let mut arrows = 0;
    for (path, text) in files("src", &[".rs"]) {
        let part = path
            .components()
            .nth(1)
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let module = part.trim_end_matches(".rs");
        // The program of the gate uses the library from outside, as `cli` does.
        if ["lib", "main"].contains(&module) || path.starts_with("src/gate/program") {
            continue;
        }
        let allowed = layers
            .get(module)
            .unwrap_or_else(|| panic!("{module} is in no layer"));
        // Tests beside the code may use any module.
        let code = text.split("#[cfg(test)]").next().unwrap();
        let is_test = path.ends_with("tests.rs");
        for used in code.split("crate::").skip(1).filter(|_| !is_test) {
            let used: String = used
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            let fits = used == module
                || used.is_empty()
                || module == "cli"
                || allowed.contains(&used.as_str());
            assert!(fits, "{} uses crate::{used}", path.display());
            arrows += 1;
        }
    }
    assert!(arrows > 50, "only {arrows} uses found");
}

#[test]
fn files_have_a_head_and_no_work_is_postponed() {
    let sources = files("src", &[".rs"]);
    assert!(sources.len() > 50);
    for (path, text) in &sources {
        assert!(
            text.starts_with("//!") || text.starts_with("#![doc") || path.ends_with("tests.rs"),
            "{}: no head",
            path.display()
        );
    }
    for (path, text) in &files("src/reader", &[".ts", ".mjs"]) {
        assert!(text.starts_with("// "), "{}: no head", path.display());
    }
    let put_off =
        ["TO", "FIX"].map(|word| format!("{word}{}", if word == "TO" { "DO" } else { "ME" }));
    for (path, text) in sources
        .iter()
        .chain(&files("src/reader", &[".ts", ".mjs"]))
        .chain(&files("tests", &[".rs", ".py", ".sh"]))
    {
        let found = put_off.iter().find(|word| text.contains(word.as_str()));
        assert!(found.is_none(), "{}: {}", path.display(), found.unwrap());
    }
}

/// Code in a comment would not be compiled: Cargo.toml turns documentation tests off.
#[test]
fn comments_hold_no_code_that_is_not_compiled() {
    for (path, text) in files("src", &[".rs"]) {
        let mut fences = text.lines().filter_map(|line| {
            let line = line.trim_start();
            let comment = line
                .strip_prefix("//!")
                .or_else(|| line.strip_prefix("///"))?;
            comment.trim().strip_prefix("```")
        });
        // Fences come in pairs: the first names the language, the second is bare.
        while let Some(language) = fences.next() {
            assert_eq!(language, "text", "{}", path.display());
            assert_eq!(fences.next(), Some(""), "{}", path.display());
        }
    }
}

#[test]
fn text_is_clean_and_knows_no_machine() {
    let mut texts = files("src", &[".rs", ".md", ".ts", ".mjs"]);
    texts.extend(files("tests", &[".rs", ".py", ".toml", ".md", "run"]));
    texts.extend(files("examples", &[".rs", ".sh"]));
    for name in ["README.md", "Cargo.toml", ".ci/run"] {
        texts.push((name.into(), fs::read_to_string(root().join(name)).unwrap()));
    }
    // The words are put together here, so that this file does not contain them.
    let machine = [
        ["/wo", "rk/"],
        ["/ro", "ot/"],
        ["crates", ".io"],
        ["/ho", "me/"],
    ]
    .map(|parts| parts.concat());
    for (path, text) in &texts {
        let found = machine.iter().find(|word| text.contains(word.as_str()));
        assert!(found.is_none(), "{}: {}", path.display(), found.unwrap());
        let trailing = text.lines().position(|line| line.ends_with([' ', '\t']));
        assert!(
            trailing.is_none(),
            "{}: blanks at the end of line {}",
            path.display(),
            trailing.unwrap() + 1
        );
        assert!(
            text.is_empty() || text.ends_with('\n'),
            "{}: no line end at the end",
            path.display()
        );
    }
}

#[test]
fn the_specification_names_every_class_and_label() {
    let format = fs::read_to_string(root().join("src/envelope/FORMAT.md")).unwrap();
    let errors = fs::read_to_string(root().join("src/envelope/error.rs")).unwrap();
    let classes: Vec<_> = errors
        .split("=> \"")
        .skip(1)
        .map(|text| text.split('"').next().unwrap())
        .collect();
    assert_eq!(classes.len(), 14);
    let labels = ["kdf/mod.rs", "kdf/gate.rs", "signing.rs"];
    let labels =
        labels.map(|name| fs::read_to_string(root().join("src/crypto").join(name)).unwrap());
    let labels = labels.concat();
    let labels: Vec<_> = labels
        .split("b\"encl/1 ")
        .skip(1)
        .map(|text| text.split(['\\', '"']).next().unwrap())
        .collect();
    assert!(labels.len() >= 30, "{labels:?}");
    for word in classes.iter().chain(&labels) {
        assert!(format.contains(word), "FORMAT.md does not name {word}");
    }
}

#[test]
fn the_lock_file_and_both_licences_are_there() {
    assert!(root().join("Cargo.lock").is_file());
    let licence = fs::read_to_string(root().join("LICENSE")).unwrap();
    assert!(licence.contains("MIT License") && licence.contains("Apache License"));
}
