//! Locks: on an mbox those that mail programs heed, and on a folder one that only our own runs heed.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, OFlags, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;

use super::{ArchiveError, Refusal};
use crate::atomic_file::{AtomicFileError, Existing, FileId, FileMode, Fleeting, Folder, Name};

/// The content of our lock files. A file with this content that no process holds was left by a killed run.
const MARK: &[u8] = b"encl mail\n";
/// How often a lock is tried for that goes while we look at it.
const TRIES: usize = 8;

/// `FILE.lock`, as mail programs make it since there was no other way. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct DotLock {
    /// Held with `flock`, so that the kernel knows whether its maker lives.
    file: File,
    _name: Fleeting,
}

impl DotLock {
    /// Takes the lock at once, or fails if another program has it.
    pub(super) fn take(folder: &Folder, mbox: &Name) -> Result<Self, ArchiveError> {
        let mut name = mbox.as_os_str().to_owned();
        name.push(".lock");
        let name = Name::new(name).expect("it is longer than a name");
        for _ in 0..TRIES {
            match Self::make(folder, &name) {
                Err(ArchiveError::File(AtomicFileError::Exists(_))) => {}
                made => return made,
            }
            if let Some(lock) = Self::adopt(folder, &name, &folder.path_of(mbox))? {
                return Ok(lock);
            }
        }
        Err(ArchiveError::Locked(folder.path_of(mbox)))
    }

    /// Makes the lock file with its mark in it and locked, in one step.
    fn make(folder: &Folder, name: &Name) -> Result<Self, ArchiveError> {
        let path = folder.path_of(name);
        let mut file = folder.create(name, FileMode::OwnerOnly, Existing::Keep)?;
        file.write_all(MARK).map_err(Refusal::to("write", &path))?;
        // A second descriptor of the same opening: what AtomicFile holds stays held.
        let held = file.file().try_clone();
        let held = held.map_err(Refusal::to("hold", &path))?;
        file.commit()?;
        Ok(Self::of(folder, name, held)?)
    }

    fn of(folder: &Folder, name: &Name, file: File) -> Result<Self, Refusal> {
        let metadata = file.metadata();
        let metadata = metadata.map_err(Refusal::to("look at", &folder.path_of(name)))?;
        let id = FileId::from(&metadata);
        Ok(Self {
            file,
            _name: Fleeting::new(folder, name, Some(id)),
        })
    }

    /// Takes over what a killed run of ours left; `None` if it went while we looked.
    fn adopt(folder: &Folder, name: &Name, mbox: &Path) -> Result<Option<Self>, ArchiveError> {
        let locked = || ArchiveError::Locked(mbox.to_path_buf());
        let file = match folder.read(name, OFlags::RDONLY) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(_) => return Err(locked()),
        };
        if !has_mark(&file).unwrap_or(false)
            || rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_err()
        {
            return Err(locked());
        }
        let metadata = file.metadata();
        let metadata = metadata.map_err(Refusal::to("look at", &folder.path_of(name)))?;
        match folder.holds(name, FileId::from(&metadata)) {
            true => Ok(Some(Self::of(folder, name, file)?)),
            false => Ok(None),
        }
    }

    /// Says that the lock is in use: other programs remove one that is minutes old.
    pub(super) fn touch(&self) {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_NOW,
        };
        let times = Timestamps {
            last_access: now,
            last_modification: now,
        };
        let _ = rustix::fs::futimens(&self.file, &times);
    }
}

fn has_mark(file: &File) -> io::Result<bool> {
    let mut bytes = Vec::new();
    file.take(MARK.len() as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes == MARK)
}

/// Locks an mbox by fcntl(2) until it is closed. No other descriptor of the file may be closed in between (POSIX).
pub(super) fn lock_file(file: &File, mbox: &Path) -> Result<(), ArchiveError> {
    match rustix::fs::fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(Errno::ACCESS | Errno::AGAIN) => Err(ArchiveError::Locked(mbox.to_path_buf())),
        Err(error) => Err(Refusal::to("lock", mbox)(error).into()),
    }
}

/// A folder in which no other run of ours is at work, as long as this stays open; `None` if one is.
pub(super) fn lock_folder(folder: &Folder) -> io::Result<Option<File>> {
    let file = folder.reopen()?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::AGAIN) => Ok(None),
        // A file system without locks on folders: two runs would hinder, but not harm each other.
        _ => Ok(Some(file)),
    }
}
