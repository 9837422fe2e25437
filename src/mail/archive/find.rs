//! What a path is: a Maildir, an mbox, a folder or a single message.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::separators::Places;
use super::walk::{is_eml, is_maildir};
use super::{ArchiveError, Refusal};

/// Mail in files, found but not read.
#[derive(Debug, Clone)]
pub struct Archive {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

/// What kind of archive a path is. Maildirs are also found in folders, and folders in Maildirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder with `cur` and `new`.
    Maildir,
    /// Another folder: files that end in .eml, and Maildirs, also further below.
    Folder,
    /// A file that begins with a line `From …`, or an empty one: mboxo or mboxrd.
    Mbox,
    /// A file that ends in .eml.
    Message,
}

impl Archive {
    /// Looks what `path` is.
    ///
    /// # Errors
    /// [`ArchiveError`]: it is not there, no mail, or an mbox behind a link.
    pub fn find(path: &Path) -> Result<Self, ArchiveError> {
        let kind = kind(path)?;
        let path = path.to_path_buf();
        Ok(Self { path, kind })
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn kind(path: &Path) -> Result<Kind, ArchiveError> {
    let metadata = fs::metadata(path).map_err(Refusal::to("find", path))?;
    if metadata.is_dir() {
        return Ok(match is_maildir(path) {
            true => Kind::Maildir,
            false => Kind::Folder,
        });
    }
    if !metadata.is_file() {
        return Err(ArchiveError::NotMail(path.to_path_buf()));
    }
    if is_eml(path) {
        return Ok(Kind::Message);
    }
    let file = File::open(path).map_err(Refusal::to("open", path))?;
    let places = Places::new(&file, metadata.len()).map_err(Refusal::to("read", path))?;
    match places {
        None => Err(ArchiveError::NotMail(path.to_path_buf())),
        Some(_) if path.is_symlink() => Err(ArchiveError::Link(path.to_path_buf())),
        Some(_) => Ok(Kind::Mbox),
    }
}
