//! Sealed attachments put back or extracted, with failures that name the input.

use std::io;
use std::path::Path;

use encl::atomic_file::{AtomicFile, AtomicFileError, Existing, FileMode};
use encl::directory::People;
use encl::envelope::Opened;
use encl::mail::attachments::{Fidelity, Restoration};
use encl::mail::{Reopen as _, Sealed};
use encl::operations::mail::incoming::attachments::{AttachmentError, AttachmentOpener};
use encl::operations::mail::incoming::sender_check::FromMismatch;
use encl::operations::mail::spool::SpoolWriter;
use encl::operations::open::OpenFailure;

use crate::cli::context::Context;
use crate::cli::errors::envelope::is_locked;
use crate::cli::errors::{Exit, Failure, Tally, io_message, mail};
use crate::cli::files::input::Input;
use crate::cli::files::output::{Output, Sink};
use crate::cli::files::spool::{MessageSource, not_scanned, not_spooled};
use crate::cli::files::target;
use crate::cli::operations::open::Opening;
use crate::cli::terminal::{safe, shown};

/// A message with sealed attachments.
pub(crate) struct SealedAttachments<'a> {
    input: &'a Input,
    pub(crate) source: &'a MessageSource,
    attachments: AttachmentOpener<'a>,
}

impl<'a> SealedAttachments<'a> {
    /// Opens every envelope as far as its private line. `None` when the message has no sealed attachments.
    pub(crate) fn read(
        input: &'a Input,
        source: &'a MessageSource,
        opening: &mut Opening<'_>,
    ) -> Result<Option<Self>, Failure> {
        let is_final = |failure: &OpenFailure| match failure {
            OpenFailure::Unreadable(error) | OpenFailure::Locked { error, .. } => is_locked(error),
            OpenFailure::Unmet(_) => false,
        };
        let (opener, typed) = opening.opener();
        let read = AttachmentOpener::read(source, &input.name(), opener, typed, &is_final);
        let read = read.map_err(|error| failure(input, opening, error, &unreadable(input)))?;
        Ok(read.map(|attachments| Self {
            input,
            source,
            attachments,
        }))
    }

    /// What the first envelope says that can be opened.
    pub(crate) fn first(&self) -> &Opened {
        self.attachments.first()
    }

    /// Decides whether they can be put back.
    pub(crate) fn restoration(&self, opening: &Opening<'_>) -> Result<Restoration, Failure> {
        let restoration = self.attachments.restoration();
        restoration.map_err(|error| failure(self.input, opening, error, &unreadable(self.input)))
    }

    /// Writes the message with its attachments in their places. Everything is checked before the first byte goes to a stream.
    pub(crate) fn restore(
        &self,
        restoration: &Restoration,
        output: &Output<'_>,
        sink: &mut Sink,
        opening: &mut Opening<'_>,
        context: &Context,
    ) -> Result<u64, Failure> {
        let name = self.input.name();
        let mut restore = |sink: &mut (dyn io::Write + Send)| {
            let (opener, typed) = opening.opener();
            let restored = self
                .attachments
                .restore(restoration, &name, opener, typed, sink);
            restored.map_err(|error| {
                failure(self.input, opening, error, &|error| {
                    output.not_written(error)
                })
            })
        };
        if !sink.is_stream() {
            return restore(sink);
        }
        // The input may be written to: checked and given is the same.
        let not_spooled = |error: io::Error| not_spooled(self.input, "unwrap", &error);
        let mut spool = SpoolWriter::new(&mut context.rng()).map_err(not_spooled)?;
        let bytes = restore(&mut spool)?;
        let spool = spool.finish().map_err(not_spooled)?;
        let mut content = spool.open().map_err(not_spooled)?;
        io::copy(&mut content, sink).map_err(|error| output.not_written(&error))?;
        Ok(bytes)
    }

    /// Refuses a message that is not from the signer of its attachments.
    pub(crate) fn check_from(
        &self,
        rule: FromMismatch,
        opening: &Opening<'_>,
        people: &People,
    ) -> Result<(), Failure> {
        let checked = self.attachments.check_from(rule, people);
        checked.map_err(|error| failure(self.input, opening, error, &unreadable(self.input)))
    }

    /// Says what was put back.
    pub(crate) fn show_restored(&self, restoration: &Restoration, context: &Context) {
        let number = self.attachments.opened_count();
        let fidelity = match restoration.fidelity() {
            Fidelity::Exact => "exact",
            Fidelity::LineEndsOfTextUnknown => {
                "attachments exact; the text had mixed line ends and has those it arrived with"
            }
        };
        context
            .terminal
            .notice(&format!("{number} attachments restored: {fidelity}"));
    }

    /// Extracts every attachment into a file of its own below `folder`.
    pub(crate) fn extract(
        &self,
        folder: &Path,
        existing: Existing,
        opening: &mut Opening<'_>,
        context: &Context,
    ) -> Tally {
        if let Err(failure) = self.restoration(opening) {
            let reason = failure.reasons.first().cloned().unwrap_or_default();
            context
                .terminal
                .warning(&format!("attachments exact, but {reason}"));
        }
        let mut tally = Tally::default();
        let mut names: Vec<String> = Vec::new();
        for (number, (sealed, opened)) in (1..).zip(self.attachments.envelopes()) {
            let Some(opened) = opened else {
                let part = safe(&sealed.part.number);
                context
                    .terminal
                    .warning(&format!("the envelope in part {part} is not for you"));
                continue;
            };
            let path = folder.join(file_name(opened, number, &mut names));
            let extracted = self.extract_one(sealed, &path, existing, opening, context);
            tally.add(context.terminal, extracted);
        }
        tally
    }

    fn extract_one(
        &self,
        sealed: &Sealed,
        path: &Path,
        existing: Existing,
        opening: &mut Opening<'_>,
        context: &Context,
    ) -> Result<(), Failure> {
        let not_written = |error: &io::Error| {
            Failure::io(format!("cannot write {}", shown(path)), error).file(path)
        };
        let mut file = AtomicFile::create(path, FileMode::OwnerOnly, existing)
            .map_err(|error| not_made(path, &error))?;
        let (opener, typed) = opening.opener();
        let rng = &mut context.rng();
        let extracted = self
            .attachments
            .extract(sealed, &self.input.name(), opener, typed, rng);
        let written = extracted.and_then(|one| one.write(&mut file).map(|()| one));
        let extracted =
            written.map_err(|error| failure(self.input, opening, error, &not_written))?;
        file.commit().map_err(|error| not_made(path, &error))?;
        opening.report(
            self.input,
            Some(&target::Target::File(path.to_owned())),
            &extracted.opened,
            extracted.bytes(),
        )
    }
}

/// Why attachments were not opened or put back.
fn failure(
    input: &Input,
    opening: &Opening<'_>,
    error: AttachmentError,
    not_written: &dyn Fn(&io::Error) -> Failure,
) -> Failure {
    let damaged = |reason: String| input.cannot("unwrap", Exit::Damaged).reason(reason);
    match error {
        AttachmentError::Scan(error) => not_scanned(input, "unwrap", error),
        AttachmentError::Read(error) => unreadable(input)(&error),
        AttachmentError::TooMany => damaged(error.to_string()).hint("--part N opens one of them"),
        AttachmentError::Open(failure) => opening.not_opened(input, failure),
        AttachmentError::Content(error) => opening.cannot(input, error),
        AttachmentError::Sender(mismatch) => {
            mail::not_from_signer(&mismatch, &|exit| input.cannot("unwrap", exit))
        }
        AttachmentError::SeveralSigners => {
            damaged(error.to_string()).hint("--extract DIR gives the files")
        }
        AttachmentError::Restore(error) => damaged(error.to_string())
            .reason("nothing was restored")
            .hint("--extract DIR gives the files"),
        AttachmentError::Spool(error) => not_spooled(input, "unwrap", &error),
        AttachmentError::Write(error) => not_written(&error),
    }
}

fn unreadable(input: &Input) -> impl Fn(&io::Error) -> Failure {
    |error| {
        input
            .cannot("unwrap", Exit::Failed)
            .reason(io_message(error))
    }
}

/// The name that is stored inside as far as it can be used, each once.
fn file_name(opened: &Opened, number: usize, names: &mut Vec<String>) -> String {
    let stored = opened.private.info.name.as_deref().and_then(target::clean);
    let plain = stored.unwrap_or_else(|| format!("attachment-{number}"));
    let name = if names.contains(&plain) {
        format!("{number}-{plain}")
    } else {
        plain
    };
    names.push(name.clone());
    name
}

fn not_made(path: &Path, error: &AtomicFileError) -> Failure {
    let exit = match error {
        AtomicFileError::Exists(_) | AtomicFileError::Link(_) | AtomicFileError::ForeignLink(_) => {
            Exit::Exists
        }
        _ => Exit::Failed,
    };
    Failure::new(exit, format!("cannot write {}", shown(path)))
        .caused_by(error)
        .file(path)
}
