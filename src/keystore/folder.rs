//! Files and folders of the keystore: private, bounded, durable.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::{Keystore, KeystoreError};
use crate::atomic_file::{AtomicFile, Existing, FileMode};

/// No file of the keystore is longer: a card has at most 256 KiB of text.
const FILE_BYTES_MAX: u64 = 320 << 10;

/// So often is a lock tried, with a pause in between: 30 seconds.
const LOCK_TRIES: u32 = 600;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The lock of the writers, of the keystore first and then of the machine's state; released when dropped, or when the process
/// ends.
pub(super) struct WriteLock {
    _keystore: File,
    /// None where nothing can be remembered.
    pub(super) state: Option<StateLock>,
}

/// The lock of those who write to the state of this machine.
pub(super) struct StateLock {
    _file: File,
}

impl StateLock {
    /// Makes the folder if need be and waits for the lock.
    pub(super) fn take(state: &Path) -> Result<Self, KeystoreError> {
        if let Some(parent) = state.parent() {
            fs::create_dir_all(parent)
                .map_err(|error| KeystoreError::system("make", parent, error))?;
        }
        make_folder(state)?;
        let file = hold(&state.join("lock"))?;
        Ok(Self { _file: file })
    }

    /// Takes the lock of a state that exists, if nobody holds it.
    pub(super) fn try_take(state: &Path) -> Result<Option<Self>, KeystoreError> {
        let path = state.join("lock");
        let file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(KeystoreError::system("lock", &path, error)),
        }
    }
}

impl Keystore {
    /// Makes the keystore's folders if need be and waits for its writers' lock.
    pub(super) fn lock(&self) -> Result<WriteLock, KeystoreError> {
        // It may take the lock of the state for itself.
        let machine = self.machine_state()?;
        self.make_root()?;
        let keystore = hold(&self.root.join("lock"))?;
        let take = |state: &Path| -> Result<StateLock, KeystoreError> {
            let lock = StateLock::take(state)?;
            machine.begin(state)?;
            Ok(lock)
        };
        let state = match machine.folder.as_deref().map(take).transpose() {
            Ok(state) => state,
            Err(error) if error.is_read_only() => None,
            Err(error) => return Err(error),
        };
        Ok(WriteLock {
            _keystore: keystore,
            state,
        })
    }

    fn make_root(&self) -> Result<(), KeystoreError> {
        if let Some(parent) = self.root.parent() {
            fs::create_dir_all(parent)
                .map_err(|error| KeystoreError::system("make", parent, error))?;
        }
        make_folder(&self.root)?;
        check_root(&self.root)
    }

    fn check_root(&self) -> Result<(), KeystoreError> {
        match check_root(&self.root) {
            Err(KeystoreError::OpenToOthers { .. }) if self.is_examined => Ok(()),
            checked => checked,
        }
    }

    /// The entries of one of the keystore's folders; none if it is not there.
    pub(super) fn names_in(&self, folder: &str) -> Result<Vec<OsString>, KeystoreError> {
        if self.folder(folder)?.is_none() {
            return Ok(Vec::new());
        }
        names(&self.root.join(folder))
    }

    /// One of the keystore's folders, checked; `None` if it is not there.
    pub(super) fn folder(&self, folder: &str) -> Result<Option<Metadata>, KeystoreError> {
        let path = self.root.join(folder);
        self.check_root()?;
        match fs::symlink_metadata(&path) {
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(KeystoreError::system("read", &path, error)),
            Ok(metadata) => check_folder(&path, &metadata).map(|()| Some(metadata)),
        }
    }
}

/// Opens a file for locking and waits for the lock.
fn hold(path: &Path) -> Result<File, KeystoreError> {
    let failed = |error| KeystoreError::system("lock", path, error);
    let file = open_lock(path)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
    let inode = file.metadata().map_err(failed)?.ino();
    Err(KeystoreError::Locked {
        path: path.to_path_buf(),
        pid: holder(inode),
    })
}

fn open_lock(path: &Path) -> Result<File, KeystoreError> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .mode(0o600)
        .custom_flags(no_follow());
    let file = options.open(path);
    file.map_err(|error| KeystoreError::system("lock", path, error))
}

/// The process that holds the lock on a file, as the system lists it (proc(5), `/proc/locks`):
/// `1: FLOCK  ADVISORY  WRITE 4711 fd:00:1234 0 EOF`.
fn holder(inode: u64) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let of_file = locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is_lock = words.next() == Some("FLOCK");
        let pid = words.nth(2)?;
        let place = words.next()?.rsplit(':').next()?;
        (is_lock && place == inode.to_string()).then_some(pid)
    });
    of_file?.parse().ok()
}

/// The names in a folder, sorted; none if it is not there.
pub(super) fn names(path: &Path) -> Result<Vec<OsString>, KeystoreError> {
    let failed = |error| KeystoreError::system("read", path, error);
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    names.sort();
    Ok(names)
}

/// Nothing of that name, or below something that is no folder, such as a home of `/dev/null`.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Checks that the keystore is private. One that does not exist is.
pub(super) fn check_root(root: &Path) -> Result<(), KeystoreError> {
    match fs::metadata(root) {
        Ok(metadata) => check_folder(root, &metadata),
        Err(error) if is_missing(&error) => Ok(()),
        Err(error) => Err(KeystoreError::system("read", root, error)),
    }
}

pub(super) fn check_folder(path: &Path, metadata: &Metadata) -> Result<(), KeystoreError> {
    if !metadata.is_dir() {
        return Err(KeystoreError::NotA {
            due: "folder",
            path: path.to_path_buf(),
        });
    }
    check_private(path, metadata)
}

fn check_private(path: &Path, metadata: &Metadata) -> Result<(), KeystoreError> {
    let mode = metadata.mode() & 0o7777;
    // Nothing for group and others.
    if mode.trailing_zeros() >= 6 {
        Ok(())
    } else {
        Err(KeystoreError::OpenToOthers {
            path: path.to_path_buf(),
            mode,
        })
    }
}

/// Makes a folder that only its owner can enter, durably; one that is there is checked.
pub(super) fn make_folder(path: &Path) -> Result<(), KeystoreError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata =
                fs::metadata(path).map_err(|error| KeystoreError::system("read", path, error))?;
            check_folder(path, &metadata)
        }
        Err(error) => Err(KeystoreError::system("make", path, error)),
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), KeystoreError> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let synced = File::open(path).and_then(|folder| match rustix::fs::fsync(&folder) {
        // Some file systems have no such call for folders.
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        synced => Ok(synced?),
    });
    synced.map_err(|error| KeystoreError::system("sync", path, error))
}

/// Reads a whole file that only its owner may read; `None` if it is not there. Links are not followed.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeystoreError> {
    read_up_to(path, FILE_BYTES_MAX)
}

/// Reads a file like [`read`], with at most `max` bytes.
pub(super) fn read_up_to(
    path: &Path,
    max: u64,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeystoreError> {
    let failed = |error| KeystoreError::system("read", path, error);
    // O_NONBLOCK, so that a named pipe in the file's place cannot make us wait.
    let flags =
        no_follow() | i32::try_from(OFlags::NONBLOCK.bits()).expect("an open(2) flag is an int");
    let mut file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(KeystoreError::NotA {
                due: "regular file",
                path: path.to_path_buf(),
            });
        }
        Err(error) => return Err(failed(error)),
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(KeystoreError::NotA {
            due: "regular file",
            path: path.to_path_buf(),
        });
    }
    check_private(path, &metadata)?;
    if metadata.len() > max {
        return Err(KeystoreError::damaged(path, &"it is too long"));
    }
    // Room for all from the start: a buffer that grows leaves copies of secrets behind.
    let room = usize::try_from(metadata.len()).expect("at most 64 MiB");
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    (&mut file)
        .take(metadata.len())
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(Some(bytes))
}

/// Writes a whole file that only its owner may read.
pub(super) fn write(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), KeystoreError> {
    let mut file = AtomicFile::create(path, FileMode::OwnerOnly, existing)?;
    file.write_all(bytes)
        .map_err(|error| KeystoreError::system("write", path, error))?;
    Ok(file.commit()?)
}

/// Removes a file, durably; `false` if it was not there.
pub(super) fn remove(path: &Path) -> Result<bool, KeystoreError> {
    match fs::remove_file(path) {
        Ok(()) => path
            .parent()
            .map_or(Ok(true), |folder| sync_folder(folder).map(|()| true)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(KeystoreError::system("remove", path, error)),
    }
}

fn no_follow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).expect("an open(2) flag is an int")
}
