//! What stands in a folder: names, and which files they stand for.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Component;

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

/// The name of an entry of a folder: one component, neither `.` nor `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub(super) OsString);

/// Which file something is. It tells files apart only as long as one of the two is open: a number is given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
}

/// What a name stands for, found without opening it: no device notices, and no pipe waits.
#[derive(Debug)]
pub struct Seen {
    pub(super) descriptor: OwnedFd,
    pub(super) stat: Stat,
}

/// One entry of a folder.
#[derive(Debug, Clone)]
pub struct FolderEntry {
    /// Its name.
    pub name: Name,
    /// What it is: not what a link leads to.
    pub kind: FileType,
}

impl Name {
    /// A name, unless it is none or leads elsewhere.
    #[must_use]
    pub fn new(name: impl Into<OsString>) -> Option<Self> {
        let name = name.into();
        let bytes = name.as_bytes();
        let is_path = matches!(bytes, b"" | b"." | b"..") || bytes.contains(&b'/');
        (!is_path && !bytes.contains(&0)).then_some(Self(name))
    }

    /// A component of a path that leads downward; any other is `INVAL`.
    pub(super) fn of_step(component: Component<'_>) -> Result<Self, Errno> {
        match component {
            Component::Normal(name) => Self::new(name).ok_or(Errno::INVAL),
            _ => Err(Errno::INVAL),
        }
    }

    /// As the system writes it.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        &self.0
    }
}

impl FileId {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

impl Seen {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    /// The number of its owner.
    #[must_use]
    pub fn owner(&self) -> u32 {
        self.stat.st_uid
    }

    /// Which file it is.
    #[must_use]
    pub fn id(&self) -> FileId {
        FileId::of(&self.stat)
    }
}
