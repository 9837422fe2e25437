//! A sealed message stored in a Maildir.

use std::fs::DirBuilder;
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::atomic_file::{AtomicFile, AtomicFileError, Existing, FileMode};
use crate::crypto::CryptoRng;
use crate::mail::{MaildirPlace, maildir_name};
use crate::time::Time;

/// A message that is in the file system of the Maildir, complete but without a name yet.
pub struct PendingDelivery(AtomicFile);

/// Why a message cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum MaildirError {
    /// The Maildir, or a folder in it, is something else.
    #[error("it is not a folder")]
    NotAFolder,
    /// A folder cannot be made, or the message not be copied.
    #[error("the message cannot be copied")]
    Copy(#[source] io::Error),
    /// The message's file cannot be made.
    #[error(transparent)]
    File(#[from] AtomicFileError),
}

/// Copies `message` into a Maildir, which is made if it does not exist. For [`MaildirPlace::Seen`], my own sent mail, the folders
/// around it are made too; not for a delivery, since where they are missing, a disk may not be mounted.
///
/// # Errors
/// [`MaildirError`].
pub fn place(
    maildir: &Path,
    place: MaildirPlace,
    message: &mut dyn Read,
    now: Time,
    rng: &mut dyn CryptoRng,
) -> Result<PendingDelivery, MaildirError> {
    let folders = ["cur", "new", "tmp"].map(|folder| maildir.join(folder));
    let folders = folders.iter().map(PathBuf::as_path);
    for folder in [maildir].into_iter().chain(folders) {
        make_folder(folder, place).map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => MaildirError::NotAFolder,
            _ => MaildirError::Copy(error),
        })?;
    }
    let name = maildir_name(place, now, rng);
    let mut file = AtomicFile::create(&maildir.join(name), FileMode::OwnerOnly, Existing::Keep)?;
    io::copy(message, &mut file).map_err(MaildirError::Copy)?;
    Ok(PendingDelivery(file))
}

fn make_folder(folder: &Path, place: MaildirPlace) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(place == MaildirPlace::Seen).mode(0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        created => created,
    }
}

impl PendingDelivery {
    /// Gives it its name, on disk.
    ///
    /// # Errors
    /// [`MaildirError::File`].
    pub fn commit(self) -> Result<(), MaildirError> {
        Ok(self.0.commit()?)
    }
}
