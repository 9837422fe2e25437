//! A folder with receipts, checkpoints and logs that operators exported, looked through once.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::super::regular_file::open_regular;
use super::receipts::receipt_in;

/// Files that are looked at.
const FILES_MAX: usize = 16_384;

/// The files in a folder, in the order of their names.
pub(super) struct Folder {
    /// Those that may be receipts or checkpoints.
    pub(super) short: Vec<PathBuf>,
    /// Those that begin as an export does.
    pub(super) exports: Vec<PathBuf>,
    /// Those that cannot be read, and why.
    pub(super) unreadable: Vec<(PathBuf, io::Error)>,
}

impl Folder {
    /// Looks at the beginning of each file.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub(super) fn read(folder: &Path) -> io::Result<Self> {
        let mut found = Self {
            short: Vec::new(),
            exports: Vec::new(),
            unreadable: Vec::new(),
        };
        for file in files_in(folder)? {
            match is_export(&file) {
                Ok(true) => found.exports.push(file),
                Ok(false) => found.short.push(file),
                Err(error) => found.unreadable.push((file, error)),
            }
        }
        Ok(found)
    }
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.take(FILES_MAX) {
        let path = entry?.path();
        if fs::metadata(&path).is_ok_and(|one| one.is_file()) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file begins as an export does. A receipt does so too: it begins with an entry.
fn is_export(file: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    open_regular(file)?.take(16).read_to_end(&mut begin)?;
    let begins = [b"{\"entry\":".as_slice(), b"{\"erased\":"];
    let is_one = begins.iter().any(|due| begin.starts_with(due));
    Ok(is_one && receipt_in(file).is_none())
}
