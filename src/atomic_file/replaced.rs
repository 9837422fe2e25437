//! An existing file that is about to be replaced: locked against others, with its mode, group and owner kept.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, OFlags, Stat};
use rustix::io::Errno;

use super::entry::{FileId, Name};
use super::folder::Folder;
use super::{AtomicFile, AtomicFileError, Existing, FileMode, ForeignFile};

/// Bits of a mode that a group has, and how far they stand from those of everybody else.
const GROUP_BITS: u32 = 0o070;
const OTHER_BITS: u32 = 0o007;
const FROM_OTHER_TO_GROUP: u32 = 3;

/// How long another program's lock is waited for. Whoever may read the file can take one, and must not stop a change for ever.
const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// Why a file cannot be replaced where it is.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The system refused.
    #[error("the system refused")]
    System(#[source] io::Error),
    /// It is a folder.
    #[error("it is a folder")]
    Folder,
    /// It is a symbolic link, under whose name the new file would not be the old one's successor; or one on the way is another
    /// user's.
    #[error("{} is a symbolic link", .0.display())]
    Link(PathBuf),
    /// It is a device, pipe or socket.
    #[error("it is not a regular file")]
    NotAFile,
    /// It has several names, and the others would keep the old file.
    #[error("it has {0} names (hard links)")]
    HardLinks(u64),
    /// Root would have to work on another user's file where that is not safe.
    #[error(transparent)]
    Foreign(#[from] ForeignFile),
    /// Another program has changed the file since it was opened.
    #[error("another program changed it in the meantime; it was not overwritten")]
    Changed,
    /// Another program holds the lock, and the file system cannot exchange two names, which would do without.
    #[error("another program has locked it{}", holder(*.0))]
    Locked(Option<u32>),
    /// The new file could not be put in its place.
    #[error(transparent)]
    NotCommitted(#[from] AtomicFileError),
}

fn holder(process: Option<u32>) -> String {
    process.map_or_else(String::new, |process| format!(" (process {process})"))
}

/// Whether a file is locked while it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// It is, as far as that can be had.
    Take,
    /// It is only read.
    Leave,
}

/// A file that will be replaced, as it was when it was opened.
#[derive(Debug)]
pub struct ReplacedFile {
    folder: Folder,
    name: Name,
    path: PathBuf,
    /// Holds the lock.
    file: File,
    metadata: Metadata,
    held: Held,
}

/// Who holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// We do; or the file system has none, and protects nobody.
    Here,
    /// Another process, as far as it is known.
    Elsewhere(Option<u32>),
}

impl ReplacedFile {
    /// Opens a typed file. With [`Lock::Take`], other programs that use this lock do not rewrite it meanwhile: they are waited for, some
    /// seconds.
    ///
    /// # Errors
    /// [`ReplaceError`].
    pub fn open(path: &Path, lock: Lock) -> Result<Self, ReplaceError> {
        let (folder, name) = Folder::of_typed(path).map_err(not_opened)?;
        Self::open_in(&folder, name, path, lock)
    }

    /// Opens a file that was found below an open folder, at the relative path `within`. No link on the way is followed.
    ///
    /// # Errors
    /// [`ReplaceError`].
    pub fn open_below(root: &Folder, within: &Path, lock: Lock) -> Result<Self, ReplaceError> {
        let name = within.file_name().and_then(Name::new);
        let name = name.ok_or(ReplaceError::Folder)?;
        let folder = root.descend(within.parent().unwrap_or(Path::new("")));
        let folder = folder.map_err(|error| ReplaceError::System(error.into()))?;
        Self::open_in(&folder, name, &root.path().join(within), lock)
    }

    fn open_in(folder: &Folder, name: Name, path: &Path, lock: Lock) -> Result<Self, ReplaceError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let there = folder.look(&name).map_err(system)?;
            if there.kind() != rustix::fs::FileType::RegularFile {
                return Err(refusal(there.kind(), path));
            }
            let access = OFlags::RDONLY | OFlags::NONBLOCK;
            let file = folder.open(&name, &there, access).map_err(system)?;
            let held = match lock {
                Lock::Take => take_lock(&file, until),
                Lock::Leave => Held::Here,
            };
            let metadata = file.metadata().map_err(ReplaceError::System)?;
            // The previous holder of the lock may have put another file there.
            if folder.holds(&name, there.id()) {
                if metadata.nlink() > 1 {
                    return Err(ReplaceError::HardLinks(metadata.nlink()));
                }
                let folder = folder.for_file(Some(metadata.uid()))?;
                return Ok(Self {
                    folder,
                    name,
                    path: path.to_path_buf(),
                    file,
                    metadata,
                    held,
                });
            }
            if Instant::now() > until {
                return Err(ReplaceError::Changed);
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

    /// The process that holds the lock, if it is another one: the file is then replaced without it. `None` inside: it is not known.
    #[must_use]
    pub fn lock_holder(&self) -> Option<Option<u32>> {
        match self.held {
            Held::Here => None,
            Held::Elsewhere(process) => Some(process),
        }
    }

    /// Begins the successor, in the same folder, with the owner, group and mode of the old file as far as this user may give them.
    /// Nobody gets more access than before.
    ///
    /// # Errors
    /// [`AtomicFileError`].
    pub fn successor(&self) -> Result<AtomicFile, AtomicFileError> {
        let begun = self
            .folder
            .create(&self.name, FileMode::OwnerOnly, Existing::Overwrite);
        let file = begun.map_err(|error| error.at(&self.path))?;
        self.copy_ownership(file.file())
            .map_err(|source| AtomicFileError::System {
                action: "set owner and mode of",
                path: self.path.clone(),
                source,
            })?;
        Ok(file)
    }

    fn copy_ownership(&self, successor: &File) -> io::Result<()> {
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

    /// Puts the successor in the old file's place, on disk, unless that was changed. Other programs know nothing of the lock, so
    /// it is compared in the last moment. Without the lock the two exchange their names, and the old one is compared then: the old
    /// one has a hidden name for a moment.
    ///
    /// # Errors
    /// [`ReplaceError`]; what was there is there.
    pub fn replace(&self, successor: AtomicFile) -> Result<(), ReplaceError> {
        let Held::Elsewhere(process) = self.held else {
            let there = self.folder.stat(&self.name).map_err(system)?;
            if !there.is_some_and(|there| self.is_unchanged(&there)) {
                return Err(ReplaceError::Changed);
            }
            let committed = successor.commit();
            return Ok(committed.map_err(|error| error.at(&self.path))?);
        };
        match successor.commit_exchanging(|came_out| self.is_unchanged(came_out)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(ReplaceError::Changed),
            Err(AtomicFileError::System { source, .. }) if cannot_exchange(&source) => {
                Err(ReplaceError::Locked(process))
            }
            Err(error) => Err(error.at(&self.path).into()),
        }
    }

    fn is_unchanged(&self, there: &Stat) -> bool {
        let old = &self.metadata;
        FileId::of(there) == FileId::from(old)
            && there.st_size.cast_unsigned() == old.len()
            && (there.st_mtime, i64::try_from(there.st_mtime_nsec))
                == (old.mtime(), Ok(old.mtime_nsec()))
    }
}

fn cannot_exchange(error: &io::Error) -> bool {
    let cannot = [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP].map(Errno::raw_os_error);
    error
        .raw_os_error()
        .is_some_and(|error| cannot.contains(&error))
}

fn system(error: Errno) -> ReplaceError {
    ReplaceError::System(error.into())
}

fn not_opened(error: AtomicFileError) -> ReplaceError {
    match error {
        AtomicFileError::System { source, .. } => ReplaceError::System(source),
        AtomicFileError::ForeignLink(path) => ReplaceError::Link(path),
        AtomicFileError::NoName(_) => ReplaceError::Folder,
        error => ReplaceError::NotCommitted(error),
    }
}

fn refusal(kind: rustix::fs::FileType, path: &Path) -> ReplaceError {
    match kind {
        rustix::fs::FileType::Directory => ReplaceError::Folder,
        rustix::fs::FileType::Symlink => ReplaceError::Link(path.to_owned()),
        _ => ReplaceError::NotAFile,
    }
}

/// Waits for the lock, but not for ever. A file system without locks protects nobody, and is no reason to stop.
fn take_lock(file: &File, until: Instant) -> Held {
    loop {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if Instant::now() < until => std::thread::sleep(BETWEEN_TRIES),
            Err(Errno::AGAIN) => return Held::Elsewhere(lock_holder(file)),
            _ => return Held::Here,
        }
    }
}

/// Who holds a lock on a file (proc(5), `/proc/locks`): `1: FLOCK  ADVISORY  READ 4711 fd:01:12345 0 EOF`.
fn lock_holder(file: &File) -> Option<u32> {
    let inode = format!(":{}", file.metadata().ok()?.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let holders = locks.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields[..] {
            [_, "FLOCK", _, _, process, place, ..] if place.ends_with(&inode) => {
                process.parse().ok()
            }
            _ => None,
        }
    });
    holders.into_iter().next()
}
