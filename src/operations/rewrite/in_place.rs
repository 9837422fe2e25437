//! One envelope brought up to date in its file: the old one stays as it is until the new one is complete and on disk.

use std::io::{self, Seek, Write};
use std::path::Path;

use super::update::{AccessUpdate, ResealForm, UpdateError};
use super::wish::PlannedUpdate;
use crate::atomic_file::{AtomicFileError, Folder, Lock, ReplaceError, ReplacedFile};
use crate::crypto::CryptoRng;
use crate::envelope::{Action, Envelope, OpenError, RewriteError, Workers};
use crate::operations::keys::TypedPassphrase;
use crate::operations::open::{OpenFailure, Opener, RewriteFailure};
use crate::operations::seal::Encoding;

/// Why an envelope in a file was not brought up to date. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum InPlaceError {
    /// The file cannot be replaced where it is.
    #[error(transparent)]
    Replace(#[from] ReplaceError),
    /// The envelope does not open.
    #[error(transparent)]
    Open(#[from] OpenFailure),
    /// It is damaged further on.
    #[error(transparent)]
    Read(OpenError),
    /// It cannot be changed as wished.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// A new passphrase is needed, which this function does not ask for.
    #[error("it is protected by a passphrase, which has to be replaced")]
    NeedsPassphrase,
    /// The new file could not be created.
    #[error(transparent)]
    NotCreated(#[from] AtomicFileError),
    /// The new file could not be written.
    #[error("it cannot be written")]
    NotWritten(#[source] io::Error),
}

impl From<RewriteFailure> for InPlaceError {
    fn from(failure: RewriteFailure) -> Self {
        match failure {
            RewriteFailure::Open(failure) => Self::Open(failure),
            RewriteFailure::Rewrite(error) => Self::Update(UpdateError::Rewrite(error)),
        }
    }
}

/// Opens the envelope at a relative path below a folder, compares it with the wish, and writes what differs in its place.
/// Nobody is removed of whom [`PlannedUpdate::unmeant`] doubts that they are meant.
///
/// # Errors
/// [`InPlaceError`]; the file is as it was then.
pub fn update_file(
    root: &Folder,
    within: &Path,
    update: &AccessUpdate<'_>,
    opener: &Opener<'_>,
    rng: &mut dyn CryptoRng,
) -> Result<PlannedUpdate, InPlaceError> {
    let old = ReplacedFile::open_below(root, within, Lock::Take)?;
    let mut source = old.file().map_err(InPlaceError::NotWritten)?;
    let path = root.path().join(within);
    let name = path.to_string_lossy();
    let mut typed = TypedPassphrase::default();
    let envelope = Envelope::read(&source).map_err(OpenFailure::Unreadable)?;
    let encoding = match envelope.is_armored() {
        true => Encoding::Armor,
        false => Encoding::Binary,
    };
    let content = opener.unlock(&name, envelope, &mut typed)?;
    let planned = update.plan(content.metadata())?;
    if !planned.unmeant.is_empty() {
        return Err(UpdateError::Unmeant(planned.unmeant).into());
    }
    match planned.action {
        Action::Nothing | Action::Drop => return Ok(planned),
        // Nothing is added to what was tampered with.
        Action::Add => {
            let checked = content.copy_to(&mut io::sink(), Workers::Processors);
            checked.map_err(InPlaceError::Read)?;
        }
        Action::Reseal if planned.needs_passphrase => return Err(InPlaceError::NeedsPassphrase),
        Action::Reseal => drop(content),
    }
    source.rewind().map_err(InPlaceError::NotWritten)?;
    let mut file = old.successor()?;
    if planned.action == Action::Add {
        let mut rewriting = opener.rewrite(&name, &source, &mut typed)?;
        update.add(&planned, &mut rewriting, opener.keys(), rng)?;
        let rewritten = rewriting.finish().map_err(UpdateError::Rewrite)?;
        rewritten.copy_to(&mut file).map_err(not_copied)?;
    } else {
        let envelope = Envelope::read(&source).map_err(OpenFailure::Unreadable)?;
        let content = opener.unlock(&name, envelope, &mut typed)?;
        let form = ResealForm {
            passphrase: None,
            encoding,
            workers: Workers::Processors,
        };
        update.reseal(&planned, content, opener.keys(), &form, &mut file, rng)?;
    }
    file.flush().map_err(InPlaceError::NotWritten)?;
    old.replace(file)?;
    Ok(planned)
}

fn not_copied(error: OpenError) -> InPlaceError {
    match error {
        OpenError::Write(error) => InPlaceError::NotWritten(error),
        error => InPlaceError::Update(UpdateError::Rewrite(RewriteError::Open(error))),
    }
}
