//! The envelopes below a folder: known by their name, or by how they begin. Links are not followed.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use encl::atomic_file::is_temporary;
use walkdir::{DirEntry, WalkDir};

use crate::cli::commands::envelope::wrap_one::looks_like_an_envelope;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::Input;
use crate::cli::terminal::shown;

/// Every envelope below `folder`, in the order of their paths. What cannot be looked at is told, and the rest goes on.
pub(crate) fn envelopes_below(folder: &Path, mut told: impl FnMut(Failure)) -> Vec<Input> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        match entry.map_err(|error| unreadable(&error)) {
            Ok(entry) if !entry.file_type().is_file() || is_temporary(entry.file_name()) => {}
            Ok(entry) => match is_envelope(&entry) {
                Ok(true) => found.push(Input::File(entry.into_path())),
                Ok(false) => {}
                Err(failure) => told(failure),
            },
            Err(failure) => told(failure),
        }
    }
    found
}

/// Whatever calls itself one is one, and damaged if it does not begin like one.
fn is_envelope(entry: &DirEntry) -> Result<bool, Failure> {
    let path = entry.path();
    if path.extension().is_some_and(|end| end == "encl") {
        return Ok(true);
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(32).read_to_end(&mut head));
    match read {
        Ok(_) => Ok(looks_like_an_envelope(&head)),
        Err(error) => Err(cannot_look(path).reason(io_message(&error))),
    }
}

fn unreadable(error: &walkdir::Error) -> Failure {
    let failure = cannot_look(error.path().unwrap_or(Path::new("")));
    match error.io_error() {
        Some(error) => failure.reason(io_message(error)),
        None => failure.reason("it is below itself"),
    }
}

fn cannot_look(path: &Path) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("cannot read the folder {}", shown(path)),
    )
    .file(path)
}
