//! Putting one sealed message into a Maildir.

use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use encl::atomic_file::{AtomicFile, AtomicFileError, Existing, FileMode};
use encl::mail::{MaildirPlace, maildir_name};

use crate::cli::context::Context;
use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::terminal::shown;

/// A message that lies in the Maildir's file system, complete but without a name yet.
pub(crate) struct PendingDelivery<'a> {
    file: AtomicFile,
    maildir: &'a Path,
}

/// Copies `message` there. The Maildir is made if need be; of my own sent mail also the folders around it, but not at delivery:
/// where those are missing, a disk may be.
pub(crate) fn place<'a>(
    maildir: &'a Path,
    place: MaildirPlace,
    message: &mut dyn Read,
    context: &Context,
) -> Result<PendingDelivery<'a>, Failure> {
    let folders = ["cur", "new", "tmp"].map(|folder| maildir.join(folder));
    for folder in [maildir]
        .into_iter()
        .chain(folders.iter().map(PathBuf::as_path))
    {
        make(folder, place).map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => cannot(maildir)
                .reason("it is not a folder")
                .sysexit(Sysexit::CantCreate),
            _ => not_stored(maildir, &error),
        })?;
    }
    let name = maildir_name(place, context.now, &mut context.rng());
    let file = AtomicFile::create(&maildir.join(name), FileMode::OwnerOnly, Existing::Keep);
    let mut file = file.map_err(|error| not_made(maildir, &error))?;
    io::copy(message, &mut file).map_err(|error| not_stored(maildir, &error))?;
    Ok(PendingDelivery { file, maildir })
}

fn make(folder: &Path, place: MaildirPlace) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(place == MaildirPlace::Seen).mode(0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

impl PendingDelivery<'_> {
    /// Gives it its name, on disk.
    pub(crate) fn commit(self) -> Result<(), Failure> {
        let Self { file, maildir } = self;
        file.commit().map_err(|error| not_made(maildir, &error))
    }
}

fn cannot(maildir: &Path) -> Failure {
    let what = format!("cannot store the message in {}", shown(maildir));
    Failure::new(Exit::Failed, what).file(maildir)
}

fn not_stored(maildir: &Path, error: &io::Error) -> Failure {
    cannot(maildir)
        .reason(io_message(error))
        .sysexit(Sysexit::IoErr)
}

fn not_made(maildir: &Path, error: &AtomicFileError) -> Failure {
    cannot(maildir).caused_by(error).sysexit(Sysexit::IoErr)
}
