//! Hidden temporary names beside a target, and how they go away.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::sync::Mutex;

use rustix::fs::{AtFlags, RenameFlags};
use rustix::io::Errno;

use super::AtomicFileError;
use super::place::Place;

/// How often another name is tried when one is taken; chance alone takes none.
const TRIES: usize = 16;

/// A hidden name beside a target, removed when it is dropped or a signal ends the program.
#[derive(Debug)]
pub(super) struct HiddenName {
    path: PathBuf,
    name: String,
}

/// The hidden names that exist now, for [`discard_all`].
static HIDDEN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes every hidden temporary file of this process, and lets it make no more: whoever tries waits for ever.
///
/// For the moment in which a signal ends the process.
pub fn discard_all() {
    if let Ok(mut hidden) = HIDDEN.lock() {
        for path in hidden.drain(..) {
            let _ = std::fs::remove_file(path);
        }
        // Never unlocked, so that no thread begins a file, or reports an error, between here and the end.
        std::mem::forget(hidden);
    }
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
                path: place.path.with_file_name(&name),
                name,
            };
            hidden.register();
            match create(&hidden.name) {
                Ok(made) => return Ok((made, hidden)),
                // Somebody else's file: not ours to remove.
                Err(Errno::EXIST) => hidden.forget(),
                Err(error) => {
                    hidden.forget();
                    return Err(error);
                }
            }
        }
        Err(Errno::EXIST)
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

impl Drop for HiddenName {
    fn drop(&mut self) {
        self.unregister();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// 64 bits that nobody can foresee: the standard library seeds its hashers from the operating system.
fn unguessable() -> String {
    let number = RandomState::new().build_hasher().finish();
    format!(".encl-{number:016x}.tmp")
}
