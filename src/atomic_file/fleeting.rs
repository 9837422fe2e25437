//! Names that are gone when the process is: removed when they are dropped, or when a signal ends the program.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

/// The fleeting names that exist now, for [`discard_all`].
static FLEETING: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The hook that [`before_names`] set.
static BEFORE: OnceLock<fn()> = OnceLock::new();

/// Sets a `hook` that is called before each temporary name is made, so that a program can install its signal handlers (which
/// call [`discard_all`]) only when they are needed.
pub fn before_names(hook: fn()) {
    let _ = BEFORE.set(hook);
}

/// The path of a file that is removed when this is dropped or a signal ends the program.
#[derive(Debug)]
pub(crate) struct Fleeting {
    path: PathBuf,
}

/// Removes every temporary file and lock of this process and prevents new ones: a thread that tries to make one blocks for ever.
///
/// Call it when a signal ends the process.
pub fn discard_all() {
    if let Ok(mut fleeting) = FLEETING.lock() {
        for path in fleeting.drain(..) {
            let _ = std::fs::remove_file(path);
        }
        // Never unlocked, so that no thread begins a file, or reports an error, between here and the end.
        std::mem::forget(fleeting);
    }
}

impl Fleeting {
    /// Takes charge of a path, at which there may be nothing yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        if let Some(hook) = BEFORE.get() {
            hook();
        }
        if let Ok(mut fleeting) = FLEETING.lock() {
            fleeting.push(path.clone());
        }
        Self { path }
    }

    /// What is at the path now stays there, or was never ours.
    pub(crate) fn stays(self) {
        self.unregister();
        std::mem::forget(self);
    }

    fn unregister(&self) {
        if let Ok(mut fleeting) = FLEETING.lock() {
            fleeting.retain(|path| *path != self.path);
        }
    }
}

impl Drop for Fleeting {
    fn drop(&mut self) {
        self.unregister();
        let _ = std::fs::remove_file(&self.path);
    }
}
