//! The envelopes below a folder: known by their name, or by how they begin. Links are not followed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::atomic_file::is_temporary;
use crate::envelope::Envelope;

/// Why a file or folder could not be looked into.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read", path.display())]
pub struct WalkError {
    /// The file or folder.
    pub path: PathBuf,
    /// The reason; none where a folder lies below itself.
    pub source: Option<io::Error>,
}

/// Every envelope below `folder`, in the order of their paths. What cannot be looked into goes to `on_error`, and the rest goes on.
pub fn envelopes_below(folder: &Path, mut on_error: impl FnMut(WalkError)) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                on_error(not_walked(error));
                continue;
            }
        };
        if !entry.file_type().is_file() || is_temporary(entry.file_name()) {
            continue;
        }
        match is_envelope(&entry) {
            Ok(true) => found.push(entry.into_path()),
            Ok(false) => {}
            Err(error) => on_error(WalkError {
                path: entry.into_path(),
                source: Some(error),
            }),
        }
    }
    found
}

/// A file that is named like an envelope counts as one, and is damaged if it does not begin like one.
fn is_envelope(entry: &DirEntry) -> io::Result<bool> {
    let path = entry.path();
    if path.extension().is_some_and(|end| end == "encl") {
        return Ok(true);
    }
    let mut head = Vec::new();
    File::open(path)?.take(32).read_to_end(&mut head)?;
    Ok(Envelope::looks_like(&head))
}

fn not_walked(error: walkdir::Error) -> WalkError {
    WalkError {
        path: error.path().unwrap_or(Path::new("")).to_owned(),
        source: error.into_io_error(),
    }
}
