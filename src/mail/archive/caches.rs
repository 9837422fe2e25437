//! Dovecot's cache beside a Maildir's messages, which keeps their subjects and more in the clear.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

use super::find::Contents;
use super::maildir::Subs;
use super::walk::{Pending, list};
use super::{Archive, ArchiveError};
use crate::atomic_file::{Folder, Name};

const CACHE: &str = "dovecot.index.cache";

/// A cache that was to be removed.
#[derive(Debug)]
pub struct Purged {
    /// The file.
    pub path: PathBuf,
    /// Whether it is gone.
    pub removed: io::Result<()>,
}

impl Archive {
    /// Removes the cache of each Maildir. Dovecot makes a new one, of what stands in the sealed messages' headers then. Freed
    /// blocks and backups still hold the old one.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn purge_caches(&self) -> Result<Vec<Purged>, ArchiveError> {
        let mut pending = match &self.contents {
            Contents::Folder(folder) => vec![Pending::root(folder)],
            Contents::File(..) => Vec::new(),
        };
        let mut purged = Vec::new();
        while let Some(next) = pending.pop() {
            let folder = next.open()?;
            let subs = Subs::open(&folder);
            let (below, _) = list(&folder, subs.is_some())?;
            pending.extend(below.into_iter().rev());
            if subs.is_some() {
                purged.extend(purge(&folder));
            }
        }
        Ok(purged)
    }
}

fn purge(folder: &Folder) -> Option<Purged> {
    let name = Name::new(CACHE)?;
    let path = folder.path_of(&name);
    let seen = match folder.look(&name) {
        Err(Errno::NOENT) => return None,
        seen => seen,
    };
    let remove = || {
        let seen = seen?;
        let folder = folder.for_file(Some(seen.owner()));
        let removed = folder.map_err(io::Error::other)?.remove(&name, seen.id());
        Ok(removed?)
    };
    Some(Purged {
        path,
        removed: remove(),
    })
}
