//! A file that appears under its name complete, or not at all.
//!
//! Until [`AtomicFile::commit`] the bytes have no name (`O_TMPFILE`), so that a kill, a crash or a full disk leaves nothing.
//! Where the file system has no unnamed files, a hidden temporary file beside the target stands in; [`discard_all`] removes
//! such files when a signal ends the program.

mod copy;
mod entry;
mod flusher;
mod folder;
mod hands;
mod hidden;
mod place;
mod replaced;
mod typed;
mod written;

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, FlockOperation, Mode, Stat};
use rustix::io::Errno;

use flusher::Flusher;
use hidden::HiddenName;
use place::Place;

pub use entry::{FileId, FolderEntry, Name, Seen};
pub use folder::Folder;
pub use hands::ForeignFile;
pub(crate) use hidden::fleeting::Fleeting;
pub use hidden::fleeting::{before_names, discard_all};
pub use hidden::{LeftBy, discard_leftovers, is_temporary};
pub use replaced::{Lock, ReplaceError, ReplacedFile};
pub use written::{WrittenFile, descriptor_number, inherited_descriptor, is_own_descriptor};

/// The mode of the new file: who may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileMode {
    /// Its owner only: mode 0600 from the first byte on. For plaintext and keys.
    OwnerOnly,
    /// As the umask permits: mode 0666 less the umask. For sealed or public content.
    Umask,
}

/// What happens to a file that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is kept, and creating the new file is an error, even if the existing one appears at the last moment.
    Keep,
    /// It is replaced once the new file is complete and on disk.
    Replace,
    /// It is replaced as with `Replace`, but never gets a second name under which a kill could leave it: it is plaintext whose
    /// sealed form takes its place. It is not restored if the folder cannot be made durable.
    Overwrite,
}

/// Why a file was not created. What was under its name before is there unchanged.
#[derive(Debug, thiserror::Error)]
pub enum AtomicFileError {
    /// The target exists and is to be kept.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The target is a symbolic link: it is not followed, and not replaced.
    #[error("{} is a symbolic link", .0.display())]
    Link(PathBuf),
    /// A folder on the way to the target is a link to something that whoever can have put it there does not own.
    #[error("{} is a symbolic link that another user can have put there", .0.display())]
    ForeignLink(PathBuf),
    /// The target is a folder, device, pipe or socket.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// The target is a pipe that another user made, who would read what is written.
    #[error("{} is a pipe of another user", .0.display())]
    ForeignPipe(PathBuf),
    /// The path does not end in a name.
    #[error("{} is not the name of a file", .0.display())]
    NoName(PathBuf),
    /// The system refused.
    #[error("cannot {action} {}", path.display())]
    System {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl AtomicFileError {
    /// The same about a target that was typed as `typed`.
    fn at(self, typed: &Path) -> Self {
        let typed = typed.to_path_buf();
        match self {
            Self::Exists(_) => Self::Exists(typed),
            Self::Link(_) => Self::Link(typed),
            Self::NotAFile(_) => Self::NotAFile(typed),
            Self::System { action, source, .. } => Self::System {
                action,
                path: typed,
                source,
            },
            error => error,
        }
    }
}

/// A file that is being written. Dropped without [`AtomicFile::commit`], it leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    /// The hidden name, where the file system has no unnamed files.
    hidden: Option<HiddenName>,
    place: Place,
    existing: Existing,
    /// Whether all that was written is on disk already.
    is_durable: bool,
    flusher: Flusher,
}

impl AtomicFile {
    /// Begins a file that will be `target`.
    ///
    /// # Errors
    /// [`AtomicFileError`], also when the target's folder cannot be opened.
    pub fn create(
        target: &Path,
        mode: FileMode,
        existing: Existing,
    ) -> Result<Self, AtomicFileError> {
        Self::begin(Place::new(target)?, mode, existing)
    }

    fn begin(place: Place, mode: FileMode, existing: Existing) -> Result<Self, AtomicFileError> {
        place.check(existing)?;
        match place.open_unnamed(mode) {
            Ok(file) => Ok(Self::new(file, None, place, existing)),
            // The answers of file systems that cannot do it (open(2), O_TMPFILE), and of kernels that do not know it.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT | Errno::NOSYS) => {
                Self::create_hidden(place, mode, existing)
            }
            Err(error) => Err(place.system("create", error)),
        }
    }

    fn create_hidden(
        place: Place,
        mode: FileMode,
        existing: Existing,
    ) -> Result<Self, AtomicFileError> {
        let opened = place.open_hidden(mode.bits());
        let (file, hidden) = opened.map_err(|error| place.system("create", error))?;
        Ok(Self::new(file, Some(hidden), place, existing))
    }

    fn new(file: File, hidden: Option<HiddenName>, place: Place, existing: Existing) -> Self {
        // For `discard_leftovers`. A file system without locks has no such protection, and needs none to write.
        let _ = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
        Self {
            file,
            hidden,
            place,
            existing,
            is_durable: false,
            flusher: Flusher::default(),
        }
    }

    /// The file as it is so far: to read back what was written, and to set its mode, owner and times before it has a name.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes the bytes durable before they have a name, and lets what is read next come from the disk, as far as the system
    /// lets us. [`AtomicFile::commit`] does not do it again: from here on only [`Write`] may change the file.
    ///
    /// # Errors
    /// [`AtomicFileError::System`].
    pub fn make_durable(&mut self) -> Result<(), AtomicFileError> {
        self.sync()?;
        let _ = rustix::fs::fadvise(&self.file, 0, None, Advice::DontNeed);
        Ok(())
    }

    fn wrote(&mut self, count: usize) -> usize {
        self.is_durable = false;
        self.flusher.wrote(count, &self.file);
        count
    }

    fn sync(&mut self) -> Result<(), AtomicFileError> {
        if !self.is_durable {
            let synced = self.flusher.finish().and_then(|()| self.file.sync_all());
            synced.map_err(|error| self.place.system("sync", error))?;
        }
        self.is_durable = true;
        Ok(())
    }

    /// Makes the bytes durable and gives them their name: fsync, link or rename, fsync of the folder.
    ///
    /// # Errors
    /// [`AtomicFileError::Exists`] when a target that is to be kept has appeared, [`AtomicFileError::System`] otherwise.
    /// What was there before is there again after every error. (Two exceptions: [`Existing::Overwrite`]; and the folder's
    /// fsync fails on a file system that cannot exchange two names. The new file is then complete and in place, but may not
    /// survive a power failure.)
    pub fn commit(mut self) -> Result<(), AtomicFileError> {
        self.sync()?;
        self.place.check(self.existing)?;
        match self.existing {
            Existing::Keep => self.take_free_name(),
            Existing::Replace => self.replace(),
            Existing::Overwrite => self.overwrite(),
        }
    }

    fn take_free_name(self) -> Result<(), AtomicFileError> {
        let Self {
            file,
            hidden,
            place,
            ..
        } = self;
        match hidden {
            None => place.link(&file)?,
            Some(hidden) => hidden.rename_beside(&place)?,
        }
        place.sync().inspect_err(|_| place.retract(&file))
    }

    /// Exchanges the two names, so that the old file can come back as long as the new one is not known to be durable.
    fn replace(self) -> Result<(), AtomicFileError> {
        let Self {
            file,
            hidden,
            place,
            ..
        } = self;
        let hidden = hidden.map_or_else(|| place.link_hidden(&file), Ok)?;
        match hidden.exchange(&place) {
            // From here on the hidden name is the old file's, and dropping it removes that.
            Ok(()) => place
                .sync()
                .or_else(|error| hidden.give_back(&place, error)),
            // Nothing to replace after all: no file can be lost.
            Err(Errno::NOENT) => {
                hidden.rename_beside(&place)?;
                place.sync().inspect_err(|_| place.retract(&file))
            }
            // The file system cannot exchange.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                hidden.rename_over(&place)?;
                place.sync()
            }
            Err(error) => Err(place.system("replace", error)),
        }
    }

    /// Takes the place of a file that nothing keeps from being changed meanwhile: the names are exchanged, and unless the one that
    /// comes out `is_old`, it goes back. Says whether the file is in its place.
    ///
    /// # Errors
    /// [`AtomicFileError::System`], also where the file system cannot exchange names: then nothing was changed.
    fn commit_exchanging(
        mut self,
        is_old: impl Fn(&Stat) -> bool,
    ) -> Result<bool, AtomicFileError> {
        self.sync()?;
        let Self {
            file,
            hidden,
            place,
            ..
        } = self;
        let hidden = hidden.map_or_else(|| place.link_hidden(&file), Ok)?;
        let exchange = || {
            let exchanged = hidden.exchange(&place);
            let came_out = exchanged.and_then(|()| place.folder.stat(hidden.name()));
            came_out.map_err(|error| place.system("replace", error))
        };
        let ours = rustix::fs::fstat(&file).map_err(|error| place.system("look at", error))?;
        let ours = FileId::of(&ours);
        // The holder of the lock may not have seen this file before it put its own there.
        let holds_ours = || place.folder.holds(&place.name, ours);
        if exchange()?.is_some_and(|came_out| is_old(&came_out)) {
            place.sync()?;
            return Ok(holds_ours());
        }
        // Another program was faster: its file goes back. If it has put a further one in our file's place meanwhile, that one
        // stays, and what is under the hidden name is the one that it replaced.
        let is_ours = |stat: Stat| FileId::of(&stat) == ours;
        if !exchange()?.is_some_and(is_ours) {
            exchange()?;
        }
        Ok(false)
    }

    fn overwrite(self) -> Result<(), AtomicFileError> {
        let Self {
            file,
            hidden,
            place,
            ..
        } = self;
        let hidden = hidden.map_or_else(|| place.link_hidden(&file), Ok)?;
        hidden.rename_over(&place)?;
        place.sync()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        Ok(self.wrote(count))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = self.file.write_vectored(slices)?;
        Ok(self.wrote(count))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl FileMode {
    fn bits(self) -> Mode {
        match self {
            Self::OwnerOnly => Mode::from_raw_mode(0o600),
            Self::Umask => Mode::from_raw_mode(0o666),
        }
    }
}

#[cfg(test)]
mod tests;
