//! Rules for the program's modules (rooms) and for folders. Each rule is a function over sources and is shown to fail on an
//! example.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{LINES_MAX, files};

/// The floors of the program, from above: a room uses only rooms of lower rows, and itself.
const FLOORS: [&[&str]; 10] = [
    &["mod"],
    &["commands"],
    &["operations"],
    &["args"],
    &["context"],
    &["secrets", "files"],
    &["errors"],
    &["display"],
    &["terminal"],
    &["process"],
];

/// Imports of a room above, each with the room that is used. The list may only get shorter.
const UPWARD: [(&str, &str); 0] = [];

/// Commands that use another command's file. The list may only get shorter.
const SIBLINGS: [(&str, &str); 0] = [];

/// Files that are part of a circle of imports. The list may only get shorter.
const CIRCLES: [&str; 0] = [];

/// The most entries of a folder; more are hard to read.
const ENTRIES_MAX: usize = 12;

/// Folders with more entries, and the most that each may have. The numbers may only get smaller.
const LARGER: [(&str, usize); 6] = [
    ("src", 21), // the page for the browser is no module, and stands beside them
    ("src/cli/commands/key", 16),
    ("src/envelope", 27),
    ("src/keystore", 27),
    ("src/mail", 24),
    ("src/mail/archive", 16),
];

/// Files by their path, and what is in them.
type Sources = Vec<(String, String)>;

/// The program's sources, their paths without `src/cli/`.
fn program() -> Sources {
    let name = |(path, text): (PathBuf, String)| {
        let path = path.to_str().unwrap();
        (path.strip_prefix("src/cli/").unwrap().to_owned(), text)
    };
    let sources = files("src/cli", &[".rs"]).into_iter().map(name);
    // Tests beside the code may use any module.
    sources
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .collect()
}

/// The sources of an example.
fn planted(sources: &[(&str, &str)]) -> Sources {
    let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
    sources.iter().map(owned).collect()
}

/// The module that a file is: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module(path: &str) -> String {
    let name = path.trim_end_matches(".rs");
    let name = name.strip_suffix("mod").unwrap_or(name);
    name.trim_end_matches('/').replace('/', "::")
}

/// All paths that a source names after `crate::cli::`, with braces expanded.
fn paths(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let mut found = Vec::new();
    for rest in code.split("crate::cli::").skip(1) {
        write_out(rest, "", &mut found);
    }
    found
}

/// Adds the paths at the start of `rest` to `found`, each prefixed with `before`. Returns the text after them.
fn write_out<'a>(mut rest: &'a str, before: &str, found: &mut Vec<String>) -> &'a str {
    let mut path = before.to_owned();
    loop {
        let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        path.push_str(&rest[..end]);
        rest = &rest[end..];
        if let Some(below) = rest.strip_prefix("::") {
            path.push_str("::");
            rest = below;
        } else if !(path.is_empty() && rest.starts_with('{')) {
            found.push(path);
            return rest;
        }
        if let Some(mut list) = rest.strip_prefix('{') {
            loop {
                list = write_out(list.trim_start(), &path, found);
                // Skip ` as alias` after a name.
                list = list.trim_start_matches(|letter| !matches!(letter, ',' | '}' | ';'));
                match list.strip_prefix(',') {
                    Some(more) if !more.trim_start().starts_with('}') => list = more,
                    _ => break,
                }
            }
            let list = list.trim_start_matches(',').trim_start();
            return list.strip_prefix('}').unwrap_or(list);
        }
    }
}

/// Which file uses which.
fn arrows(sources: &Sources) -> BTreeSet<(&str, &str)> {
    let modules: BTreeMap<String, &str> = sources
        .iter()
        .map(|(path, _)| (module(path), &**path))
        .collect();
    let mut arrows = BTreeSet::new();
    for (path, text) in sources {
        for used in paths(text) {
            let mut name = &*used;
            let file = loop {
                match (modules.get(name), name.rsplit_once("::")) {
                    (Some(file), _) => break Some(*file),
                    (None, Some((above, _))) => name = above,
                    (None, None) => break modules.get("").copied(),
                }
            };
            arrows.extend(file.filter(|file| file != path).map(|file| (&**path, file)));
        }
    }
    arrows
}

/// The room that a file is in.
fn room(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Imports of a room that is not below: the file, and the room.
fn upward(sources: &Sources) -> BTreeSet<(String, String)> {
    let floor = |room: &str| {
        let floor = FLOORS.iter().position(|rooms| rooms.contains(&room));
        floor.unwrap_or_else(|| panic!("{room} is on no floor"))
    };
    arrows(sources)
        .into_iter()
        .map(|(from, to)| (from, room(from), room(to)))
        .filter(|(_, from, to)| from != to && floor(from) >= floor(to))
        .map(|(path, _, to)| (path.to_owned(), to.to_owned()))
        .collect()
}

/// Files that can be reached from themselves.
fn in_circles(sources: &Sources) -> BTreeSet<String> {
    let arrows = arrows(sources);
    let reaches = |start: &str| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![start]);
        while let Some(file) = left.pop() {
            for (_, to) in arrows.iter().filter(|(from, _)| *from == file) {
                if seen.insert(*to) {
                    left.push(to);
                }
            }
        }
        seen.contains(start)
    };
    let names = sources.iter().map(|(path, _)| path);
    names.filter(|path| reaches(path)).cloned().collect()
}

/// Commands that use the file of another command. A `mod.rs` may name the commands below it.
fn siblings(sources: &Sources) -> BTreeSet<(String, String)> {
    let is_below = |from: &str, to: &str| {
        let folder = from.strip_suffix("mod.rs");
        folder.is_some_and(|folder| to.starts_with(folder))
    };
    arrows(sources)
        .into_iter()
        .filter(|(from, to)| room(from) == "commands" && room(to) == "commands")
        .filter(|(from, to)| !is_below(from, to))
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .collect()
}

/// Folders with more entries than they may have.
fn crowded(sources: &Sources) -> Vec<String> {
    let mut entries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, _) in sources {
        let mut below = &**path;
        while let Some((folder, name)) = below.rsplit_once('/') {
            entries.entry(folder).or_default().insert(name);
            below = folder;
        }
    }
    let max = |folder: &str| {
        let larger = LARGER.iter().find(|(name, _)| *name == folder);
        larger.map_or(ENTRIES_MAX, |(_, max)| *max)
    };
    entries
        .into_iter()
        .filter(|(folder, names)| names.len() > max(folder))
        .map(|(folder, names)| format!("{folder}: {} entries", names.len()))
        .collect()
}

/// Files of more lines than a file may have.
fn long(sources: &Sources) -> Vec<String> {
    let lines = sources
        .iter()
        .map(|(path, text)| (path, text.lines().count()));
    let long = lines.filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect()
}

fn owned(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn a_room_of_the_program_uses_only_rooms_below() {
    let program = program();
    assert!(arrows(&program).len() > 400);
    assert_eq!(upward(&program), owned(&UPWARD));
}

#[test]
fn no_imports_of_the_program_go_in_circles() {
    assert_eq!(in_circles(&program()), CIRCLES.map(str::to_owned).into());
}

#[test]
fn a_command_never_uses_another_command() {
    assert_eq!(siblings(&program()), owned(&SIBLINGS));
}

#[test]
fn folders_and_files_are_not_too_large() {
    let name = |(path, text): (PathBuf, String)| (path.to_str().unwrap().to_owned(), text);
    let sources = files("src", &[".rs", ".ts", ".mjs"]);
    let sources: Sources = sources.into_iter().map(name).collect();
    // A folder of tests has a file for each thing that is tested, here as in `tests`.
    let is_test = |path: &str| path.starts_with("src/reader/test/");
    let no_tests = sources.iter().filter(|(path, _)| !is_test(path));
    assert_eq!(crowded(&no_tests.cloned().collect()), [""; 0]);
    assert_eq!(long(&sources), [""; 0]);
}

#[test]
fn each_rule_fails_on_a_planted_example() {
    let above = planted(&[
        (
            "display/time.rs",
            "use crate::cli::{\n    files::{input::Input, target},\n    terminal::safe,\n};",
        ),
        (
            "files/input.rs",
            "fn a() { crate::cli::commands::wrap::run(); }",
        ),
        (
            "files/target.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::cli::commands::wrap;\n}",
        ),
        ("terminal/mod.rs", ""),
        ("commands/wrap.rs", ""),
    ]);
    assert_eq!(
        upward(&above),
        owned(&[("display/time.rs", "files"), ("files/input.rs", "commands")])
    );
    let circle = planted(&[
        (
            "files/input.rs",
            "use crate::cli::files::target::{Target as Other, clean};",
        ),
        ("files/target.rs", "use crate::cli::terminal;"),
        ("terminal/mod.rs", "use crate::cli::files::input::Input;"),
        ("terminal/escape.rs", "use crate::cli::terminal::Terminal;"),
    ]);
    let in_it = ["files/input.rs", "files/target.rs", "terminal/mod.rs"];
    assert_eq!(in_circles(&circle), in_it.map(str::to_owned).into());
    let commands = planted(&[
        (
            "commands/key/mod.rs",
            "use crate::cli::commands::key::show;",
        ),
        (
            "commands/key/show.rs",
            "use crate::cli::commands::key::list::{print, Line};",
        ),
        (
            "commands/key/list.rs",
            "use crate::cli::commands::key::Command;",
        ),
    ]);
    assert_eq!(
        siblings(&commands),
        owned(&[
            ("commands/key/list.rs", "commands/key/mod.rs"),
            ("commands/key/show.rs", "commands/key/list.rs"),
        ])
    );
    let names: Vec<String> = (0..=ENTRIES_MAX)
        .map(|number| format!("a/{number}.rs"))
        .collect();
    let full: Sources = names
        .iter()
        .map(|name| (name.clone(), String::new()))
        .collect();
    assert_eq!(crowded(&full), ["a: 13 entries"]);
    assert!(crowded(&full[1..].to_vec()).is_empty());
    let lines = planted(&[
        ("a.rs", &"\n".repeat(LINES_MAX)),
        ("b.rs", &"\n".repeat(LINES_MAX + 1)),
    ]);
    assert_eq!(long(&lines), ["b.rs: 451 lines"]);
}
