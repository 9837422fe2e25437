//! What lies below a folder: envelopes, known by their name or by how they begin, and everything else. Links are not followed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use crate::atomic_file::{AtomicFileError, Folder, Name, is_temporary};
use crate::envelope::Envelope;

/// Why a file or folder could not be looked into.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read", path.display())]
pub struct WalkError {
    /// The file or folder.
    pub path: PathBuf,
    /// The reason.
    pub source: io::Error,
}

/// What lies below a folder, in the order of the paths.
#[derive(Debug)]
pub struct FoundFiles {
    /// The folder, open: what was found is opened below it, whatever is renamed meanwhile.
    pub root: Folder,
    /// Everything but folders: where it is below the root, and what it is.
    pub files: Vec<(PathBuf, EntryKind)>,
}

/// What something below a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file that is named like an envelope.
    Named,
    /// A file with another name that begins like an envelope.
    Envelope,
    /// Another file.
    Plain,
    /// A file that another run of this program works on, or that a killed one left.
    Temporary,
    /// A symbolic link.
    Link,
    /// A device, pipe or socket.
    Special,
}

/// The envelopes below a folder, in the order of their paths.
#[derive(Debug)]
pub struct FoundEnvelopes {
    /// The folder, open: what was found is opened below it, whatever is renamed meanwhile.
    pub root: Folder,
    /// Where they are below it.
    pub paths: Vec<PathBuf>,
    /// Links that are named like an envelope, or lead to a folder: there may be envelopes behind them.
    pub links: Vec<PathBuf>,
}

/// Every envelope below a typed folder. What cannot be looked into goes to `on_error`, and the rest goes on.
///
/// # Errors
/// Those of [`Folder::open_typed`].
pub fn envelopes_below(
    folder: &Path,
    on_error: impl FnMut(WalkError),
) -> Result<FoundEnvelopes, AtomicFileError> {
    let FoundFiles { root, files } = files_below(folder, on_error)?;
    let (mut paths, mut links) = (Vec::new(), Vec::new());
    for (path, kind) in files {
        match kind {
            EntryKind::Named | EntryKind::Envelope => paths.push(path),
            EntryKind::Link if is_named(&path) || may_be_folder(&root, &path) => links.push(path),
            EntryKind::Link | EntryKind::Plain | EntryKind::Temporary | EntryKind::Special => {}
        }
    }
    Ok(FoundEnvelopes { root, paths, links })
}

/// Everything below a typed folder but folders, whose contents are listed instead. What cannot be looked into goes to `on_error`,
/// and the rest goes on.
///
/// # Errors
/// Those of [`Folder::open_typed`].
pub fn files_below(
    folder: &Path,
    on_error: impl FnMut(WalkError),
) -> Result<FoundFiles, AtomicFileError> {
    let root = Folder::open_typed(folder)?;
    let mut walk = Walk {
        found: Vec::new(),
        on_error,
    };
    walk.enter(&root, Path::new(""));
    Ok(FoundFiles {
        root,
        files: walk.found,
    })
}

/// Opens a file that was found for reading. No link on the way is followed.
///
/// # Errors
/// What the system says.
pub fn open_found(root: &Folder, within: &Path) -> io::Result<File> {
    let folder = root.descend(within.parent().unwrap_or(Path::new("")))?;
    let name = within.file_name().and_then(Name::new);
    Ok(folder.read(&name.ok_or(Errno::INVAL)?, OFlags::RDONLY)?)
}

/// Whether a file that was found begins like an envelope.
///
/// # Errors
/// What the system says.
pub fn begins_like_envelope(root: &Folder, within: &Path) -> io::Result<bool> {
    begins(open_found(root, within)?)
}

struct Walk<F> {
    found: Vec<(PathBuf, EntryKind)>,
    on_error: F,
}

impl<F: FnMut(WalkError)> Walk<F> {
    fn enter(&mut self, folder: &Folder, within: &Path) {
        let entries = folder.entries().and_then(Iterator::collect);
        let mut entries: Vec<_> = match entries {
            Ok(entries) => entries,
            Err(error) => return self.failed(folder.path().to_path_buf(), error),
        };
        entries.sort_unstable_by(|one, two| one.name.cmp(&two.name));
        for entry in entries {
            let name = &entry.name;
            let path = within.join(name.as_os_str());
            match entry.kind {
                FileType::Directory => match folder.below(name) {
                    Ok(below) => self.enter(&below, &path),
                    Err(error) => self.failed(folder.path_of(name), error),
                },
                FileType::RegularFile => match kind(folder, name) {
                    Ok(kind) => self.found.push((path, kind)),
                    Err(error) => self.failed(folder.path_of(name), error),
                },
                FileType::Symlink => self.found.push((path, EntryKind::Link)),
                _ => self.found.push((path, EntryKind::Special)),
            }
        }
    }

    fn failed(&mut self, path: PathBuf, source: impl Into<io::Error>) {
        let source = source.into();
        (self.on_error)(WalkError { path, source });
    }
}

fn kind(folder: &Folder, name: &Name) -> io::Result<EntryKind> {
    if is_temporary(name.as_os_str()) {
        return Ok(EntryKind::Temporary);
    }
    // It counts as an envelope, and is damaged if it does not begin like one.
    if is_named(Path::new(name.as_os_str())) {
        return Ok(EntryKind::Named);
    }
    let file = folder.read(name, OFlags::RDONLY)?;
    Ok(match begins(file)? {
        true => EntryKind::Envelope,
        false => EntryKind::Plain,
    })
}

/// Whether a link leads to a folder, or to where another user may have led it.
fn may_be_folder(root: &Folder, within: &Path) -> bool {
    let opened = Folder::open_typed(&root.path().join(within));
    matches!(opened, Ok(_) | Err(AtomicFileError::ForeignLink(_)))
}

fn is_named(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "encl")
}

fn begins(file: File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(32).read_to_end(&mut head)?;
    Ok(Envelope::looks_like(&head))
}
