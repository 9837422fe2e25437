//! Mailboxes: each message is sealed, unsealed or searched. One message that fails does not stop the others.

pub mod ask_ahead;
pub mod compare;
pub mod seal;
pub mod search;
pub mod unseal;

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use crate::envelope::{OpenError, SealError};
use crate::mail::archive::{Archive, ArchiveError, Event, Report, Run, Skip, Tally, Transform};
use crate::mail::trace::TraceFault;
use crate::operations::mail::incoming::sender_check::SenderMismatch;

/// Why a message of a mailbox cannot be converted or searched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConversionError {
    /// The message cannot be read.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// The other form cannot be written.
    #[error("it cannot be written")]
    Write(#[source] io::Error),
    /// It cannot be sealed.
    #[error(transparent)]
    Seal(SealError),
    /// The envelope in it does not open.
    #[error(transparent)]
    Open(OpenError),
    /// The envelope in it is somebody else's, where one of mine is needed.
    #[error("it is not encrypted for you")]
    NotForMe,
    /// The message in it is not from its signer.
    #[error(transparent)]
    Sender(#[from] SenderMismatch),
    /// The trace fields in it cannot be told from others.
    #[error(transparent)]
    Trace(#[from] TraceFault),
    /// The plain message that was written is not the one that was sealed.
    #[error("the written file does not read back the same")]
    NotSame,
    /// The sealed message that was written does not hold the message.
    #[error("the written file does not read back the same")]
    ReadBack(#[source] ReadBackError),
    /// An opened message cannot be kept in a temporary file, or not be read from there.
    #[error("the opened message cannot be kept in a temporary file")]
    Spool(#[source] io::Error),
}

/// How a message that was read back differs from what was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadBackError {
    /// It cannot be scanned.
    #[error(transparent)]
    Scan(crate::mail::ScanError),
    /// No envelope for its readers is found in it.
    #[error("it is not recognised as encrypted")]
    NotSealed,
    /// The envelope does not open.
    #[error(transparent)]
    Open(OpenError),
    /// It holds another message.
    #[error("the message in it is a different one")]
    OtherMessage,
}

/// Whether what was skipped at `path` is mail, or may be. A link is if it leads to a folder, or to a file with something in it.
#[must_use]
pub fn is_mail_left(path: &Path, skip: &Skip) -> bool {
    let is_something = |led_to: Metadata| led_to.is_dir() || (led_to.is_file() && led_to.len() > 0);
    match skip {
        Skip::HardLink | Skip::Format(_) | Skip::Unclear => true,
        Skip::Link => std::fs::metadata(path).is_ok_and(is_something),
        Skip::NotAFile | Skip::Hidden | Skip::Gone | Skip::Unwanted(_) => false,
    }
}

/// Follows the conversion of mailboxes; called on the thread that called [`convert`].
pub trait MailboxObserver {
    /// A folder or mbox with so many messages is begun.
    fn folder(&mut self, path: &Path, messages: u64);

    /// A message is finished.
    fn message(&mut self, report: Report<ConversionError>);

    /// A mailbox cannot be worked on.
    fn failed(&mut self, path: &Path, error: ArchiveError);
}

/// Converts the messages of all mailboxes, one mailbox after the other; gives the number of messages for each result.
pub fn convert<T: Transform<Error = ConversionError>>(
    run: &Run<'_, T>,
    mailboxes: &[PathBuf],
    observer: &mut dyn MailboxObserver,
) -> Tally {
    let mut tally = Tally::default();
    for path in mailboxes {
        let converted = Archive::find(path).and_then(|archive| {
            run.run_on(&archive, &mut |event| match event {
                Event::Folder { path, messages } => observer.folder(&path, messages),
                Event::Message(report) => {
                    tally.count(&report.outcome);
                    observer.message(report);
                }
            })
        });
        if let Err(error) = converted {
            observer.failed(path, error);
        }
    }
    tally
}
