//! The envelopes below a folder: known by their name, or by how they begin. Links are not followed.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

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

/// The envelopes below a folder, in the order of their paths.
#[derive(Debug)]
pub struct FoundEnvelopes {
    /// The folder, open: what was found is opened below it, whatever is renamed meanwhile.
    pub root: Folder,
    /// Where they are below it.
    pub paths: Vec<PathBuf>,
}

/// Every envelope below a typed folder. What cannot be looked into goes to `on_error`, and the rest goes on.
///
/// # Errors
/// Those of [`Folder::open_typed`].
pub fn envelopes_below(
    folder: &Path,
    on_error: impl FnMut(WalkError),
) -> Result<FoundEnvelopes, AtomicFileError> {
    let root = Folder::open_typed(folder)?;
    let mut walk = Walk {
        found: Vec::new(),
        on_error,
    };
    walk.enter(&root, Path::new(""));
    Ok(FoundEnvelopes {
        root,
        paths: walk.found,
    })
}

struct Walk<F> {
    found: Vec<PathBuf>,
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
                FileType::RegularFile if !is_temporary(name.as_os_str()) => {
                    match is_envelope(folder, name) {
                        Ok(true) => self.found.push(path),
                        Ok(false) => {}
                        Err(error) => self.failed(folder.path_of(name), error),
                    }
                }
                _ => {}
            }
        }
    }

    fn failed(&mut self, path: PathBuf, source: impl Into<io::Error>) {
        let source = source.into();
        (self.on_error)(WalkError { path, source });
    }
}

/// A file that is named like an envelope counts as one, and is damaged if it does not begin like one.
fn is_envelope(folder: &Folder, name: &Name) -> io::Result<bool> {
    if Path::new(name.as_os_str())
        .extension()
        .is_some_and(|end| end == "encl")
    {
        return Ok(true);
    }
    let mut head = Vec::new();
    let file = folder.read(name, OFlags::RDONLY)?;
    file.take(32).read_to_end(&mut head)?;
    Ok(Envelope::looks_like(&head))
}
