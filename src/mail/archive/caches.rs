//! Dovecot's cache beside a Maildir's messages, which keeps their subjects and more in the clear.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::walk::{is_maildir, list};
use super::{Archive, ArchiveError, Kind};

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
        let mut pending = match self.kind {
            Kind::Maildir | Kind::Folder => vec![self.path.clone()],
            Kind::Mbox | Kind::Message => Vec::new(),
        };
        let mut purged = Vec::new();
        while let Some(folder) = pending.pop() {
            let (below, _) = list(&folder)?;
            pending.extend(below.into_iter().rev());
            let path = folder.join(CACHE);
            if is_maildir(&folder) {
                match fs::remove_file(&path) {
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    removed => purged.push(Purged { path, removed }),
                }
            }
        }
        Ok(purged)
    }
}
