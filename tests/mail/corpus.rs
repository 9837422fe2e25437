//! The corpus of real messages beside the repository, where there is one.

use std::fs;
use std::path::{Path, PathBuf};

use encl::mail::Header;

/// Files that hold no mail.
const NO_MAIL: [&str; 2] = ["files", "LICENSES"];

/// The header blocks of all messages, those in mboxes too; none, with a line that says so, where the corpus is not.
pub(crate) fn headers() -> Vec<Header> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if !folder.is_dir() {
        println!("not tried: there is no corpus in {}", folder.display());
        return Vec::new();
    }
    let mut headers = Vec::new();
    for path in files(&folder) {
        let bytes = fs::read(&path).unwrap();
        for message in messages(&bytes) {
            headers.push(Header::read(&mut &*message).unwrap());
        }
    }
    assert!(headers.len() >= 250, "only {} messages", headers.len());
    headers
}

fn files(corpus: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| NO_MAIL.iter().any(|name| path.ends_with(name));
    let mut folders: Vec<PathBuf> = entries
        .filter(|path| path.is_dir() && !named(path))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file as one message, and what follows each line `From ` as one more: rather too many than too few.
fn messages(bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = vec![bytes];
    let starts = bytes
        .windows(6)
        .enumerate()
        .filter(|(_, bytes)| bytes == b"\nFrom ");
    messages.extend(starts.map(|(at, _)| &bytes[at + 1..]));
    messages
}
