//! In the rooms that change files in place, paths are for messages: everything goes through an open folder.

use super::files;

/// Folders, and single files.
const ROOMS: [&str; 8] = [
    "src/atomic_file",
    "src/mail/archive",
    "src/operations/rewrite",
    "src/operations/mail/outgoing/maildir.rs",
    "src/cli/operations/rewrite",
    "src/cli/files/out_file.rs",
    "src/cli/files/output.rs",
    "src/cli/files/roots.rs",
];

/// Calls that take a path.
const CALLS: [&str; 23] = [
    "CWD",
    "File::open(",
    "File::create",
    "File::options(",
    "OpenOptions",
    "DirBuilder",
    "WalkDir",
    "canonicalize(",
    "create_dir",
    "fs::copy(",
    "fs::metadata(",
    "fs::open(",
    "fs::read(",
    "fs::rename(",
    "fs::write(",
    "hard_link(",
    "read_dir(",
    "remove_dir",
    "remove_file",
    "symlink_metadata(",
    ".exists()",
    ".is_dir()",
    ".is_symlink()",
];

/// The door itself; and names in /proc and /dev, which nobody else makes.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("src/atomic_file/folder.rs", "CWD"),
    ("src/atomic_file/place.rs", "CWD"),
    ("src/atomic_file/typed.rs", "CWD"),
    ("src/atomic_file/written.rs", "CWD"),
];

fn path_calls(path: &str, text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let found = lines.flat_map(|line| CALLS.iter().filter(|call| calls(line, call)));
    found
        .filter(|call| !EXCEPTIONS.contains(&(path, **call)))
        .map(|call| format!("{path}: {call}"))
        .collect()
}

/// `AtomicFile::create` is not `File::create`.
fn calls(line: &str, call: &str) -> bool {
    let mut places = line.match_indices(call);
    places.any(|(at, _)| call.starts_with('.') || !line[..at].ends_with(char::is_alphanumeric))
}

#[test]
fn what_changes_files_names_no_paths() {
    let sources = files("src", &[".rs"])
        .into_iter()
        .filter_map(|(path, text)| {
            let path = path.to_str().unwrap().to_owned();
            let is_test = path.contains("/tests");
            (ROOMS.iter().any(|room| path.starts_with(room)) && !is_test).then_some((path, text))
        });
    let sources: Vec<_> = sources.collect();
    assert!(sources.len() > 30, "{}", sources.len());
    let found = sources
        .iter()
        .flat_map(|(path, text)| path_calls(path, text));
    assert_eq!(found.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_planted_path_is_found() {
    let planted = "fn a(path: &Path) { std::fs::remove_file(path); File::open(path); }";
    let found = path_calls("src/mail/archive/a.rs", planted);
    assert_eq!(
        found,
        [
            "src/mail/archive/a.rs: File::open(",
            "src/mail/archive/a.rs: remove_file"
        ]
    );
    assert!(path_calls("src/atomic_file/typed.rs", "openat2(CWD, path)").is_empty());
    assert!(!path_calls("src/atomic_file/hidden.rs", "openat(CWD, path)").is_empty());
}
