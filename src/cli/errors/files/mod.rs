//! Errors of files and of standard output as failures.

pub(crate) mod kind;

use std::io;
use std::path::Path;

use encl::atomic_file::AtomicFileError;

use crate::cli::errors::{CommandError, Exit, Failure, io_message};
use crate::cli::terminal::stdin::StdinClaimed;
use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{quoted, safe, shown};

impl From<StdoutError> for Failure {
    fn from(StdoutError(error): StdoutError) -> Self {
        not_printed(&error)
    }
}

impl From<StdoutError> for CommandError {
    fn from(error: StdoutError) -> Self {
        Failure::from(error).into()
    }
}

impl From<StdinClaimed> for Failure {
    fn from(StdinClaimed: StdinClaimed) -> Self {
        Self::new(Exit::Usage, "cannot read standard input twice")
    }
}

/// "cannot write standard output", because of `error`.
pub(crate) fn not_printed(error: &io::Error) -> Failure {
    let failure = Failure::new(Exit::Failed, "cannot write standard output");
    match error.kind() {
        io::ErrorKind::BrokenPipe => failure.reason("its reader went away (broken pipe)"),
        _ => failure.reason(io_message(error)),
    }
}

const NAMES_ANOTHER: &str = "--force replaces it, -o OUT names another";

/// The failure of one of several inputs, for which -o cannot be used.
pub(crate) fn of_several(failure: Failure) -> Failure {
    match failure.hint.as_deref() {
        Some(NAMES_ANOTHER) => failure.hint("--force replaces it, -C DIR takes another folder"),
        _ => failure,
    }
}

/// What to do about a folder that is not there.
pub(crate) fn make_folder(folder: &Path) -> String {
    format!("`mkdir -p {}` makes the folder", quoted(Some(folder)))
}

/// Why a file was not made. `failure` says what was attempted; its exit code becomes that of `error`.
pub(crate) fn not_made(failure: Failure, error: &AtomicFileError) -> Failure {
    let exit = match error {
        AtomicFileError::Exists(_) | AtomicFileError::Link(_) | AtomicFileError::ForeignLink(_) => {
            Exit::Exists
        }
        AtomicFileError::NoName(_) => Exit::Usage,
        AtomicFileError::NotAFile(_)
        | AtomicFileError::ForeignPipe(_)
        | AtomicFileError::System { .. } => Exit::Failed,
    };
    let failure = Failure { exit, ..failure }.reason(safe(&error.to_string()));
    match error {
        AtomicFileError::Exists(path) if path.is_dir() => failure.hint(format!(
            "it is a folder: `-C {}` puts the output into it",
            shown(path)
        )),
        AtomicFileError::Exists(_) => failure.hint(NAMES_ANOTHER),
        AtomicFileError::Link(_) => failure.hint("links are never followed: name the file itself"),
        AtomicFileError::ForeignLink(_) => {
            failure.hint("it could lead anywhere: type the path that it stands for")
        }
        AtomicFileError::System { path, source, .. } => {
            let failure = failure.reason(io_message(source));
            match path.parent().filter(|folder| !folder.exists()) {
                Some(folder) => failure.hint(make_folder(folder)),
                None => failure,
            }
        }
        _ => failure,
    }
}
