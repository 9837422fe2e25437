//! Hidden temporary names beside a target, and how they go away.

use std::ffi::OsStr;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::AtomicFileError;
use super::fleeting::Fleeting;
use super::place::Place;

/// How often another name is tried when one is taken; chance alone takes none.
const TRIES: usize = 16;

const PREFIX: &str = ".encl-";
const SUFFIX: &str = ".tmp";
/// Digits between the two, in hexadecimal.
const DIGITS: usize = 16;

/// A hidden name beside a target, removed when it is dropped or a signal ends the program.
#[derive(Debug)]
pub(super) struct HiddenName {
    file: Fleeting,
    name: String,
}

/// Removes the hidden temporary files in `folder` whose makers were killed, and counts them. What another process is still
/// writing is left alone.
///
/// # Errors
/// When the folder cannot be read, or a file not removed.
pub fn discard_leftovers(folder: &Path) -> io::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if is_temporary(&entry.file_name()) && is_abandoned(&entry.path()) {
            std::fs::remove_file(entry.path())?;
            count += 1;
        }
    }
    Ok(count)
}

/// Says whether a file of this name is one in the making.
#[must_use]
pub fn is_temporary(name: &OsStr) -> bool {
    let middle = name.as_bytes().strip_prefix(PREFIX.as_bytes());
    let digits = middle.and_then(|middle| middle.strip_suffix(SUFFIX.as_bytes()));
    digits.is_some_and(|digits| digits.len() == DIGITS && digits.iter().all(u8::is_ascii_hexdigit))
}

/// The writer of such a file holds its lock, which ends with the process.
fn is_abandoned(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(CWD, path, flags, Mode::empty()) else {
        return false;
    };
    let is_file = rustix::fs::fstat(&file)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
    is_file && rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

impl HiddenName {
    /// Finds a free name and lets `create` make something of it, which must fail when the name is taken.
    pub(super) fn claim<T>(
        place: &Place,
        create: impl Fn(&str) -> Result<T, Errno>,
    ) -> Result<(T, Self), Errno> {
        for _ in 0..TRIES {
            let name = unguessable();
            let hidden = Self {
                file: Fleeting::new(place.path.with_file_name(&name)),
                name,
            };
            match create(&hidden.name) {
                Ok(made) => return Ok((made, hidden)),
                // The file of another process: not ours to remove.
                Err(Errno::EXIST) => hidden.forget(),
                Err(error) => {
                    hidden.forget();
                    return Err(error);
                }
            }
        }
        Err(Errno::EXIST)
    }

    /// The name is gone, or was never ours.
    fn forget(self) {
        self.file.stays();
    }

    fn rename(&self, place: &Place, flags: RenameFlags) -> Result<(), Errno> {
        let folder = &place.folder;
        rustix::fs::renameat_with(folder, &self.name, folder, &place.name, flags)
    }

    /// Exchanges this name and the target's, which must be there.
    pub(super) fn exchange(&self, place: &Place) -> Result<(), Errno> {
        self.rename(place, RenameFlags::EXCHANGE)
    }

    /// Undoes [`Self::exchange`] because of `error`. If that fails too, the old file stays under the hidden name.
    pub(super) fn give_back(
        self,
        place: &Place,
        error: AtomicFileError,
    ) -> Result<(), AtomicFileError> {
        if self.exchange(place).is_err() {
            self.forget();
        }
        Err(error)
    }

    pub(super) fn rename_over(self, place: &Place) -> Result<(), AtomicFileError> {
        let renamed = self.rename(place, RenameFlags::empty());
        renamed.map_err(|error| place.system("replace", error))?;
        self.forget();
        Ok(())
    }

    /// Renames only if the name is free.
    pub(super) fn rename_beside(self, place: &Place) -> Result<(), AtomicFileError> {
        match self.rename(place, RenameFlags::NOREPLACE) {
            Ok(()) => {
                self.forget();
                Ok(())
            }
            Err(Errno::EXIST) => Err(AtomicFileError::Exists(place.path.clone())),
            // The file system does not know the flag: a second name is as safe, and the drop takes the first away.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => self.link_beside(place),
            Err(error) => Err(place.system("create", error)),
        }
    }

    fn link_beside(self, place: &Place) -> Result<(), AtomicFileError> {
        let folder = &place.folder;
        rustix::fs::linkat(folder, &self.name, folder, &place.name, AtFlags::empty()).map_err(
            |error| match error {
                Errno::EXIST => AtomicFileError::Exists(place.path.clone()),
                error => place.system("create", error),
            },
        )
    }
}

/// 64 unpredictable bits: the standard library seeds its hashers from the operating system.
fn unguessable() -> String {
    let number = RandomState::new().build_hasher().finish();
    format!("{PREFIX}{number:0DIGITS$x}{SUFFIX}")
}
