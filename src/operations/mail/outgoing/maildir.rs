//! A sealed message stored in a Maildir.

use std::io::{self, Read};
use std::path::Path;

use rustix::io::Errno;

use crate::atomic_file::{
    AtomicFile, AtomicFileError, Existing, FileMode, Folder, ForeignFile, Name,
};
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
    /// Root would have to deliver where that is not safe.
    #[error(transparent)]
    Foreign(#[from] ForeignFile),
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
    let folder = match place {
        MaildirPlace::Seen => Folder::make_typed(maildir),
        MaildirPlace::New => open_or_make(maildir),
    };
    let folder = folder.map_err(not_a_folder)?.for_file(None)?;
    for name in ["cur", "new", "tmp"].map(Path::new) {
        folder.make_below(name).map_err(not_made)?;
    }
    let within = maildir_name(place, now, rng);
    let within = Path::new(&within);
    let below = folder.descend(within.parent().unwrap_or(Path::new("")));
    let name = within.file_name().and_then(Name::new);
    let name = name.expect("a new name ends in one component");
    let below = below.map_err(not_made)?;
    let owner = folder.owner().map_err(not_made)?;
    let below = below.for_new(owner)?;
    let mut file = below.create(&name, FileMode::OwnerOnly, Existing::Keep)?;
    io::copy(message, &mut file).map_err(MaildirError::Copy)?;
    Ok(PendingDelivery(file))
}

/// The Maildir itself is made where it is missing, and nothing above it.
fn open_or_make(maildir: &Path) -> Result<Folder, AtomicFileError> {
    let missing = match Folder::open_typed(maildir) {
        Err(AtomicFileError::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            source
        }
        opened => return opened,
    };
    let system = |source| AtomicFileError::System {
        action: "make the folder",
        path: maildir.to_path_buf(),
        source,
    };
    let Some(name) = maildir.file_name().and_then(Name::new) else {
        return Err(system(missing));
    };
    let above = Folder::open_typed(maildir.parent().unwrap_or(Path::new("")))?;
    let made = match above.for_file(None) {
        Ok(above) => above.make(&name).and_then(|()| above.below(&name)),
        Err(_) => Err(Errno::PERM),
    };
    made.map_err(|error| system(error.into()))
}

fn not_a_folder(error: AtomicFileError) -> MaildirError {
    match error {
        AtomicFileError::System { source, .. } => not_made(source),
        error => MaildirError::File(error),
    }
}

fn not_made(error: impl Into<io::Error>) -> MaildirError {
    let error = error.into();
    match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => MaildirError::NotAFolder,
        _ => MaildirError::Copy(error),
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
