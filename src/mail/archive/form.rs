//! A message's file, and the file with its other form.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::MetadataExt;

use rustix::fs::{Gid, Mode, OFlags, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use super::file_range::FileRange;
use super::{Direction, MessageError, Refusal, Skip, Transform};
use crate::atomic_file::{AtomicFile, Existing, FileId, FileMode, Folder, Name};
use crate::mail::Reopen;

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 1 << 16;
/// What a sealed form keeps of the mode.
pub(super) const MODE_MAX: u32 = 0o777;
/// The largest mode of a plain message in a file of its own.
pub(super) const PLAIN_MODE_MAX: u32 = 0o600;

/// A file that was opened for reading.
#[derive(Debug)]
pub(super) struct Source {
    /// Where it was found.
    pub(super) folder: Folder,
    pub(super) file: File,
    pub(super) metadata: Metadata,
}

/// Why there is no source.
pub(super) enum NoSource {
    Skip(Skip),
    Refusal(Refusal),
}

impl Source {
    /// Opens a regular file; anything else, or a missing file, is skipped.
    pub(super) fn open(folder: &Folder, name: &Name) -> Result<Self, NoSource> {
        let path = || folder.path_of(name);
        let file = match folder.read(name, OFlags::RDONLY) {
            Ok(file) => file,
            Err(Errno::LOOP) => return Err(NoSource::Skip(Skip::Link)),
            Err(Errno::NOENT) => return Err(NoSource::Skip(Skip::Gone)),
            Err(Errno::NXIO) => return Err(NoSource::Skip(Skip::NotAFile)),
            Err(error) => return Err(NoSource::Refusal(Refusal::to("open", &path())(error))),
        };
        let metadata = file.metadata();
        let metadata =
            metadata.map_err(|error| NoSource::Refusal(Refusal::to("look at", &path())(error)))?;
        match metadata.is_file() {
            true => Ok(Self {
                folder: folder.clone(),
                file,
                metadata,
            }),
            false => Err(NoSource::Skip(Skip::NotAFile)),
        }
    }

    /// Which file it is.
    pub(super) fn id(&self) -> FileId {
        FileId::from(&self.metadata)
    }

    /// Whether `name` is this very file's.
    pub(super) fn is_at(&self, folder: &Folder, name: &Name) -> bool {
        folder.holds(name, self.id())
    }

    /// Whether the file is unchanged since it was opened.
    pub(super) fn is_unchanged(&self) -> bool {
        let written = |file: &Metadata| (file.len(), file.mtime(), file.mtime_nsec());
        let now = self.file.metadata();
        now.is_ok_and(|now| written(&now) == written(&self.metadata))
    }

    /// Whether the two files say that they were delivered at the same time.
    pub(super) fn has_time_of(&self, other: &Self) -> bool {
        let time = |file: &Metadata| (file.mtime(), file.mtime_nsec());
        time(&self.metadata) == time(&other.metadata)
    }

    /// How many names the file has.
    pub(super) fn names(&self) -> u64 {
        self.metadata.nlink()
    }
}

impl Reopen for Source {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(FileRange::all(&self.file)))
    }
}

/// Makes the other form of a message as a file that is durable and verified, and will have a name in a folder.
pub(super) fn make<T: Transform>(
    transform: &T,
    source: &Source,
    (folder, name): (&Folder, &Name),
    existing: Existing,
) -> Result<AtomicFile, MessageError<T::Error>> {
    let target = &folder.path_of(name);
    let mut file = folder.create(name, FileMode::OwnerOnly, existing)?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, &mut file);
    let receipt = transform
        .write(source, &mut out)
        .map_err(MessageError::Transform)?;
    out.flush().map_err(Refusal::to("write", target))?;
    drop(out);
    let mode_max = match transform.direction() {
        Direction::Seal => MODE_MAX,
        Direction::Unseal => PLAIN_MODE_MAX,
    };
    copy_attributes(file.file(), source, folder, mode_max)
        .map_err(Refusal::to("set mode and time of", target))?;
    file.make_durable()?;
    let proved = transform.verify(receipt, &FileRange::all(file.file()), source);
    proved.map_err(MessageError::Transform)?;
    Ok(file)
}

/// Gives `file`, made in `folder`, the times and what `mode_max` leaves of the mode; and the owner, where that is permitted, in
/// the folder that the source was found in. Elsewhere it could be given away by whoever replaces folders.
pub(super) fn copy_attributes(
    file: &File,
    source: &Source,
    folder: &Folder,
    mode_max: u32,
) -> io::Result<()> {
    let of = &source.metadata;
    let mut mode = of.mode() & mode_max;
    let is_same_folder = folder.is_same(&source.folder);
    let has_owner = match is_same_folder {
        true => copy_owner(file, of)?,
        false => has_owner(file, of)?,
    };
    if !has_owner && (mode_max != MODE_MAX || !is_same_folder) {
        // The group is another one than the mode speaks of.
        mode &= 0o700;
    }
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?;
    let time = |seconds, nanoseconds| Timespec {
        tv_sec: seconds,
        tv_nsec: nanoseconds,
    };
    let times = Timestamps {
        last_access: time(of.atime(), of.atime_nsec()),
        last_modification: time(of.mtime(), of.mtime_nsec()),
    };
    Ok(rustix::fs::futimens(file, &times)?)
}

fn has_owner(file: &File, of: &Metadata) -> io::Result<bool> {
    let ours = file.metadata()?;
    Ok((ours.uid(), ours.gid()) == (of.uid(), of.gid()))
}

/// Says whether owner and group are those of the other file now.
fn copy_owner(file: &File, of: &Metadata) -> io::Result<bool> {
    if has_owner(file, of)? {
        return Ok(true);
    }
    let (owner, group) = (Uid::from_raw(of.uid()), Gid::from_raw(of.gid()));
    let both = rustix::fs::fchown(file, Some(owner), Some(group));
    // Without root a file can still be given to a group of the user's.
    Ok(both
        .or_else(|_| rustix::fs::fchown(file, None, Some(group)))
        .is_ok())
}
