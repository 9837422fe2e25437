//! An existing file that is about to be replaced: locked against others, with its mode, group and owner kept.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Bits of a mode that a group has, and how far they stand from those of everybody else.
const GROUP_BITS: u32 = 0o070;
const OTHER_BITS: u32 = 0o007;
const FROM_OTHER_TO_GROUP: u32 = 3;

/// Why a file cannot be replaced where it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The system refused.
    #[error("the system refused")]
    System(#[source] io::Error),
    /// It is a folder.
    #[error("it is a folder")]
    Folder,
    /// It is a symbolic link, under whose name the new file would not be the old one's successor.
    #[error("{} is a symbolic link", .0.display())]
    Link(PathBuf),
    /// It is a device, pipe or socket.
    #[error("it is not a regular file")]
    NotAFile,
    /// It has several names, and the others would keep the old file.
    #[error("it has {0} names (hard links)")]
    HardLinks(u64),
}

/// A file that will be replaced, as it was when it was opened.
pub struct ReplacedFile {
    /// Holds the lock.
    file: File,
    metadata: Metadata,
}

impl ReplacedFile {
    /// Opens a file and waits until no other program that uses this lock rewrites it.
    ///
    /// # Errors
    /// [`ReplaceError`].
    pub fn open(path: &Path) -> Result<Self, ReplaceError> {
        loop {
            let there = path.symlink_metadata().map_err(ReplaceError::System)?;
            refuse(path, &there)?;
            // Not blocking: the path may just have become a pipe.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = rustix::fs::open(path, flags, Mode::empty());
            let file = File::from(file.map_err(|error| ReplaceError::System(error.into()))?);
            lock(&file);
            let metadata = file.metadata().map_err(ReplaceError::System)?;
            // The previous holder of the lock may have put another file there.
            let is_there = path
                .symlink_metadata()
                .is_ok_and(|there| is_same(&there, &metadata));
            if is_there {
                refuse(path, &metadata)?;
                return Ok(Self { file, metadata });
            }
        }
    }

    /// The file, to be read from its beginning.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// The file as it was when it was opened.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Gives the successor the owner, group and mode of the old file, as far as this user may. Nobody gets more access than
    /// before.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn copy_ownership(&self, successor: &File) -> io::Result<()> {
        let (old, new) = (&self.metadata, successor.metadata()?);
        let owner = (old.uid() != new.uid()).then(|| old.uid());
        let group = (old.gid() != new.gid()).then(|| old.gid());
        if owner.is_some() {
            let _ = fchown(successor, owner, None); // only the administrator may
        }
        let keeps_group = group.is_none() || fchown(successor, None, group).is_ok();
        let mut mode = old.mode() & 0o777;
        if !keeps_group {
            mode = mode & !GROUP_BITS | (mode & OTHER_BITS) << FROM_OTHER_TO_GROUP;
        }
        successor.set_permissions(Permissions::from_mode(mode))
    }

    /// Whether the file is still there as it was opened. Other programs know nothing of the lock.
    #[must_use]
    pub fn is_unchanged(&self, path: &Path) -> bool {
        let state = |file: &Metadata| (file.len(), file.mtime(), file.mtime_nsec());
        path.symlink_metadata().is_ok_and(|there| {
            is_same(&there, &self.metadata) && state(&there) == state(&self.metadata)
        })
    }
}

fn is_same(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Waits for the lock. A file system without locks protects nobody, and is no reason to stop.
fn lock(file: &File) {
    while rustix::fs::flock(file, FlockOperation::LockExclusive) == Err(Errno::INTR) {}
}

fn refuse(path: &Path, there: &Metadata) -> Result<(), ReplaceError> {
    if there.is_dir() {
        Err(ReplaceError::Folder)
    } else if there.is_symlink() {
        Err(ReplaceError::Link(path.to_owned()))
    } else if !there.is_file() {
        Err(ReplaceError::NotAFile)
    } else if there.nlink() > 1 {
        Err(ReplaceError::HardLinks(there.nlink()))
    } else {
        Ok(())
    }
}
