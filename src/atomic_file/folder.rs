//! A folder that is opened once, and in which everything is then done by its descriptor: a folder on the way that is replaced by
//! a link afterwards leads nothing elsewhere.
//!
//! Paths are for messages. Whatever the program changes in place, it finds, makes, renames and removes through a [`Folder`].

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::entry::{FileId, FolderEntry, Name, Seen};
use super::hands::{ForeignFile, Hands};
use super::place::Place;
use super::{AtomicFile, AtomicFileError, Existing, FileMode, typed};

/// A folder that only its owner enters.
const FOLDER_MODE: Mode = Mode::RWXU;

/// An open folder. It stays the same folder, whatever is renamed meanwhile.
#[derive(Debug, Clone)]
pub struct Folder {
    opened: Arc<Opened>,
    hands: Hands,
}

#[derive(Debug)]
struct Opened {
    descriptor: OwnedFd,
    /// As it was typed, or found below what was typed.
    path: PathBuf,
}

impl Folder {
    /// Opens a folder to work in, as it was typed. A link on the way is followed if its owner, and that of the folder it is in, is
    /// me, root, or the owner of what it leads to: another link could lead into a folder that only I may write to.
    ///
    /// # Errors
    /// [`AtomicFileError::ForeignLink`], or [`AtomicFileError::System`].
    pub fn open_typed(path: &Path) -> Result<Self, AtomicFileError> {
        let descriptor = typed::open(path)?;
        Ok(Self::new(descriptor, path.to_path_buf()))
    }

    /// Opens the folder that a typed path is in, and gives the last name. Nothing need exist under that.
    ///
    /// # Errors
    /// [`AtomicFileError::NoName`], and those of [`Folder::open_typed`].
    pub fn of_typed(path: &Path) -> Result<(Self, Name), AtomicFileError> {
        let no_name = || AtomicFileError::NoName(path.to_path_buf());
        if path.as_os_str().as_bytes().ends_with(b"/") {
            return Err(no_name());
        }
        let name = path.file_name().and_then(Name::new).ok_or_else(no_name)?;
        let parent = path.parent().unwrap_or(Path::new(""));
        let descriptor = typed::open(parent).map_err(|error| match error {
            AtomicFileError::System { source, .. } => AtomicFileError::System {
                action: "open the folder of",
                path: path.to_path_buf(),
                source,
            },
            error => error,
        })?;
        Ok((Self::new(descriptor, parent.to_path_buf()), name))
    }

    /// Opens a typed folder, and makes what is missing of it and above it, so that only I enter.
    ///
    /// # Errors
    /// Those of [`Folder::open_typed`], and what the system says to a new folder.
    pub fn make_typed(path: &Path) -> Result<Self, AtomicFileError> {
        match Self::open_typed(path) {
            Err(AtomicFileError::System { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        let Some(name) = path.file_name().and_then(Name::new) else {
            return Self::open_typed(path);
        };
        let above = Self::make_typed(path.parent().unwrap_or(Path::new("")))?;
        // Where root may not act as the owner of the folder above, the new one is root's.
        let above = above.for_file(None).unwrap_or(above);
        let made = above.make(&name).and_then(|()| above.below(&name));
        made.map_err(|error| typed::system("make the folder", path, error))
    }

    fn new(descriptor: OwnedFd, path: PathBuf) -> Self {
        Self {
            opened: Arc::new(Opened { descriptor, path }),
            hands: Hands::Mine,
        }
    }

    /// Its path, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.opened.path
    }

    /// The path of an entry, for messages.
    #[must_use]
    pub fn path_of(&self, name: &Name) -> PathBuf {
        self.path().join(&name.0)
    }

    /// Opens a folder in this one; a link is none.
    ///
    /// # Errors
    /// What the system says: `NOTDIR` to a link too.
    pub fn below(&self, name: &Name) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(self, &*name.0, flags, Mode::empty())?;
        Ok(Self::new(descriptor, self.path_of(name)))
    }

    /// Opens the folder at a relative path below this one, step by step: no link is followed, and nothing leads upward.
    ///
    /// # Errors
    /// Those of [`Folder::below`]; `INVAL` for what is no such path.
    pub fn descend(&self, within: &Path) -> Result<Self, Errno> {
        let mut folder = self.clone();
        for component in within.components() {
            folder = folder.below(&Name::of_step(component)?)?;
        }
        Ok(folder)
    }

    /// The same, and makes the folders that are missing.
    ///
    /// # Errors
    /// Those of [`Folder::descend`] and [`Folder::make`].
    pub fn make_below(&self, within: &Path) -> Result<Self, Errno> {
        let mut folder = self.clone();
        for component in within.components() {
            let name = Name::of_step(component)?;
            folder = match folder.below(&name) {
                Err(Errno::NOENT) => folder.make(&name).and_then(|()| folder.below(&name))?,
                opened => opened?,
            };
        }
        Ok(folder)
    }

    /// Makes a folder that only its owner enters, durably; one that exists is left as it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn make(&self, name: &Name) -> Result<(), Errno> {
        let made = self.act(|| rustix::fs::mkdirat(self, &*name.0, FOLDER_MODE));
        match made {
            Err(Errno::EXIST) => Ok(()),
            made => made.and_then(|()| self.sync()),
        }
    }

    /// All entries but `.` and `..`, in no order.
    ///
    /// # Errors
    /// What the system says, at the beginning or later.
    pub fn entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<FolderEntry, Errno>> + use<>, Errno> {
        let (folder, dir) = (self.clone(), Dir::read_from(self)?);
        Ok(dir.filter_map(move |entry| {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let name = Name::new(OsStr::from_bytes(entry.file_name().to_bytes()))?;
            let kind = match entry.file_type() {
                // A file system that does not tell.
                FileType::Unknown => match folder.stat(&name) {
                    Ok(Some(stat)) => FileType::from_raw_mode(stat.st_mode),
                    Ok(None) => return None,
                    Err(error) => return Some(Err(error)),
                },
                kind => kind,
            };
            Some(Ok(FolderEntry { name, kind }))
        }))
    }

    /// What stands under a name now; nothing is `None`.
    pub(super) fn stat(&self, name: &Name) -> Result<Option<Stat>, Errno> {
        match rustix::fs::statat(self, &*name.0, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether something stands under a name.
    #[must_use]
    pub fn has(&self, name: &Name) -> bool {
        !matches!(self.stat(name), Ok(None))
    }

    /// Whether a regular file stands under a name.
    #[must_use]
    pub fn is_file(&self, name: &Name) -> bool {
        let is_file = |stat: Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        self.stat(name).is_ok_and(|stat| stat.is_some_and(is_file))
    }

    /// Whether this very file stands under a name.
    #[must_use]
    pub fn holds(&self, name: &Name, file: FileId) -> bool {
        let there = self.stat(name);
        there.is_ok_and(|there| there.is_some_and(|there| FileId::of(&there) == file))
    }

    /// Which file a name leads to, links followed: only to tell it from another one.
    pub(super) fn led_to(&self, name: &Name) -> Option<FileId> {
        let there = rustix::fs::statat(self, &*name.0, AtFlags::empty()).ok()?;
        Some(FileId::of(&there))
    }

    /// Looks at what stands under a name; a link is looked at itself.
    ///
    /// # Errors
    /// What the system says.
    pub fn look(&self, name: &Name) -> Result<Seen, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(self, &*name.0, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&descriptor)?;
        Ok(Seen { descriptor, stat })
    }

    /// Opens the very file that was seen.
    ///
    /// # Errors
    /// What the system says; `STALE` if another file stands under the name.
    pub fn open(&self, name: &Name, seen: &Seen, access: OFlags) -> Result<File, Errno> {
        let flags = access | OFlags::NOCTTY | OFlags::CLOEXEC;
        let there = descriptor_path(&seen.descriptor);
        let file = match rustix::fs::openat(CWD, there, flags, Mode::empty()) {
            // There is no /proc.
            Err(Errno::NOENT) => {
                let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK;
                rustix::fs::openat(self, &*name.0, flags, Mode::empty())?
            }
            opened => opened?,
        };
        match FileId::of(&rustix::fs::fstat(&file)?) == seen.id() {
            true => Ok(file.into()),
            false => Err(Errno::STALE),
        }
    }

    /// Opens what stands under a name for reading, or for `access`. A link is not followed (`LOOP`), and no pipe waited for.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&self, name: &Name, access: OFlags) -> Result<File, Errno> {
        let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(self, &*name.0, flags, Mode::empty())?.into())
    }

    /// Begins a file that will have this name here.
    ///
    /// # Errors
    /// [`AtomicFileError`].
    pub fn create(
        &self,
        name: &Name,
        mode: FileMode,
        existing: Existing,
    ) -> Result<AtomicFile, AtomicFileError> {
        let place = Place {
            folder: self.clone(),
            name: name.clone(),
            path: self.path_of(name),
        };
        AtomicFile::begin(place, mode, existing)
    }

    /// Opens an unnamed file that can be linked later.
    pub(super) fn create_unnamed(&self, mode: Mode) -> Result<File, Errno> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        self.act(|| Ok(rustix::fs::openat(self, ".", flags, mode)?.into()))
    }

    /// Makes an empty file under a name that is free.
    pub(super) fn create_named(&self, name: &Name, mode: Mode) -> Result<File, Errno> {
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.act(|| Ok(rustix::fs::openat(self, &*name.0, flags, mode)?.into()))
    }

    /// Gives an open file a further name here, which must be free.
    ///
    /// # Errors
    /// What the system says.
    pub fn link(&self, file: &File, name: &Name) -> Result<(), Errno> {
        let open = descriptor_path(file);
        let follow = AtFlags::SYMLINK_FOLLOW;
        self.act(|| rustix::fs::linkat(CWD, &*open, self, &*name.0, follow))
    }

    /// Gives what stands under a name here a further one.
    pub(super) fn link_name(&self, from: &Name, to: &Name) -> Result<(), Errno> {
        self.act(|| rustix::fs::linkat(self, &*from.0, self, &*to.0, AtFlags::empty()))
    }

    /// Renames an entry, also into another folder.
    ///
    /// # Errors
    /// What the system says.
    pub fn rename(
        &self,
        from: &Name,
        folder: &Self,
        to: &Name,
        flags: RenameFlags,
    ) -> Result<(), Errno> {
        self.act(|| rustix::fs::renameat_with(self, &*from.0, folder, &*to.0, flags))
    }

    /// Removes a name if this very file stands under it.
    ///
    /// # Errors
    /// What the system says; `NOENT` also if another file stands there.
    pub fn remove(&self, name: &Name, file: FileId) -> Result<(), Errno> {
        match self.holds(name, file) {
            true => self.act(|| self.unlink(name)),
            false => Err(Errno::NOENT),
        }
    }

    /// Removes whatever stands under a name, by my own rights.
    pub(super) fn unlink(&self, name: &Name) -> Result<(), Errno> {
        rustix::fs::unlinkat(self, &*name.0, AtFlags::empty())
    }

    /// Makes the names in it durable. Some file systems have no such call for folders (CIFS, FUSE): they do it by themselves, or not
    /// at all.
    ///
    /// # Errors
    /// What the system says.
    pub fn sync(&self) -> Result<(), Errno> {
        match rustix::fs::fsync(self) {
            Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            synced => synced,
        }
    }

    /// The number of its owner.
    ///
    /// # Errors
    /// What the system says.
    pub fn owner(&self) -> Result<u32, Errno> {
        Ok(rustix::fs::fstat(self)?.st_uid)
    }

    /// Opens it once more, to be locked.
    ///
    /// # Errors
    /// What the system says.
    pub fn reopen(&self) -> Result<File, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(self, ".", flags, Mode::empty())?.into())
    }

    /// Which folder it is.
    ///
    /// # Errors
    /// What the system says.
    pub fn id(&self) -> Result<FileId, Errno> {
        Ok(FileId::of(&rustix::fs::fstat(self)?))
    }

    /// Whether this folder is the other one, or lies below it.
    ///
    /// # Errors
    /// What the system says on the way up.
    pub fn is_inside(&self, other: &Self) -> Result<bool, Errno> {
        let wanted = other.id()?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut at = rustix::fs::openat(self, ".", flags, Mode::empty())?;
        let mut id = FileId::of(&rustix::fs::fstat(&at)?);
        loop {
            if id == wanted {
                return Ok(true);
            }
            at = rustix::fs::openat(&at, "..", flags, Mode::empty())?;
            let above = FileId::of(&rustix::fs::fstat(&at)?);
            if above == id {
                return Ok(false);
            }
            id = above;
        }
    }

    /// The same folder for work on a file in it that has this owner, or on a new one. Root works on other people's files with their rights.
    ///
    /// # Errors
    /// [`ForeignFile`], if root cannot do that safely.
    pub fn for_file(&self, owner: Option<u32>) -> Result<Self, ForeignFile> {
        let hands = Hands::for_file(self, owner)?;
        Ok(Self {
            opened: self.opened.clone(),
            hands,
        })
    }

    /// The same folder for work on new files in it, if it has this owner: root works in none that is another user's than the
    /// folder above.
    ///
    /// # Errors
    /// [`ForeignFile`].
    pub fn for_new(&self, owner: u32) -> Result<Self, ForeignFile> {
        let is_foreign = geteuid().is_root() && self.owner() != Ok(owner);
        match is_foreign {
            true => Err(ForeignFile::OtherOwner),
            false => self.for_file(None),
        }
    }

    /// Whether names in it are made and removed with the rights of this process.
    #[must_use]
    pub fn is_mine(&self) -> bool {
        self.hands == Hands::Mine
    }

    /// Whether it is the same opening of the same folder.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.opened, &other.opened)
    }

    fn act<T: Send>(&self, work: impl FnOnce() -> Result<T, Errno> + Send) -> Result<T, Errno> {
        self.hands.act(work)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.opened.descriptor.as_fd()
    }
}

/// A name of an open file that only this process has.
pub(super) fn descriptor_path(file: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
