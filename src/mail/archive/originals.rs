//! The originals of messages: stored at the same path below another folder, durable before the form in the archive is removed.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::file_range::FileRange;
use super::find::Contents;
use super::form::{MODE_MAX, Source, copy_attributes};
use super::{Archive, ArchiveError, Kind, MessageError, Mode, Refusal};

use crate::atomic_file::{
    AtomicFileError, Existing, FileMode, Folder, LeftBy, Name, discard_leftovers,
};

/// Bytes that are compared at once.
const BUFFER_BYTES: usize = 1 << 16;

/// How many originals of one file are stored side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Versions {
    /// Of a message one: it is another file when it is another message.
    One,
    /// An mbox grows and is sealed again: each time it is another original, with a number.
    Many,
}
const VERSIONS_MAX: u32 = 10_000;

/// The folder for originals of one archive.
#[derive(Debug)]
pub(super) struct Originals<'a> {
    /// The path that others are taken from: the archive's, or that of the folder in which it lies as a single file.
    from: &'a Path,
    /// `None` in a dry run if there is none yet.
    root: Option<Folder>,
    /// Folders below it from which the temporary files of killed runs were removed.
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
    /// Opens or makes the folder. One inside the archive is refused: its originals would be messages of the archive, or the
    /// messages themselves.
    pub(super) fn open(
        archive: &'a Archive,
        originals: &Path,
        mode: Mode,
    ) -> Result<Self, ArchiveError> {
        let from = match archive.kind {
            Kind::Maildir | Kind::Folder => &archive.path,
            Kind::Mbox | Kind::Message => archive.path.parent().unwrap_or(Path::new("")),
        };
        let root = match mode {
            Mode::DryRun => Folder::open_typed(originals).ok(),
            Mode::Apply => {
                let root = Folder::make_typed(originals)?;
                let is_inside = match &archive.contents {
                    Contents::Folder(folder) => root.is_inside(folder),
                    Contents::File(folder, _) => {
                        root.id().and_then(|root| Ok(folder.id()? == root))
                    }
                };
                if is_inside.map_err(Refusal::to("find", originals))? {
                    return Err(ArchiveError::OriginalsInside(originals.to_path_buf()));
                }
                Some(root)
            }
        };
        Ok(Self {
            from,
            root,
            ready: Mutex::default(),
        })
    }

    /// Stores what is at `path` of the archive now. If a run that was killed has stored it already, nothing is done.
    pub(super) fn store(
        &self,
        source: &Source,
        path: &Path,
        versions: Versions,
    ) -> Result<(), StoreError> {
        let within = self.within(path);
        let above = within.parent().unwrap_or(Path::new(""));
        let folder = self.folder(above)?;
        let mut last = None;
        for name in names_for(within, versions) {
            match store_at(source, path, &folder, &name) {
                Err(StoreError::Different(target)) => last = Some(target),
                stored => return stored,
            }
        }
        Err(StoreError::Different(
            last.unwrap_or_else(|| path.to_path_buf()),
        ))
    }

    /// The folder at a path below the root, made and clean.
    fn folder(&self, within: &Path) -> Result<Folder, Refusal> {
        let root = self
            .root
            .as_ref()
            .expect("originals are stored in no dry run");
        let path = root.path().join(within);
        // Locked meanwhile, so that no other thread writes there before it is clean.
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = root.make_below(within);
        let folder = folder.map_err(Refusal::to("make the folder", &path))?;
        if !ready.contains(within) {
            discard_leftovers(&folder, LeftBy::Anybody).map_err(Refusal::to("clean", &path))?;
            ready.insert(within.to_path_buf());
        }
        Ok(folder)
    }

    /// How many names the file has because it is stored as an original.
    pub(super) fn names(&self, source: &Source, path: &Path, versions: Versions) -> u64 {
        let within = self.within(path);
        let above = within.parent().unwrap_or(Path::new(""));
        let root = self.root.as_ref();
        let Some(Ok(folder)) = root.map(|root| root.descend(above)) else {
            return 0;
        };
        let mut stored = names_for(within, versions).take_while(|name| folder.has(name));
        u64::from(stored.any(|name| source.is_at(&folder, &name)))
    }

    /// The path of a message below the archive.
    fn within<'p>(&self, path: &'p Path) -> &'p Path {
        path.strip_prefix(self.from).unwrap_or(path)
    }
}

/// What the original is called.
fn names_for(within: &Path, versions: Versions) -> impl Iterator<Item = Name> + use<> {
    let first = within.file_name().unwrap_or_default().to_owned();
    let last = match versions {
        Versions::One => 1,
        Versions::Many => VERSIONS_MAX,
    };
    let numbered = (2..=last).map({
        let first = first.clone();
        move |version| {
            let mut name = first.clone();
            name.push(format!(".{version}"));
            name
        }
    });
    std::iter::once(first).chain(numbered).filter_map(Name::new)
}

fn store_at(source: &Source, path: &Path, folder: &Folder, name: &Name) -> Result<(), StoreError> {
    // The very file that is open, whatever its name is now.
    match folder.link(&source.file, name) {
        Ok(()) => {}
        Err(Errno::EXIST) if is_stored(source, folder, name)? => {}
        Err(Errno::EXIST) => return Err(StoreError::Different(folder.path_of(name))),
        // Another device, a file that is not ours, or a file system without links.
        Err(_) => return copy(source, folder, name),
    }
    source.file.sync_all().map_err(Refusal::to("sync", path))?;
    Ok(sync_folder(folder)?)
}

fn is_stored(source: &Source, folder: &Folder, name: &Name) -> Result<bool, Refusal> {
    let target = folder.path_of(name);
    if source.is_at(folder, name) {
        // With one name only, a link among the folders has led us back into the archive.
        let names = source.file.metadata();
        let names = names.map_err(Refusal::to("look at", &target))?;
        return Ok(std::os::unix::fs::MetadataExt::nlink(&names) > 1);
    }
    let same = || {
        let stored = folder.read(name, OFlags::RDONLY)?;
        let metadata = stored.metadata()?;
        Ok::<_, io::Error>(
            metadata.is_file()
                && metadata.len() == source.metadata.len()
                && same_bytes(FileRange::all(&source.file), stored)?,
        )
    };
    match same() {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Ok(false),
        same => same.map_err(Refusal::to("compare", &target)),
    }
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

fn copy(source: &Source, folder: &Folder, name: &Name) -> Result<(), StoreError> {
    let target = &folder.path_of(name);
    let begun = folder.create(name, FileMode::OwnerOnly, Existing::Keep);
    let mut file = match begun {
        Err(AtomicFileError::Exists(_)) if is_stored(source, folder, name)? => return Ok(()),
        Err(AtomicFileError::Exists(target)) => return Err(StoreError::Different(target)),
        begun => begun.map_err(StoreError::File)?,
    };
    io::copy(&mut FileRange::all(&source.file), &mut file).map_err(Refusal::to("write", target))?;
    copy_attributes(file.file(), source, folder, MODE_MAX)
        .map_err(Refusal::to("set mode and time of", target))?;
    file.commit().map_err(StoreError::File)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Folder) -> Result<(), Refusal> {
    let synced = folder.sync();
    synced.map_err(Refusal::to("sync the folder", folder.path()))
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
