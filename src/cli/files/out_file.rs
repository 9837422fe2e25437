//! A file that -o names, which appears complete or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use encl::atomic_file::{AtomicFile, AtomicFileError, Existing, FileMode};

use crate::cli::errors::files::not_made;
use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal::shown;

/// Writes the file that -o names.
pub(crate) fn write(
    path: &Path,
    mode: FileMode,
    existing: Existing,
    bytes: &[u8],
) -> Result<(), Failure> {
    OutFile::begin(path, mode, existing)?.finish(bytes)
}

/// A file of which nothing can be seen yet.
pub(crate) struct OutFile {
    file: AtomicFile,
    path: PathBuf,
}

impl OutFile {
    /// Begins the file; a target that may not be replaced is refused at once.
    pub(crate) fn begin(path: &Path, mode: FileMode, existing: Existing) -> Result<Self, Failure> {
        let file = AtomicFile::create(path, mode, existing);
        let file = file.map_err(|error| not_written(path, &error))?;
        let path = path.to_owned();
        Ok(Self { file, path })
    }

    /// Writes all of it, and gives it its name.
    pub(crate) fn finish(self, bytes: &[u8]) -> Result<(), Failure> {
        let Self { mut file, path } = self;
        let what = || format!("cannot write {}", shown(&path));
        file.write_all(bytes)
            .map_err(|error| Failure::io(what(), &error).file(&path))?;
        file.commit().map_err(|error| not_written(&path, &error))
    }
}

fn not_written(path: &Path, error: &AtomicFileError) -> Failure {
    let what = format!("cannot write {}", shown(path));
    not_made(Failure::new(Exit::Failed, what).file(path), error)
}
