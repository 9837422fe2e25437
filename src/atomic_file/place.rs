//! Where a file is going to be: a name in an open folder.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, CWD, FileType, Mode};
use rustix::io::Errno;

use super::entry::{FileId, Name};
use super::folder::{Folder, descriptor_path};
use super::hidden::HiddenName;
use super::{AtomicFileError, Existing, FileMode, typed};

/// Whether /proc was seen once.
static HAS_PROC: AtomicBool = AtomicBool::new(false);

/// A name in an open folder, which stays the same folder whatever is renamed meanwhile.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: Folder,
    pub(super) name: Name,
    pub(super) path: PathBuf,
}

impl Place {
    pub(super) fn new(target: &Path) -> Result<Self, AtomicFileError> {
        let (folder, name) = Folder::of_typed(target)?;
        let path = target.to_path_buf();
        Ok(Self { folder, name, path })
    }

    /// Refuses what must not be replaced. A link is never followed: it would lead the bytes somewhere else.
    pub(super) fn check(&self, existing: Existing) -> Result<(), AtomicFileError> {
        let stat = match self.folder.stat(&self.name) {
            Ok(Some(stat)) => stat,
            Ok(None) => return Ok(()),
            Err(error) => return Err(self.system("look at", error)),
        };
        let path = self.path.clone();
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if existing != Existing::Keep => Ok(()),
            _ if existing == Existing::Keep => Err(AtomicFileError::Exists(path)),
            FileType::Symlink => Err(AtomicFileError::Link(path)),
            _ => Err(AtomicFileError::NotAFile(path)),
        }
    }

    /// Opens an unnamed file that can be linked later.
    pub(super) fn open_unnamed(&self, mode: FileMode) -> Result<File, Errno> {
        let file = self.folder.create_unnamed(mode.bits())?;
        // Without /proc there is no way to name it (linkat(2), AT_EMPTY_PATH needs a privilege).
        if !HAS_PROC.load(Ordering::Relaxed) {
            rustix::fs::statat(CWD, descriptor_path(&file), AtFlags::empty())?;
            HAS_PROC.store(true, Ordering::Relaxed);
        }
        Ok(file)
    }

    /// Opens an empty file under a hidden name.
    pub(super) fn open_hidden(&self, mode: Mode) -> Result<(File, HiddenName), Errno> {
        HiddenName::claim(&self.folder, |name| self.folder.create_named(name, mode))
    }

    /// Gives an unnamed file its name; fails if the name is taken.
    pub(super) fn link(&self, file: &File) -> Result<(), AtomicFileError> {
        let linked = self.folder.link(file, &self.name);
        linked.map_err(|error| match error {
            Errno::EXIST => AtomicFileError::Exists(self.path.clone()),
            error => self.system("create", error),
        })
    }

    /// Gives an unnamed file a hidden name, since no call links over an existing one.
    pub(super) fn link_hidden(&self, file: &File) -> Result<HiddenName, AtomicFileError> {
        let claimed = HiddenName::claim(&self.folder, |name| self.folder.link(file, name));
        let ((), hidden) = claimed.map_err(|error| self.system("create", error))?;
        Ok(hidden)
    }

    pub(super) fn system(
        &self,
        action: &'static str,
        error: impl Into<io::Error>,
    ) -> AtomicFileError {
        typed::system(action, &self.path, error)
    }

    /// Makes the folder's names durable.
    pub(super) fn sync(&self) -> Result<(), AtomicFileError> {
        let synced = self.folder.sync();
        synced.map_err(|error| self.system("sync the folder of", error))
    }

    /// Takes the name away again from a file that has just got it.
    pub(super) fn retract(&self, file: &File) {
        if let Ok(ours) = rustix::fs::fstat(file) {
            let _ = self.folder.remove(&self.name, FileId::of(&ours));
        }
    }
}
