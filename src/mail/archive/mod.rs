//! Mail in files: Maildirs, mboxes and folders of messages, which are converted to their other form.
//!
//! A message has two *forms*, plain and sealed. A [`Transform`] makes one from the other and verifies it; nothing here knows
//! keys. One promise holds at every system call: a form is removed only when the other one is on disk under its name, was read
//! back from there and was verified. A run that was killed is finished by the next one.
//!
//! Messages that arrive during a run are left for the next. Symbolic links are not followed. Access control lists and
//! extended attributes are not carried over.

mod caches;
mod eml;
mod file_range;
mod find;
mod form;
mod lock;
mod maildir;
mod mbox;
mod name;
mod originals;
mod run;
mod separators;
mod walk;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::atomic_file::{AtomicFileError, ForeignFile};
use crate::mail::Reopen;

pub use caches::Purged;
pub use find::{Archive, Kind};

/// The direction of the conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Plain becomes sealed.
    Seal,
    /// Sealed becomes plain.
    Unseal,
}

/// What is to be done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is to be converted.
    Change,
    /// It has the desired form already.
    Already,
    /// It is to be left alone, for this reason.
    Skip(String),
}

/// Makes the other form of messages. Shared by all threads of a run.
pub trait Transform: Sync {
    /// What [`Transform::verify`] needs of [`Transform::write`], such as the content key.
    type Receipt;
    /// Why a message cannot be converted.
    type Error: Error + Send + 'static;

    /// The direction of the conversion.
    fn direction(&self) -> Direction;

    /// Decides from the bytes of a message what is to be done.
    ///
    /// # Errors
    /// When that cannot be decided. The message is left alone and reported.
    fn decide(&self, message: &dyn Reopen) -> Result<Decision, Self::Error>;

    /// Writes the other form of `message`.
    ///
    /// # Errors
    /// When it cannot be made. What was written until then is discarded.
    fn write(
        &self,
        message: &dyn Reopen,
        out: &mut (dyn Write + Send),
    ) -> Result<Self::Receipt, Self::Error>;

    /// Opens the new file on disk, `written`, and compares it with `message` byte for byte.
    ///
    /// # Errors
    /// When the two are not the same message. The message then keeps its form.
    fn verify(
        &self,
        receipt: Self::Receipt,
        written: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<(), Self::Error>;

    /// Whether `other`, the file with the desired name, is the other form of this `message`: then a killed run left it, and it
    /// may be replaced. That both files have the same time was checked before.
    ///
    /// # Errors
    /// When that cannot be decided.
    fn is_form_of(&self, other: &dyn Reopen, message: &dyn Reopen) -> Result<bool, Self::Error>;
}

/// Whether anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Messages are converted.
    Apply,
    /// Nothing is changed; it is only reported what would be done.
    DryRun,
}

/// A run over archives: see [`Run::run_on`].
#[derive(Debug)]
pub struct Run<'a, T> {
    /// Makes and verifies the other forms.
    pub transform: &'a T,
    /// How many threads convert messages in folders. The messages of an mbox are converted one after the other.
    pub jobs: NonZeroUsize,
    /// Where originals are stored instead of being deleted: at the same path below this folder as below the archive, which must
    /// not contain it. Existing files are never overwritten; later originals of an mbox get `.2`, `.3` and so on behind their name.
    pub originals: Option<&'a Path>,
    /// Whether anything is changed.
    pub mode: Mode,
}

/// What [`Run::run_on`] reports while it works, always on the thread that called it.
#[derive(Debug)]
pub enum Event<E: Error + 'static> {
    /// A folder or mbox is begun.
    Folder {
        /// Which.
        path: PathBuf,
        /// How many messages it holds, both forms of one counted as two.
        messages: u64,
    },
    /// A message is finished, or a folder could not be read.
    Message(Report<E>),
}

/// The report about one message.
#[derive(Debug)]
pub struct Report<E: Error + 'static> {
    /// Its file.
    pub path: PathBuf,
    /// Which message of the mbox, from 1.
    pub number: Option<u64>,
    /// The result.
    pub outcome: MessageOutcome<E>,
}

/// The result for one message.
#[derive(Debug)]
pub enum MessageOutcome<E: Error + 'static> {
    /// It was converted, durably; in an mbox: as soon as [`Run::run_on`] returns without an error.
    Converted,
    /// It was converted, but another program deleted or moved the old form meanwhile. The new form stays at this path, so that
    /// the only copy is not lost.
    SourceGone(PathBuf),
    /// It had the desired form.
    Already,
    /// It was left alone.
    Skipped(Skip),
    /// It could not be converted and is unchanged.
    Failed(MessageError<E>),
}

/// Why a message was left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// It is a symbolic link.
    #[error("it is a symbolic link")]
    Link,
    /// It is a folder, device, pipe or socket.
    #[error("it is not a regular file")]
    NotAFile,
    /// It has a second name, under which the old form would remain.
    #[error("the file has another name elsewhere (a hard link)")]
    HardLink,
    /// It holds mail in a format that is not converted.
    #[error("it is in the format of {0}, which is not converted")]
    Format(&'static str),
    /// It may be a message, or an mbox.
    #[error(
        "it looks like mail, but not certainly enough; give a message the ending .eml, name an mbox itself"
    )]
    Unclear,
    /// A folder that a walk does not enter.
    #[error("it is a hidden folder and was not looked into")]
    Hidden,
    /// Another program deleted or moved it since it was listed.
    #[error("it is gone: deleted or moved by another program")]
    Gone,
    /// The transform says so.
    #[error("{0}")]
    Unwanted(String),
}

/// Why a message was not converted.
#[derive(Debug, thiserror::Error)]
pub enum MessageError<E: Error + 'static> {
    /// The other form could not be decided on, made or verified.
    #[error(transparent)]
    Transform(E),
    /// Root would have to work on another user's mail where that is not safe.
    #[error(transparent)]
    Foreign(#[from] ForeignFile),
    /// The new file could not be made.
    #[error(transparent)]
    File(#[from] AtomicFileError),
    /// A file with the desired name is not known to be the other form of this message.
    #[error("{} exists and is not known to be its other form", .0.display())]
    Occupied(PathBuf),
    /// Another message would get the same name.
    #[error("another message of this folder would get the same name")]
    SameName,
    /// A different original of that name is stored already.
    #[error("{} exists and is different", .0.display())]
    OriginalDiffers(PathBuf),
    /// The file was written to during the work.
    #[error("it was changed by another program in the meantime")]
    Changed,
    /// Its other form holds a line that would begin another message of the mbox.
    #[error("it holds a line `From …` that would begin another message of the mbox")]
    FromLine,
    /// Another run is at work in the folder.
    #[error("another run is at work in this folder")]
    Busy,
    /// An mbox in a folder, as a whole.
    #[error(transparent)]
    Mbox(Box<ArchiveError>),
    /// The system refused.
    #[error("cannot {action} {}", path.display())]
    System {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// Why an archive cannot be converted. An mbox is then unchanged; in a folder, the reported messages are converted.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Neither Maildir, mbox, folder nor message.
    #[error("{} is no mail: neither a folder nor an mbox nor a message", .0.display())]
    NotMail(PathBuf),
    /// Mail that is not converted.
    #[error("{} cannot be converted: {}", .0.display(), .1)]
    Left(PathBuf, Skip),
    /// A folder without Maildirs, mboxes and messages.
    #[error("no mail was found in {}", .0.display())]
    NothingFound(PathBuf),
    /// An mbox that is a symbolic link or has several names.
    #[error("{} is a link: it cannot be replaced", .0.display())]
    Link(PathBuf),
    /// Another program has locked the mbox.
    #[error("{} is locked by another program", .0.display())]
    Locked(PathBuf),
    /// Another program wrote to the mbox in spite of the lock.
    #[error("{} was changed by another program in the meantime", .0.display())]
    Changed(PathBuf),
    /// The file on disk differs from what was written.
    #[error("{} was written, but is not read back the same", .0.display())]
    ReadBack(PathBuf),
    /// Originals cannot be stored inside the archive.
    #[error("{} is inside the archive: originals cannot be kept there", .0.display())]
    OriginalsInside(PathBuf),
    /// A different original of that name is stored already.
    #[error("{} exists and is different", .0.display())]
    OriginalDiffers(PathBuf),
    /// Root would have to work on another user's mail where that is not safe.
    #[error(transparent)]
    Foreign(#[from] ForeignFile),
    /// The new file could not be made.
    #[error(transparent)]
    File(#[from] AtomicFileError),
    /// The system refused.
    #[error("cannot {action} {}", path.display())]
    System {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// The number of messages for each result.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Were converted.
    pub done: u64,
    /// Of these: the old form was deleted or moved by another program meanwhile.
    pub source_gone: u64,
    /// Had the desired form.
    pub already: u64,
    /// Were left alone.
    pub skipped: u64,
    /// Could not be converted; or folders that could not be read.
    pub failed: u64,
}

impl Tally {
    /// Counts one more message.
    pub fn count<E: Error>(&mut self, outcome: &MessageOutcome<E>) {
        match outcome {
            MessageOutcome::Converted => self.done += 1,
            MessageOutcome::SourceGone(_) => {
                self.done += 1;
                self.source_gone += 1;
            }
            MessageOutcome::Already => self.already += 1,
            MessageOutcome::Skipped(_) => self.skipped += 1,
            MessageOutcome::Failed(_) => self.failed += 1,
        }
    }
}

/// An error of the system, before it is known whether it concerns one message or the whole archive.
#[derive(Debug)]
struct Refusal {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Refusal {
    /// For `map_err`: the system refused to do `action` to `path`.
    fn to<S: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(S) -> Self {
        let path = path.to_path_buf();
        move |source| Self {
            action,
            path,
            source: source.into(),
        }
    }
}

impl<E: Error> From<Refusal> for MessageError<E> {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            action,
            path,
            source,
        } = refusal;
        Self::System {
            action,
            path,
            source,
        }
    }
}

impl From<Refusal> for ArchiveError {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            action,
            path,
            source,
        } = refusal;
        Self::System {
            action,
            path,
            source,
        }
    }
}
