//! A file that comes into being under its name whole, or not at all.
//!
//! Until [`AtomicFile::commit`] the bytes have no name (`O_TMPFILE`), so that a kill, a crash or a full disk leaves nothing.
//! Where the file system has no unnamed files, a hidden temporary file beside the target stands in; [`discard_all`] removes
//! such files when a signal ends the program.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// Who may read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Its owner: mode 0600, from the first byte. For plaintext and keys.
    OwnerOnly,
    /// Whoever the umask lets: 0666 less the umask. For what is sealed or public.
    Umask,
}

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the new file is an error, even if it appears in the last moment.
    Keep,
    /// It stays until the new file is complete and on disk, and is replaced then.
    Replace,
}

/// Why a file does not come into being. Nothing is under its name then that was not there before.
#[derive(Debug, thiserror::Error)]
pub enum AtomicFileError {
    /// The target exists and is to be kept.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The target is a symbolic link: it is not followed, and not replaced.
    #[error("{} is a symbolic link", .0.display())]
    Link(PathBuf),
    /// The target is a folder, device, pipe or socket.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
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

/// A file in the making. Dropped without [`AtomicFile::commit`], it leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    file: File,
    /// The hidden name, where the file system has no unnamed files.
    hidden: Option<HiddenName>,
    place: Place,
    existing: Existing,
}

/// A name in an open folder, which stays the same folder whatever is renamed meanwhile.
#[derive(Debug)]
struct Place {
    folder: OwnedFd,
    name: OsString,
    path: PathBuf,
}

impl AtomicFile {
    /// Begins a file that will be `target`.
    ///
    /// # Errors
    /// [`AtomicFileError`], also when the target's folder cannot be opened.
    pub fn create(
        target: &Path,
        readers: Readers,
        existing: Existing,
    ) -> Result<Self, AtomicFileError> {
        let place = Place::new(target)?;
        place.check(existing)?;
        match place.open_unnamed(readers) {
            Ok(file) => Ok(Self {
                file,
                hidden: None,
                place,
                existing,
            }),
            // The answers of file systems that cannot do it (open(2), O_TMPFILE), and of kernels that do not know it.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT | Errno::NOSYS) => {
                Self::create_hidden(place, readers, existing)
            }
            Err(error) => Err(place.system("create", error)),
        }
    }

    fn create_hidden(
        place: Place,
        readers: Readers,
        existing: Existing,
    ) -> Result<Self, AtomicFileError> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |name: &OsString| rustix::fs::openat(&place.folder, name, flags, readers.mode());
        let (file, hidden) =
            HiddenName::claim(&place, open).map_err(|error| place.system("create", error))?;
        Ok(Self {
            file: file.into(),
            hidden: Some(hidden),
            place,
            existing,
        })
    }

    /// Makes the bytes durable and gives them their name: fsync, link or rename, fsync of the folder.
    ///
    /// # Errors
    /// [`AtomicFileError::Exists`] when a target that is to be kept has appeared, [`AtomicFileError::System`] otherwise.
    /// When only the folder's fsync fails, the file is whole and in place, but may not survive a power failure.
    pub fn commit(self) -> Result<(), AtomicFileError> {
        let Self {
            file,
            hidden,
            place,
            existing,
        } = self;
        file.sync_all()
            .map_err(|error| place.system("sync", error))?;
        place.check(existing)?;
        match (hidden, existing) {
            (None, Existing::Keep) => place.link(&file)?,
            (None, Existing::Replace) => place.link_and_rename(&file)?,
            (Some(hidden), Existing::Keep) => hidden.rename_beside(&place)?,
            (Some(hidden), Existing::Replace) => hidden.rename_over(&place)?,
        }
        rustix::fs::fsync(&place.folder).map_err(|error| place.system("sync the folder of", error))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Readers {
    fn mode(self) -> Mode {
        match self {
            Self::OwnerOnly => Mode::from_raw_mode(0o600),
            Self::Umask => Mode::from_raw_mode(0o666),
        }
    }
}

impl Place {
    fn new(target: &Path) -> Result<Self, AtomicFileError> {
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
    fn check(&self, existing: Existing) -> Result<(), AtomicFileError> {
        let stat = match rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(self.system("look at", error)),
        };
        let path = self.path.clone();
        match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
            rustix::fs::FileType::RegularFile if existing == Existing::Replace => Ok(()),
            _ if existing == Existing::Keep => Err(AtomicFileError::Exists(path)),
            rustix::fs::FileType::Symlink => Err(AtomicFileError::Link(path)),
            _ => Err(AtomicFileError::NotAFile(path)),
        }
    }

    /// Opens an unnamed file that can be linked later.
    fn open_unnamed(&self, readers: Readers) -> Result<File, Errno> {
        let flags = OFlags::WRONLY | OFlags::TMPFILE | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, ".", flags, readers.mode())?;
        // Without /proc there is no way to name it (linkat(2), AT_EMPTY_PATH needs a privilege).
        rustix::fs::statat(CWD, descriptor_path(&file), AtFlags::empty())?;
        Ok(file.into())
    }

    /// Gives an unnamed file its name; fails if the name is taken.
    fn link(&self, file: &File) -> Result<(), AtomicFileError> {
        self.link_as(file, &self.name).map_err(|error| match error {
            Errno::EXIST => AtomicFileError::Exists(self.path.clone()),
            error => self.system("create", error),
        })
    }

    /// No call links over an existing name, so the file gets a hidden name first.
    fn link_and_rename(&self, file: &File) -> Result<(), AtomicFileError> {
        let claimed = HiddenName::claim(self, |name| self.link_as(file, name));
        let ((), hidden) = claimed.map_err(|error| self.system("create", error))?;
        hidden.rename_over(self)
    }

    fn link_as(&self, file: &File, name: &OsString) -> Result<(), Errno> {
        rustix::fs::linkat(
            CWD,
            descriptor_path(file),
            &self.folder,
            name,
            AtFlags::SYMLINK_FOLLOW,
        )
    }

    fn system(&self, action: &'static str, error: impl Into<io::Error>) -> AtomicFileError {
        system(action, &self.path, error)
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

/// A hidden name beside a target, removed when it is dropped or a signal ends the program.
#[derive(Debug)]
struct HiddenName {
    path: PathBuf,
    name: OsString,
}

/// The hidden names that exist now, for [`discard_all`].
static HIDDEN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes every hidden temporary file of this process, and lets it make no more.
///
/// For the moment in which a signal ends it: whoever wants to make or rename one afterwards waits for the end.
pub fn discard_all() {
    if let Ok(mut hidden) = HIDDEN.lock() {
        for path in hidden.drain(..) {
            let _ = std::fs::remove_file(path);
        }
        std::mem::forget(hidden);
    }
}

impl HiddenName {
    /// Finds a free name and lets `create` make something of it, which must fail when the name is taken.
    fn claim<T>(
        place: &Place,
        create: impl Fn(&OsString) -> Result<T, Errno>,
    ) -> Result<(T, Self), Errno> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let name = OsString::from(format!(".encl-{}-{number}.tmp", std::process::id()));
            let hidden = Self {
                path: place.path.with_file_name(&name),
                name,
            };
            hidden.register();
            match create(&hidden.name) {
                Ok(made) => return Ok((made, hidden)),
                Err(error) => {
                    // Somebody else's file, or none: not ours to remove.
                    hidden.forget();
                    if error != Errno::EXIST || number > 1_000 {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn register(&self) {
        if let Ok(mut hidden) = HIDDEN.lock() {
            hidden.push(self.path.clone());
        }
    }

    fn unregister(&self) {
        if let Ok(mut hidden) = HIDDEN.lock() {
            hidden.retain(|path| *path != self.path);
        }
    }

    /// The name is gone, or was never ours.
    fn forget(self) {
        self.unregister();
        std::mem::forget(self);
    }

    fn rename_over(self, place: &Place) -> Result<(), AtomicFileError> {
        let renamed = rustix::fs::renameat_with(
            &place.folder,
            &self.name,
            &place.folder,
            &place.name,
            RenameFlags::empty(),
        );
        renamed.map_err(|error| place.system("replace", error))?;
        self.forget();
        Ok(())
    }

    /// Renames only if the name is free.
    fn rename_beside(self, place: &Place) -> Result<(), AtomicFileError> {
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(
            &place.folder,
            &self.name,
            &place.folder,
            &place.name,
            flags,
        ) {
            Ok(()) => {
                self.forget();
                Ok(())
            }
            Err(Errno::EXIST) => Err(AtomicFileError::Exists(place.path.clone())),
            // The file system does not know the flag: a second name is as safe, and the drop takes the first away.
            Err(Errno::INVAL | Errno::NOSYS) => self.link_beside(place),
            Err(error) => Err(place.system("create", error)),
        }
    }

    fn link_beside(self, place: &Place) -> Result<(), AtomicFileError> {
        rustix::fs::linkat(
            &place.folder,
            &self.name,
            &place.folder,
            &place.name,
            AtFlags::empty(),
        )
        .map_err(|error| match error {
            Errno::EXIST => AtomicFileError::Exists(place.path.clone()),
            error => place.system("create", error),
        })
    }
}

impl Drop for HiddenName {
    fn drop(&mut self) {
        self.unregister();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Says whether `path`, followed through links, is the very file that `file` has open.
///
/// # Errors
/// When `file` cannot be asked; a `path` that is not there is simply another file.
pub fn is_same_file(file: &File, path: &Path) -> io::Result<bool> {
    let identity = |metadata: &Metadata| (metadata.dev(), metadata.ino());
    let open = file.metadata()?;
    Ok(std::fs::metadata(path).is_ok_and(|other| identity(&other) == identity(&open)))
}

/// Says whether `path` names a device or pipe, which takes bytes but cannot be replaced.
#[must_use]
pub fn is_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_char_device() || kind.is_fifo()
    })
}

#[cfg(test)]
mod tests;
