//! Hidden temporary names beside a target, and how they go away.

pub(super) mod fleeting;

use std::ffi::OsStr;
use std::fs::Metadata;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::AtomicFileError;
use super::entry::{FileId, Name};
use super::folder::Folder;
use super::place::Place;
use fleeting::Fleeting;

/// How often another name is tried when one is taken; chance alone takes none.
const TRIES: usize = 16;

const PREFIX: &str = ".encl-";
const SUFFIX: &str = ".tmp";
/// Digits between the two, in hexadecimal.
const DIGITS: usize = 16;

/// A hidden name beside a target, removed when it is dropped or a signal ends the program.
#[derive(Debug)]
pub(super) struct HiddenName(Fleeting);

/// Whose abandoned files are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftBy {
    /// Any user's: of a folder in which only this program works.
    Anybody,
    /// This user's.
    Me,
}

/// Removes the hidden temporary files in `folder` whose makers were killed, and counts them. What another process is still
/// writing is left alone.
///
/// # Errors
/// When the folder cannot be read, or a file not removed.
pub fn discard_leftovers(folder: &Folder, left_by: LeftBy) -> io::Result<usize> {
    // All names first: some file systems (gocryptfs) leave names out where others are removed between two reads.
    let mut names = Vec::new();
    for entry in folder.entries()? {
        let entry = entry?;
        if entry.kind == FileType::RegularFile && is_temporary(entry.name.as_os_str()) {
            names.push(entry.name);
        }
    }
    let mut count = 0;
    for name in names {
        if let Some(file) = abandoned(folder, &name)
            && (left_by == LeftBy::Anybody || file.uid() == geteuid().as_raw())
        {
            match folder.for_file(Some(file.uid())) {
                Ok(folder) => folder.remove(&name, FileId::from(&file))?,
                Err(_) => continue,
            }
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
fn abandoned(folder: &Folder, name: &Name) -> Option<Metadata> {
    let file = folder.read(name, OFlags::RDONLY).ok()?;
    let metadata = file.metadata().ok()?;
    let is_free = || rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    (metadata.is_file() && is_free()).then_some(metadata)
}

impl HiddenName {
    /// Finds a free name and lets `create` make something of it, which must fail when the name is taken.
    pub(super) fn claim<T>(
        folder: &Folder,
        create: impl Fn(&Name) -> Result<T, Errno>,
    ) -> Result<(T, Self), Errno> {
        for _ in 0..TRIES {
            let name = unguessable();
            let hidden = Self(Fleeting::new(folder, &name, None));
            match create(&name) {
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
        self.0.stays();
    }

    pub(super) fn name(&self) -> &Name {
        self.0.name()
    }

    fn rename(&self, place: &Place, flags: RenameFlags) -> Result<(), Errno> {
        let folder = &place.folder;
        folder.rename(self.name(), folder, &place.name, flags)
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
        match place.folder.link_name(self.name(), &place.name) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => Err(AtomicFileError::Exists(place.path.clone())),
            // A file system without links: exFAT, or one of a user's program (FUSE), which may answer anything.
            Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS | Errno::IO | Errno::MLINK) => {
                self.rename_onto_claimed(place)
            }
            Err(error) => Err(place.system("create", error)),
        }
    }

    /// Takes the name by an empty file of its own, and then that file's place: no other program's file can be in it. That is the
    /// strongest way left; a kill in between, which no signal handler sees, leaves the empty file.
    fn rename_onto_claimed(self, place: &Place) -> Result<(), AtomicFileError> {
        let claim = place
            .folder
            .create_named(&place.name, Mode::from_raw_mode(0o600));
        let claim = claim.map_err(|error| match error {
            Errno::EXIST => AtomicFileError::Exists(place.path.clone()),
            error => place.system("create", error),
        })?;
        let claimed = claim.metadata();
        let claimed = FileId::from(&claimed.map_err(|error| place.system("create", error))?);
        let claim = Fleeting::new(&place.folder, &place.name, Some(claimed));
        let renamed = match place.folder.holds(&place.name, claimed) {
            true => self.rename(place, RenameFlags::empty()),
            false => Err(Errno::EXIST),
        };
        renamed.map_err(|error| place.system("create", error))?;
        claim.stays();
        self.forget();
        Ok(())
    }
}

/// 64 unpredictable bits: the standard library seeds its hashers from the operating system.
fn unguessable() -> Name {
    let number = RandomState::new().build_hasher().finish();
    let name = format!("{PREFIX}{number:0DIGITS$x}{SUFFIX}");
    Name::new(name).expect("hexadecimal digits are no path")
}
