//! The reader of corpora: a corpus that is empty or differs from its `counts.json` is an error.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use crate::corpus::{Corpus, Source, corpora};

/// A corpus of one folder with a message and an mbox of two.
fn corpus(folder: &Path) {
    fs::create_dir(folder.join("a")).unwrap();
    fs::write(folder.join("a/one.eml"), "To: bob\n\ntext\n").unwrap();
    fs::write(folder.join("a/box"), "From x\n\nFrom y\n\n").unwrap();
    fs::write(folder.join("counts.json"), COUNTS).unwrap();
}

const COUNTS: &str = r#"{
    "folders": {"a": {"files": 2, "messages": 3, "single_messages": 1, "bytes": 30,
        "mbox": {"box": {"messages": 2, "from_lines": 2, "from_lines_after_blank": 2}}}},
    "total": {"files": 2, "messages": 3, "single_messages": 1, "bytes": 30, "mbox_files": 1}
}"#;

type Change = fn(&Path);

#[test]
fn a_corpus_must_match_its_counts() {
    let changes: [(&str, Change); 8] = [
        ("a message is missing", |folder| {
            fs::remove_file(folder.join("a/one.eml")).unwrap();
        }),
        ("an mbox is missing", |folder| {
            fs::remove_file(folder.join("a/box")).unwrap();
        }),
        ("a message too many", |folder| {
            fs::write(folder.join("a/two.eml"), "").unwrap();
        }),
        ("other line ends", |folder| {
            fs::write(folder.join("a/one.eml"), "To: bob\r\n\r\ntext\r\n").unwrap();
        }),
        ("other messages in the mbox", |folder| {
            fs::write(folder.join("a/box"), "From x\n\nXrom y\n\n").unwrap();
        }),
        ("a folder too many", |folder| {
            fs::create_dir(folder.join("b")).unwrap();
        }),
        ("no counts", |folder| {
            fs::remove_file(folder.join("counts.json")).unwrap();
        }),
        ("nothing at all", |folder| {
            fs::remove_dir_all(folder.join("a")).unwrap();
            let counts = r#"{"folders": {}, "total": {"files": 0, "messages": 0,
                "single_messages": 0, "bytes": 0, "mbox_files": 0}}"#;
            fs::write(folder.join("counts.json"), counts).unwrap();
        }),
    ];
    let read = |folder: &Path| Corpus::read(Source::Own, folder).messages.len();
    let whole = tempfile::tempdir().unwrap();
    corpus(whole.path());
    assert_eq!(read(whole.path()), 3);
    for (what, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        corpus(folder.path());
        change(folder.path());
        assert!(catch_unwind(|| read(folder.path())).is_err(), "{what}");
    }
}

#[test]
fn our_own_corpus_is_large_and_its_files_are_small() {
    let own = &corpora()[0];
    assert_eq!(own.source, Source::Own);
    assert!(own.messages.len() >= 400, "{}", own.messages.len());
    let bytes = own.messages.iter().map(|message| message.bytes.len());
    assert!(bytes.sum::<usize>() < 600_000);
}

/// `INDEX.md` says for each file which mistake it reveals.
#[test]
fn every_file_of_our_own_corpus_is_in_its_index() {
    let own = &corpora()[0];
    let index = fs::read_to_string(own.root.join("INDEX.md")).unwrap();
    let mut folder = "";
    let mut listed = Vec::new();
    for line in index.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            folder = title.split(':').next().unwrap();
        } else if let Some(item) = line.strip_prefix("- `") {
            listed.push(format!("{folder}/{}", item.split('`').next().unwrap()));
        }
    }
    let files = crate::corpus::files(&own.root).into_iter();
    let names = files.map(|path| path.strip_prefix(&own.root).unwrap().to_owned());
    let mut names: Vec<String> = names
        .map(|name| name.into_os_string().into_string().unwrap())
        .filter(|name| name.contains('/') && !name.ends_with(".gitkeep"))
        .collect();
    names.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, names);
}
