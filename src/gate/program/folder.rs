//! The folder of a gate: where its files are, and that only one program serves it.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use encl::atomic_file::{AtomicFile, Existing, FileMode};
use encl::gate::card::GateCard;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// No file beside the database is longer.
const FILE_BYTES_MAX: u64 = 320 << 10;

/// So often is the lock tried, with a pause in between: two seconds.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The folder of a gate.
#[derive(Debug, Clone)]
pub(crate) struct Dir(PathBuf);

impl Dir {
    /// The folder of a gate that was made before.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let dir = Self(path.to_owned());
        match dir.keys().is_file() {
            true => Ok(dir),
            false => Err(
                Failure::file("open", path, "it is not the folder of a gate")
                    .hint("`encl-gate init` makes one"),
            ),
        }
    }

    /// A new folder, only for its owner; an empty one is taken.
    pub(crate) fn make(path: &Path) -> Result<Self, Failure> {
        let made = DirBuilder::new().mode(0o700).create(path);
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => take_empty(path)?,
            made => made.map_err(|error| Failure::file("make", path, error))?,
        }
        Ok(Self(path.to_owned()))
    }

    /// The private keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The card, as it is given to users.
    pub(crate) fn card_path(&self) -> PathBuf {
        self.0.join("card")
    }

    /// The log and all that statements say.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("gate.db")
    }

    /// The last checkpoint, beside the database: what the database has to continue.
    pub(crate) fn head(&self) -> PathBuf {
        self.0.join("head")
    }

    /// Where the old log is put when a new one begins: the first name is the usual one, the others are for copies of the same log that
    /// was put back in between.
    pub(crate) fn archive(&self, log: u64, copy: u32) -> PathBuf {
        match copy {
            1 => self.0.join(format!("gate-{log}.db")),
            copy => self.0.join(format!("gate-{log}-{copy}.db")),
        }
    }

    /// All old logs.
    pub(crate) fn archives(&self) -> Result<Vec<PathBuf>, Failure> {
        let failure = |error| Failure::file("read", &self.0, error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failure)? {
            let path = entry.map_err(failure)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let is_old = name.is_some_and(|name| name.starts_with("gate-"));
            if is_old && path.extension().is_some_and(|end| end == "db") {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// What `restore` and `thaw` left of copies when they were killed. The lock `changing` is held, so none of them is being made.
    pub(crate) fn leftovers(&self) -> Result<Vec<PathBuf>, Failure> {
        let failure = |error| Failure::file("read", &self.0, error);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(failure)? {
            let path = entry.map_err(failure)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let is_copy = |name: &str| {
                let of_database = name.starts_with(".gate.") && name.contains(".restored");
                of_database || name.starts_with(".gate-") && name.contains(".part")
            };
            if name.is_some_and(is_copy) {
                found.push(path);
            }
        }
        Ok(found)
    }

    /// The card.
    pub(crate) fn card(&self) -> Result<GateCard, Failure> {
        let path = self.card_path();
        let text = read(&path)?;
        GateCard::from_text(&text).map_err(|error| Failure::file("read", &path, error))
    }

    /// Held while keys, card and checkpoint are changed or compared, so that no command finds the half of what another one does. Waits.
    pub(crate) fn change_lock(&self) -> Result<File, Failure> {
        let path = self.0.join("changing");
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| Failure::file("open", &path, error))?;
        file.lock()
            .map_err(|error| Failure::file("lock", &path, error))?;
        Ok(file)
    }

    /// Held by the one program that serves this folder, until it ends. Waits a little: whoever starts a program again does so before
    /// the system has taken away all of one that was killed.
    pub(crate) fn serve_lock(&self) -> Result<File, Failure> {
        for _ in 0..LOCK_TRIES {
            if let Ok(lock) = self.try_serve_lock() {
                return Ok(lock);
            }
            thread::sleep(LOCK_PAUSE);
        }
        self.try_serve_lock()
    }

    /// The same without waiting.
    pub(crate) fn try_serve_lock(&self) -> Result<File, Failure> {
        let path = self.0.join("serving");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = file.map_err(|error| Failure::file("open", &path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Failure::file(
                "serve",
                &self.0,
                "`encl-gate serve` runs for this folder already",
            )),
            Err(TryLockError::Error(error)) => Err(Failure::file("lock", &path, error)),
        }
    }
}

fn take_empty(path: &Path) -> Result<(), Failure> {
    let failure = |error| Failure::file("make", path, error);
    let mut entries = fs::read_dir(path).map_err(failure)?;
    if entries.next().is_some() {
        return Err(Failure::file("make", path, "it exists and is not empty"));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failure)
}

/// Reads a small file.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failure = |error| Failure::file("read", path, error);
    let file = File::open(path).map_err(failure)?;
    let length = file.metadata().map_err(failure)?.len().min(FILE_BYTES_MAX);
    let room = usize::try_from(length).unwrap_or(0) + 1;
    // Room for all: a buffer that grows leaves copies of secrets behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(failure)?;
    match bytes.len() as u64 <= FILE_BYTES_MAX {
        true => Ok(bytes),
        false => Err(Failure::file("read", path, "it is too long")),
    }
}

/// Writes a file that is complete under its name, or not there.
pub(crate) fn write(
    path: &Path,
    bytes: &[u8],
    mode: FileMode,
    existing: Existing,
) -> Result<(), Failure> {
    let begun = AtomicFile::create(path, mode, existing);
    let mut file = begun.map_err(|error| Failure::file("write", path, error))?;
    file.write_all(bytes)
        .map_err(|error| Failure::file("write", path, error))?;
    file.commit()
        .map_err(|error| Failure::file("write", path, error))
}
