//! What a path is: a Maildir, an mbox, a folder or a single message.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

pub(super) mod look;

use super::maildir::Subs;
use super::separators::Places;
use super::walk::is_eml;
use super::{ArchiveError, Refusal};
use crate::atomic_file::{AtomicFileError, Folder, Name};
use look::{Look, look};

/// Mail in files, found but not read.
#[derive(Debug, Clone)]
pub struct Archive {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) contents: Contents,
}

/// Where the messages are. What was found stays found: whoever renames it meanwhile leads nothing elsewhere.
#[derive(Debug, Clone)]
pub(super) enum Contents {
    Folder(Folder),
    /// A file in a folder.
    File(Folder, Name),
}

/// What kind of archive a path is. Maildirs are also found in folders, and folders in Maildirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A folder with `cur` and `new`, or with `cur` alone if what is in it is named as in a Maildir.
    Maildir,
    /// Another folder: messages and mboxes as far as they are recognised, and Maildirs, also further below.
    Folder,
    /// A file that begins with a line `From …`, or an empty one: mboxo or mboxrd.
    Mbox,
    /// A file that ends in .eml, or that holds a message.
    Message,
}

impl Archive {
    /// Looks what `path` is.
    ///
    /// # Errors
    /// [`ArchiveError`]: it is not there, no mail, or an mbox behind a link.
    pub fn find(path: &Path) -> Result<Self, ArchiveError> {
        let (kind, contents) = match Folder::open_typed(path) {
            Ok(folder) => match Subs::open(&folder) {
                Some(_) => (Kind::Maildir, Contents::Folder(folder)),
                None => (Kind::Folder, Contents::Folder(folder)),
            },
            Err(AtomicFileError::System { source, .. })
                if source.kind() == ErrorKind::NotADirectory =>
            {
                let (folder, name) = Folder::of_typed(path)?;
                (kind(&folder, &name, path)?, Contents::File(folder, name))
            }
            Err(AtomicFileError::System { source, .. }) => {
                return Err(Refusal::to("find", path)(source).into());
            }
            Err(error) => return Err(error.into()),
        };
        let path = path.to_path_buf();
        Ok(Self {
            path,
            kind,
            contents,
        })
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

fn kind(folder: &Folder, name: &Name, path: &Path) -> Result<Kind, ArchiveError> {
    let seen = folder.look(name).map_err(Refusal::to("find", path))?;
    match seen.kind() {
        FileType::Symlink if !is_eml(path) => return Err(ArchiveError::Link(path.to_path_buf())),
        // A link is skipped with its reason, where messages are.
        FileType::RegularFile | FileType::Symlink if is_eml(path) => return Ok(Kind::Message),
        FileType::RegularFile => {}
        _ => return Err(ArchiveError::NotMail(path.to_path_buf())),
    }
    let file = folder.open(name, &seen, OFlags::RDONLY);
    let file = file.map_err(Refusal::to("open", path))?;
    let length = file.metadata().map_err(Refusal::to("look at", path))?.len();
    let places = Places::new(&file, length).map_err(Refusal::to("read", path))?;
    if places.is_some() {
        return Ok(Kind::Mbox);
    }
    match look(path, &file).map_err(Refusal::to("read", path))? {
        Look::Message => Ok(Kind::Message),
        Look::Left(skip) => Err(ArchiveError::Left(path.to_path_buf(), skip)),
        Look::Mbox | Look::Other => Err(ArchiveError::NotMail(path.to_path_buf())),
    }
}
