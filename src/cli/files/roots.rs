//! The folders that a command works below, open: what was found in them is opened below them, whatever is renamed meanwhile.

use std::path::Path;

use encl::atomic_file::{AtomicFileError, Folder, Lock, ReplaceError, ReplacedFile};

/// Folders that were typed and searched.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots(Vec<Folder>);

impl Roots {
    /// One more.
    pub(crate) fn add(&mut self, root: Folder) {
        self.0.push(root);
    }

    /// The folder that a path was found below, and the way from there.
    pub(crate) fn find<'p>(&self, path: &'p Path) -> Option<(&Folder, &'p Path)> {
        let below = |root: &'_ Folder| path.strip_prefix(root.path()).ok();
        let mut found = self.0.iter().filter_map(|root| Some((root, below(root)?)));
        found.next()
    }

    /// Opens a file that is to be replaced: below its root, or where it was typed.
    pub(crate) fn open(&self, path: &Path, lock: Lock) -> Result<ReplacedFile, ReplaceError> {
        match self.find(path) {
            Some((root, within)) => ReplacedFile::open_below(root, within, lock),
            None => ReplacedFile::open(path, lock),
        }
    }

    /// Opens the folder that a path is in.
    pub(crate) fn folder_of(&self, path: &Path) -> Result<Folder, AtomicFileError> {
        match self.find(path) {
            Some((root, within)) => {
                let folder = root.descend(within.parent().unwrap_or(Path::new("")));
                folder.map_err(|error| AtomicFileError::System {
                    action: "open the folder of",
                    path: path.to_owned(),
                    source: error.into(),
                })
            }
            None => Folder::of_typed(path).map(|(folder, _)| folder),
        }
    }
}
