//! The originals of messages: stored at the same path below another folder, durable before the form in the archive is removed.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD};
use rustix::io::Errno;

use super::file_range::FileRange;
use super::form::{MODE_MAX, Source, copy_attributes};
use super::{Archive, ArchiveError, Kind, MessageError, Refusal};
use crate::atomic_file::{AtomicFile, AtomicFileError, Existing, FileMode, discard_leftovers};

/// Bytes that are compared at once.
const BUFFER_BYTES: usize = 1 << 16;

/// How many originals of one mbox are stored side by side.
const VERSIONS_MAX: u32 = 10_000;

/// The folder for originals of one archive.
#[derive(Debug)]
pub(super) struct Originals<'a> {
    archive: &'a Archive,
    /// The folder that paths are taken from: the archive, or the one that it lies in as a single file.
    from: &'a Path,
    root: &'a Path,
    /// Folders that exist and from which the temporary files of killed runs were removed.
    ready: Mutex<HashSet<PathBuf>>,
}

/// Why an original is not stored.
#[derive(Debug)]
pub(super) enum StoreError {
    Different(PathBuf),
    File(AtomicFileError),
    Refusal(Refusal),
}

impl<'a> Originals<'a> {
    pub(super) fn new(archive: &'a Archive, originals: &'a Path) -> Self {
        let from = match archive.kind {
            Kind::Maildir | Kind::Folder => &archive.path,
            Kind::Mbox | Kind::Message => parent(&archive.path),
        };
        Self {
            archive,
            from,
            root: originals,
            ready: Mutex::default(),
        }
    }

    /// Refuses a folder inside the archive, whose originals would be messages of the archive, or the messages themselves.
    pub(super) fn check(&self) -> Result<(), ArchiveError> {
        make_folders(self.root)?;
        let real = |path: &Path| fs::canonicalize(path).map_err(Refusal::to("find", path));
        let (originals, from) = (real(self.root)?, real(self.from)?);
        let is_inside = match self.archive.kind {
            Kind::Maildir | Kind::Folder => originals.starts_with(from),
            Kind::Mbox | Kind::Message => originals == from,
        };
        match is_inside {
            true => Err(ArchiveError::OriginalsInside(self.root.to_path_buf())),
            false => Ok(()),
        }
    }

    /// Stores what is at `path` of the archive now. If a run that was killed has stored it already, nothing is done.
    pub(super) fn store(&self, source: &Source, path: &Path) -> Result<(), StoreError> {
        let mut last = PathBuf::new();
        for target in self.targets(path) {
            match self.store_at(source, path, &target) {
                Err(StoreError::Different(target)) => last = target,
                stored => return stored,
            }
        }
        Err(StoreError::Different(last))
    }

    fn store_at(&self, source: &Source, path: &Path, target: &Path) -> Result<(), StoreError> {
        let folder = parent(target);
        self.make_ready(folder)?;
        match link(&source.file, target) {
            Ok(()) => {}
            Err(Errno::EXIST) if is_stored(source, target)? => {}
            Err(Errno::EXIST) => return Err(StoreError::Different(target.to_path_buf())),
            // Another device, a file that is not ours, or a file system without links.
            Err(_) => return copy(source, target),
        }
        source.file.sync_all().map_err(Refusal::to("sync", path))?;
        Ok(sync_folder(folder)?)
    }

    fn make_ready(&self, folder: &Path) -> Result<(), Refusal> {
        // Locked meanwhile, so that no other thread writes there before it is clean.
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(folder) {
            make_folders(folder)?;
            discard_leftovers(folder).map_err(Refusal::to("clean", folder))?;
            ready.insert(folder.to_path_buf());
        }
        Ok(())
    }

    /// How many names the file has because it is stored as an original.
    pub(super) fn names(&self, source: &Source, path: &Path) -> u64 {
        let mut stored = self.targets(path).take_while(|target| target.exists());
        u64::from(stored.any(|target| source.is_at(&target)))
    }

    /// Where the original goes. An mbox grows and is sealed again: each time it is another original, with a number.
    fn targets(&self, path: &Path) -> impl Iterator<Item = PathBuf> + use<> {
        let first = self.root.join(path.strip_prefix(self.from).unwrap_or(path));
        let versions = match self.archive.kind {
            Kind::Mbox => VERSIONS_MAX,
            Kind::Maildir | Kind::Folder | Kind::Message => 1,
        };
        let numbered = (2..=versions).map({
            let first = first.clone();
            move |version| {
                let mut name = first.clone().into_os_string();
                name.push(format!(".{version}"));
                PathBuf::from(name)
            }
        });
        std::iter::once(first).chain(numbered)
    }
}

/// Links the very file that is open, whatever its name is now.
fn link(file: &File, target: &Path) -> Result<(), Errno> {
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::linkat(CWD, open, CWD, target, AtFlags::SYMLINK_FOLLOW)
}

fn is_stored(source: &Source, target: &Path) -> Result<bool, Refusal> {
    if source.is_at(target) {
        // With one name only, a link among the folders has led us back into the archive.
        let names = source
            .file
            .metadata()
            .map_err(Refusal::to("look at", target))?;
        return Ok(names.nlink() > 1);
    }
    let is_file = fs::symlink_metadata(target)
        .is_ok_and(|stored| stored.is_file() && stored.len() == source.metadata.len());
    let same = || same_bytes(FileRange::all(&source.file), File::open(target)?);
    Ok(is_file && same().map_err(Refusal::to("compare", target))?)
}

/// Whether two readers give the same bytes.
fn same_bytes(mut one: impl Read, mut two: impl Read) -> io::Result<bool> {
    let mut ones = Vec::with_capacity(BUFFER_BYTES);
    let mut twos = Vec::with_capacity(BUFFER_BYTES);
    loop {
        ones.clear();
        twos.clear();
        one.by_ref()
            .take(BUFFER_BYTES as u64)
            .read_to_end(&mut ones)?;
        two.by_ref()
            .take(BUFFER_BYTES as u64)
            .read_to_end(&mut twos)?;
        if ones != twos || ones.is_empty() {
            return Ok(ones == twos);
        }
    }
}

fn copy(source: &Source, target: &Path) -> Result<(), StoreError> {
    let begun = AtomicFile::create(target, FileMode::OwnerOnly, Existing::Keep);
    let mut file = match begun {
        Err(AtomicFileError::Exists(_)) if is_stored(source, target)? => return Ok(()),
        Err(AtomicFileError::Exists(target)) => return Err(StoreError::Different(target)),
        begun => begun.map_err(StoreError::File)?,
    };
    io::copy(&mut FileRange::all(&source.file), &mut file).map_err(Refusal::to("write", target))?;
    copy_attributes(file.file(), &source.metadata, MODE_MAX)
        .map_err(Refusal::to("set mode and time of", target))?;
    file.commit().map_err(StoreError::File)
}

/// Makes a folder that only its owner enters, with those above it, and their names durable.
fn make_folders(folder: &Path) -> Result<(), Refusal> {
    let mut missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
        .collect();
    while let Some(folder) = missing.pop() {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Refusal::to("make the folder", folder)(error));
            }
            _ => sync_folder(parent(folder))?,
        }
    }
    Ok(())
}

/// The folder that `path` is in.
pub(super) fn parent(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Refusal> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Refusal::to("sync the folder", folder))
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl<E: std::error::Error> From<StoreError> for MessageError<E> {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Different(path) => Self::OriginalDiffers(path),
            StoreError::File(error) => Self::File(error),
            StoreError::Refusal(refusal) => refusal.into(),
        }
    }
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Different(path) => Self::OriginalDiffers(path),
            StoreError::File(error) => Self::File(error),
            StoreError::Refusal(refusal) => refusal.into(),
        }
    }
}
