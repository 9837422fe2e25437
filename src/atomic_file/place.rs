//! Where a file is going to be: a name in an open folder.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::hidden::HiddenName;
use super::{AtomicFileError, Existing, FileMode};

/// Whether /proc was seen once.
static HAS_PROC: AtomicBool = AtomicBool::new(false);

/// A name in an open folder, which stays the same folder whatever is renamed meanwhile.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: OwnedFd,
    pub(super) name: OsString,
    pub(super) path: PathBuf,
}

impl Place {
    pub(super) fn new(target: &Path) -> Result<Self, AtomicFileError> {
        let path = target.to_path_buf();
        let ends_in_slash = target.as_os_str().as_bytes().ends_with(b"/");
        let name = target
            .file_name()
            .filter(|_| !ends_in_slash)
            .map(OsString::from);
        let name = name.ok_or_else(|| AtomicFileError::NoName(path.clone()))?;
        let parent = target
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(CWD, parent, flags, Mode::empty());
        let folder = folder.map_err(|error| system("open the folder of", &path, error))?;
        Ok(Self { folder, name, path })
    }

    /// Refuses what must not be replaced. A link is never followed: it would lead the bytes somewhere else.
    pub(super) fn check(&self, existing: Existing) -> Result<(), AtomicFileError> {
        let stat = match rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(()),
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
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, ".", flags, mode.bits())?;
        // Without /proc there is no way to name it (linkat(2), AT_EMPTY_PATH needs a privilege).
        if !HAS_PROC.load(Ordering::Relaxed) {
            rustix::fs::statat(CWD, descriptor_path(&file), AtFlags::empty())?;
            HAS_PROC.store(true, Ordering::Relaxed);
        }
        Ok(file.into())
    }

    /// Gives an unnamed file its name; fails if the name is taken.
    pub(super) fn link(&self, file: &File) -> Result<(), AtomicFileError> {
        self.link_as(file, &self.name).map_err(|error| match error {
            Errno::EXIST => AtomicFileError::Exists(self.path.clone()),
            error => self.system("create", error),
        })
    }

    /// Gives an unnamed file a hidden name, since no call links over an existing one.
    pub(super) fn link_hidden(&self, file: &File) -> Result<HiddenName, AtomicFileError> {
        let claimed = HiddenName::claim(self, |name| self.link_as(file, name));
        let ((), hidden) = claimed.map_err(|error| self.system("create", error))?;
        Ok(hidden)
    }

    fn link_as(&self, file: &File, name: impl rustix::path::Arg) -> Result<(), Errno> {
        rustix::fs::linkat(
            CWD,
            descriptor_path(file),
            &self.folder,
            name,
            AtFlags::SYMLINK_FOLLOW,
        )
    }

    pub(super) fn system(
        &self,
        action: &'static str,
        error: impl Into<io::Error>,
    ) -> AtomicFileError {
        system(action, &self.path, error)
    }

    /// Makes the folder's names durable.
    pub(super) fn sync(&self) -> Result<(), AtomicFileError> {
        rustix::fs::fsync(&self.folder).map_err(|error| self.system("sync the folder of", error))
    }

    /// Takes the name away again from a file that has just got it.
    pub(super) fn retract(&self, file: &File) {
        let named = rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        let ours = rustix::fs::fstat(file);
        if let (Ok(named), Ok(ours)) = (named, ours)
            && (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)
        {
            let _ = rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::empty());
        }
    }
}

fn system(action: &'static str, path: &Path, error: impl Into<io::Error>) -> AtomicFileError {
    AtomicFileError::System {
        action,
        path: path.to_path_buf(),
        source: error.into(),
    }
}

fn descriptor_path(file: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
