//! Mail that lies in files already: Maildirs, mboxes and folders of .eml, each message of which is given its other form.
//!
//! A message has two *forms*, plain and sealed. Who makes one of the other, and proves it, is handed in as [`Transform`]:
//! nothing here knows keys. One promise holds at every system call: a form goes only when the other one is on disk under its
//! name, was read back from there and was accepted. A run that was killed is finished by the next one.
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

use crate::atomic_file::AtomicFileError;
use crate::mail::Reopen;

pub use caches::Purged;
pub use find::{Archive, Kind};

/// Which form becomes which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Plain becomes sealed.
    Seal,
    /// Sealed becomes plain.
    Unseal,
}

/// Whether there is something to do with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is to have its other form.
    Change,
    /// It has that form.
    Already,
    /// It is to be left alone, for this reason.
    Skip(String),
}

/// Makes the other form of messages. Shared by all threads of a run.
pub trait Transform: Sync {
    /// What [`Transform::verify`] needs of [`Transform::write`], such as the content key that is still in hand.
    type Receipt;
    /// Why a message cannot have its other form.
    type Error: Error + Send + 'static;

    /// Which form this makes.
    fn direction(&self) -> Direction;

    /// Decides from the bytes of a message whether there is something to do.
    ///
    /// # Errors
    /// When that cannot be said. The message is left alone and reported.
    fn decide(&self, message: &dyn Reopen) -> Result<Decision, Self::Error>;

    /// Writes the other form of `message`.
    ///
    /// # Errors
    /// When it cannot be made. What was written until then is thrown away.
    fn write(
        &self,
        message: &dyn Reopen,
        out: &mut (dyn Write + Send),
    ) -> Result<Self::Receipt, Self::Error>;

    /// Opens what now stands on disk, `written`, and compares it with `message` byte for byte.
    ///
    /// # Errors
    /// When the two are not the same message. The message keeps the form that it has.
    fn verify(
        &self,
        receipt: Self::Receipt,
        written: &dyn Reopen,
        message: &dyn Reopen,
    ) -> Result<(), Self::Error>;

    /// Says whether `other`, which stands under the name that is wanted, is the other form of this very `message`: what a
    /// killed run left behind, and what may be replaced. Both files bear the same time, that was checked before.
    ///
    /// # Errors
    /// When that cannot be said.
    fn is_form_of(&self, other: &dyn Reopen, message: &dyn Reopen) -> Result<bool, Self::Error>;
}

/// Whether anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Messages get their other form.
    Apply,
    /// It is only said what would be done.
    DryRun,
}

/// How archives are gone through: see [`Run::run_on`].
#[derive(Debug)]
pub struct Run<'a, T> {
    /// Makes the other forms.
    pub transform: &'a T,
    /// How many threads do so in folders. The messages of an mbox are done one after the other.
    pub jobs: NonZeroUsize,
    /// Where originals go instead of vanishing: the same path below this folder as below the archive, which must not hold
    /// it. What is there is never overwritten; later originals of an mbox get `.2`, `.3` and so on behind their name.
    pub originals: Option<&'a Path>,
    /// Whether anything is changed.
    pub mode: Mode,
}

/// What [`Run::run_on`] tells while it works, always on the thread that called it.
#[derive(Debug)]
pub enum Event<E: Error + 'static> {
    /// A folder or mbox is begun.
    Folder {
        /// Which.
        path: PathBuf,
        /// How many messages it holds, both forms of one counted as two.
        messages: u64,
    },
    /// A message is done with, or a folder could not be read.
    Message(Report<E>),
}

/// What became of one message.
#[derive(Debug)]
pub struct Report<E: Error + 'static> {
    /// Its file.
    pub path: PathBuf,
    /// Which message of the mbox, from 1.
    pub number: Option<u64>,
    /// What became of it.
    pub outcome: MessageOutcome<E>,
}

/// What became of one message.
#[derive(Debug)]
pub enum MessageOutcome<E: Error + 'static> {
    /// It has its other form, durably; of an mbox: as soon as [`Run::run_on`] returns without an error.
    Converted,
    /// So it has, but somebody deleted or moved the old form meanwhile. The new one stays at this path, lest the only copy
    /// be lost.
    SourceGone(PathBuf),
    /// It had that form.
    Already,
    /// It was left alone.
    Skipped(Skip),
    /// It is as it was.
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
    /// It has a second name, which would keep the old form.
    #[error("the file has another name elsewhere (a hard link)")]
    HardLink,
    /// Somebody deleted or moved it since it was listed.
    #[error("it is gone: deleted or moved by another program")]
    Gone,
    /// The transform says so.
    #[error("{0}")]
    Unwanted(String),
}

/// Why a message is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MessageError<E: Error + 'static> {
    /// The other form could not be decided, made or proved.
    #[error(transparent)]
    Transform(E),
    /// The new file could not be made.
    #[error(transparent)]
    File(#[from] AtomicFileError),
    /// A file under the name that is wanted is not known to be the other form of this message.
    #[error("{} is there, and is not known to be its other form", .0.display())]
    Occupied(PathBuf),
    /// Another message would get the same name.
    #[error("another message of this folder would get the same name")]
    SameName,
    /// An original of that name is kept already, and is different.
    #[error("{} is there, and is different", .0.display())]
    OriginalDiffers(PathBuf),
    /// The file was written to during the work.
    #[error("it was changed by another program meanwhile")]
    Changed,
    /// Its other form holds a line that would begin another message of the mbox.
    #[error("it holds a line `From …` that would begin another message of the mbox")]
    FromLine,
    /// Another run is at work in the folder.
    #[error("another run is at work in this folder")]
    Busy,
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

/// Why an archive cannot be gone through. An mbox is then as it was; in a folder, what was reported stands.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Neither Maildir, mbox, folder nor .eml file.
    #[error("{} is no mail: neither a folder nor an mbox, and not named .eml", .0.display())]
    NotMail(PathBuf),
    /// An mbox that is a symbolic link or has several names.
    #[error("{} is a link: it cannot be replaced", .0.display())]
    Link(PathBuf),
    /// Another program has locked the mbox.
    #[error("{} is locked by another program", .0.display())]
    Locked(PathBuf),
    /// Another program wrote to the mbox in spite of the lock.
    #[error("{} was changed by another program meanwhile", .0.display())]
    Changed(PathBuf),
    /// The disk does not give back what was written.
    #[error("{} was written, but is not read back the same", .0.display())]
    ReadBack(PathBuf),
    /// Originals cannot be kept inside the archive.
    #[error("{} is inside the archive: originals cannot be kept there", .0.display())]
    OriginalsInside(PathBuf),
    /// An original of that name is kept already, and is different.
    #[error("{} is there, and is different", .0.display())]
    OriginalDiffers(PathBuf),
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

/// How many messages came to which end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Have their other form now.
    pub done: u64,
    /// Of these: were deleted or moved by somebody meanwhile.
    pub source_gone: u64,
    /// Had it.
    pub already: u64,
    /// Were left alone.
    pub skipped: u64,
    /// Are as they were, against the wish; or folders that could not be read.
    pub failed: u64,
}

impl Tally {
    fn count<E: Error>(&mut self, outcome: &MessageOutcome<E>) {
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

/// A refusal of the system, before it is known whether it concerns a message or the whole.
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
