//! Names that are gone when the process is: removed when they are dropped, or when a signal ends the program.

use std::sync::{Mutex, OnceLock};

use crate::atomic_file::entry::{FileId, Name};
use crate::atomic_file::folder::Folder;

/// The fleeting names that exist now, for [`discard_all`].
static FLEETING: Mutex<Vec<Temporary>> = Mutex::new(Vec::new());

/// The hook that [`before_names`] set.
static BEFORE: OnceLock<fn()> = OnceLock::new();

/// Sets a `hook` that is called before each temporary name is made, so that a program can install its signal handlers (which
/// call [`discard_all`]) only when they are needed.
pub fn before_names(hook: fn()) {
    let _ = BEFORE.set(hook);
}

/// A name that is removed when this is dropped or a signal ends the program.
#[derive(Debug)]
pub(crate) struct Fleeting {
    temporary: Temporary,
    stays: bool,
}

#[derive(Debug, Clone)]
struct Temporary {
    folder: Folder,
    name: Name,
    /// The only file that is removed, where that is known.
    file: Option<FileId>,
}

impl Temporary {
    fn remove(&self) {
        if self
            .file
            .is_none_or(|file| self.folder.holds(&self.name, file))
        {
            let _ = self.folder.unlink(&self.name);
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.name == other.name && self.folder.is_same(&other.folder)
    }
}

/// Removes every temporary file and lock of this process and prevents new ones: a thread that tries to make one blocks for ever.
///
/// Call it when a signal ends the process.
pub fn discard_all() {
    if let Ok(mut fleeting) = FLEETING.lock() {
        for temporary in fleeting.drain(..) {
            temporary.remove();
        }
        // Never unlocked, so that no thread begins a file, or reports an error, between here and the end.
        std::mem::forget(fleeting);
    }
}

impl Fleeting {
    /// Takes charge of a name, under which there may be nothing yet. Of `file`, if it is given, and of no other that may take its
    /// place.
    pub(crate) fn new(folder: &Folder, name: &Name, file: Option<FileId>) -> Self {
        if let Some(hook) = BEFORE.get() {
            hook();
        }
        let temporary = Temporary {
            folder: folder.clone(),
            name: name.clone(),
            file,
        };
        if let Ok(mut fleeting) = FLEETING.lock() {
            fleeting.push(temporary.clone());
        }
        Self {
            temporary,
            stays: false,
        }
    }

    /// The name.
    pub(super) fn name(&self) -> &Name {
        &self.temporary.name
    }

    /// What has the name now stays there, or was never ours.
    pub(crate) fn stays(mut self) {
        self.stays = true;
    }

    fn unregister(&self) {
        if let Ok(mut fleeting) = FLEETING.lock() {
            fleeting.retain(|temporary| !temporary.is(&self.temporary));
        }
    }
}

impl Drop for Fleeting {
    fn drop(&mut self) {
        self.unregister();
        if !self.stays {
            self.temporary.remove();
        }
    }
}
