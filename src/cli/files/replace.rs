//! A file that makes way for what is made of it: nobody else rewrites it meanwhile, and mode, group and owner stay.

use std::fs::{File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::files::input::Input;
use crate::cli::terminal::shown;

/// Bits of a mode that a group has, and how far they stand from those of everybody else.
const GROUP_BITS: u32 = 0o070;
const OTHER_BITS: u32 = 0o007;
const FROM_OTHER_TO_GROUP: u32 = 3;

/// A file that will be replaced, as it was when it was opened.
pub(crate) struct InPlace {
    /// Holds the lock.
    file: File,
    metadata: Metadata,
}

impl InPlace {
    /// Opens a file and waits until nobody else rewrites it. Links are refused: what replaces the file would not be seen under
    /// its other names.
    pub(crate) fn open(input: &Input, path: &Path, verb: &str) -> Result<Self, Failure> {
        let failed = |error: &io::Error| {
            let failure = input.cannot(verb, Exit::Failed);
            failure.reason(io_message(error))
        };
        loop {
            let there = path.symlink_metadata().map_err(|error| failed(&error))?;
            refuse(input, path, verb, &there)?;
            // Not blocking: somebody may just have put a pipe there.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = rustix::fs::open(path, flags, Mode::empty());
            let file = File::from(file.map_err(|error| failed(&error.into()))?);
            lock(&file);
            let metadata = file.metadata().map_err(|error| failed(&error))?;
            // Whoever had the lock before has put another file there.
            let is_there = path
                .symlink_metadata()
                .is_ok_and(|there| is_same(&there, &metadata));
            if is_there {
                refuse(input, path, verb, &metadata)?;
                return Ok(Self { file, metadata });
            }
        }
    }

    /// The file, to be read from its beginning.
    pub(crate) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    pub(crate) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Gives the successor owner, group and mode of the old file, as far as this user may; nobody gets more than had it.
    pub(crate) fn hand_down(&self, successor: &File) -> io::Result<()> {
        let (old, new) = (&self.metadata, successor.metadata()?);
        let owner = (old.uid() != new.uid()).then(|| old.uid());
        let group = (old.gid() != new.gid()).then(|| old.gid());
        if owner.is_some() {
            let _ = fchown(successor, owner, None); // the administrator alone may
        }
        let keeps_group = group.is_none() || fchown(successor, None, group).is_ok();
        let mut mode = old.mode() & 0o777;
        if !keeps_group {
            mode = mode & !GROUP_BITS | (mode & OTHER_BITS) << FROM_OTHER_TO_GROUP;
        }
        successor.set_permissions(Permissions::from_mode(mode))
    }

    /// Whether the file is still there as it was opened. Other programs know nothing of the lock.
    pub(crate) fn is_unchanged(&self, path: &Path) -> bool {
        let state = |file: &Metadata| (file.len(), file.mtime(), file.mtime_nsec());
        path.symlink_metadata().is_ok_and(|there| {
            is_same(&there, &self.metadata) && state(&there) == state(&self.metadata)
        })
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Waits for the lock. A file system without locks protects nobody, and is no reason to stop.
fn lock(file: &File) {
    while rustix::fs::flock(file, FlockOperation::LockExclusive) == Err(Errno::INTR) {}
}

fn refuse(input: &Input, path: &Path, verb: &str, there: &Metadata) -> Result<(), Failure> {
    let cannot = |exit, because: String| Err(input.cannot(verb, exit).reason(because));
    if there.is_dir() {
        let failure = cannot(Exit::Usage, "it is a folder".to_owned());
        failure.map_err(|failure: Failure| match verb {
            "rewrap" => failure.hint("-r updates all envelopes below it"),
            _ => failure.hint("name the files in it"),
        })
    } else if there.is_symlink() {
        let failure = cannot(Exit::Exists, format!("{} is a symbolic link", shown(path)));
        failure.map_err(|failure: Failure| {
            failure.hint("links are never followed: name the file itself, or write to -o OUT")
        })
    } else if !there.is_file() {
        cannot(Exit::Failed, "it is not a regular file".to_owned())
    } else if there.nlink() > 1 {
        let because = format!("it has {} names (hard links)", there.nlink());
        cannot(Exit::Exists, because).map_err(|failure| {
            failure.hint("the other names would keep the old envelope; -o OUT writes a new one")
        })
    } else {
        Ok(())
    }
}
