//! Attachments that were sealed in their places: put back, or taken out as files.

use std::io::{self, BufReader, Write};
use std::path::Path;

use crate::cli::display::names::DisplayName;
use encl::address::is_same_address;
use encl::atomic_file::{AtomicFile, AtomicFileError, Existing, FileMode};
use encl::directory::People;
use encl::envelope::{Mail, OpenError, Opened, Workers};
use encl::mail::attachments::{Arrival, Fidelity, Restoration, RestoreError};
use encl::mail::{Decoded, Encoding, Header, Reopen, Sealed, open_body, parse_list};

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure, Tally, io_message};
use crate::cli::files::input::Input;
use crate::cli::files::target;
use crate::cli::operations::open;
use crate::cli::operations::open::Opening;
use crate::cli::terminal::{safe, shown};

use crate::cli::files::spool::{MessageSource, SpoolWriter, not_scanned, not_spooled};

/// Envelopes in one message that are opened. Each costs a decapsulation, or a passphrase.
const ENVELOPES_MAX: usize = 1_000;

/// A message with attachments in envelopes.
pub(crate) struct AttachmentOpener<'a> {
    input: &'a Input,
    source: &'a MessageSource,
    arrival: Arrival,
    /// What each envelope says of itself, in their order; none where it cannot be opened.
    opened: Vec<Option<Opened>>,
}

/// Why a message could not be put together: the failure of one envelope, or an error in between.
enum PassError {
    Envelope(Failure),
    Between(io::Error),
}

impl From<io::Error> for PassError {
    fn from(error: io::Error) -> Self {
        Self::Between(error)
    }
}

impl<'a> AttachmentOpener<'a> {
    /// Opens every envelope as far as its private line. `None` when the message has no sealed attachments.
    pub(crate) fn read(
        input: &'a Input,
        source: &'a MessageSource,
        opening: &mut Opening<'_>,
    ) -> Result<Option<Self>, Failure> {
        let arrival = Arrival::read(source).map_err(|error| not_scanned(input, "unwrap", error))?;
        let envelopes = &arrival.findings().envelopes;
        if envelopes.len() > ENVELOPES_MAX {
            return Err(input
                .cannot("unwrap", Exit::Damaged)
                .reason(format!("it holds more than {ENVELOPES_MAX} envelopes"))
                .hint("--part N opens one of them"));
        }
        let mut opened = Vec::with_capacity(envelopes.len());
        for sealed in envelopes {
            let body = open_body(source, sealed).map_err(|error| unreadable(input, &error))?;
            opened.push(match opening.open_reader(input, body) {
                Ok(content) => Some(content.into_metadata()),
                Err(failure) if failure.exit == Exit::Locked => return Err(failure),
                Err(_) => None,
            });
        }
        let restoring = Self {
            input,
            source,
            arrival,
            opened,
        };
        let is_attachment =
            |about: &Opened| matches!(about.private.info.mail, Some(Mail::Attachment { .. }));
        let has_some = restoring.opened.iter().flatten().any(is_attachment);
        Ok(has_some.then_some(restoring))
    }

    pub(crate) fn input(&self) -> &'a Input {
        self.input
    }

    pub(crate) fn source(&self) -> &'a MessageSource {
        self.source
    }

    /// What is certain of the attachments, the first for all: they have one author.
    pub(crate) fn about(&self) -> &Opened {
        let first = self.opened.iter().flatten().next();
        first.expect("at least one was opened, or there would be nothing to restore")
    }

    /// Decides whether they can be put back.
    pub(crate) fn restoration(&self) -> Result<Restoration, Failure> {
        let cannot = || self.input.cannot("unwrap", Exit::Damaged);
        let mut signers = self.opened.iter().flatten().map(Opened::signer);
        let first = signers.next();
        if signers.any(|signer| Some(signer) != first) {
            return Err(cannot()
                .reason("its attachments were not signed by the same person")
                .hint("--extract DIR gives the files"));
        }
        let mails: Vec<Option<Mail>> = (self.opened.iter())
            .map(|opened| {
                opened
                    .as_ref()
                    .and_then(|about| about.private.info.mail.clone())
            })
            .collect();
        self.arrival
            .restoration(self.source, &mails)
            .map_err(|error| match error {
                RestoreError::Read(error) => unreadable(self.input, &error),
                error => cannot()
                    .reason(error.to_string())
                    .reason("nothing was restored")
                    .hint("--extract DIR gives the files"),
            })
    }

    /// Writes the message with its attachments in their places.
    pub(crate) fn pass(
        &self,
        restoration: &Restoration,
        opening: &mut Opening<'_>,
        sink: &mut (dyn Write + Send),
        not_written: &dyn Fn(&io::Error) -> Failure,
    ) -> Result<u64, Failure> {
        let mut counting = Counting { sink, bytes: 0 };
        let input = self.input;
        let passed = restoration.write(self.source, &mut counting, &mut |_,
                                                                         envelope,
                                                                         out|
         -> Result<
            (),
            PassError,
        > {
            let content = opening
                .open_reader(input, envelope)
                .map_err(PassError::Envelope)?;
            content
                .copy_to(out, Workers::Processors)
                .map(drop)
                .map_err(|error| match error {
                    OpenError::Write(error) => PassError::Between(error),
                    error => PassError::Envelope(open::failure(input, "unwrap", error)),
                })
        });
        match passed {
            Ok(()) => Ok(counting.bytes),
            Err(PassError::Envelope(failure)) => Err(failure),
            Err(PassError::Between(error)) => Err(not_written(&error)),
        }
    }

    /// Says what was put back, and what that does not tell.
    pub(crate) fn tell(&self, restoration: &Restoration, people: &People, context: &Context) {
        let number = self.opened.iter().flatten().count();
        let fidelity = match restoration.fidelity() {
            Fidelity::Exact => "exact",
            Fidelity::LineEndsOfTextUnknown => {
                "attachments exact; the text had mixed line ends and has those it arrived with"
            }
        };
        context
            .terminal
            .notice(&format!("{number} attachments restored: {fidelity}"));
        self.tell_sender(people, context);
    }

    /// Who a message is from stands in the open: it may be another than whoever sealed its attachments.
    fn tell_sender(&self, people: &People, context: &Context) {
        let signer = self
            .about()
            .signer()
            .and_then(|id| people.with_id(id).ok().flatten());
        let header = &self.arrival.findings().structure.header;
        let (Some(signer), Some(from)) = (signer, header.first("From")) else {
            return;
        };
        let carries = |address: &str| {
            let mut addresses = signer.card.addresses().iter();
            addresses.any(|known| is_same_address(known, address))
        };
        let is_signers = parse_list(&from.text())
            .is_ok_and(|from| from.iter().all(|from| carries(&from.address)));
        if !is_signers {
            context.terminal.warning(&format!(
                "the attachments were signed by {}, but the message says that it is from {}",
                signer.display_name(),
                safe(&from.text())
            ));
        }
    }

    /// Takes every attachment out into a file of its own below `folder`.
    pub(crate) fn extract(
        &self,
        folder: &Path,
        existing: Existing,
        opening: &mut Opening<'_>,
        context: &Context,
    ) -> Tally {
        match self.restoration() {
            Ok(_) => {}
            Err(failure) => {
                let because = failure.reasons.first().cloned().unwrap_or_default();
                context
                    .terminal
                    .warning(&format!("attachments exact, but {because}"));
            }
        }
        let mut tally = Tally::default();
        let mut taken: Vec<String> = Vec::new();
        let envelopes = self.arrival.findings().envelopes.iter().zip(&self.opened);
        for (number, (sealed, opened)) in (1..).zip(envelopes) {
            let Some(opened) = opened else {
                let part = safe(&sealed.part.number);
                context
                    .terminal
                    .warning(&format!("the envelope in part {part} is not for you"));
                continue;
            };
            let name = file_name(opened, number, &mut taken);
            let extracted =
                self.extract_one(sealed, &folder.join(name), existing, opening, context);
            tally.add(context.terminal, extracted);
        }
        tally
    }

    /// The content of an envelope is the whole part, its header included: the file is what that encodes.
    fn extract_one(
        &self,
        sealed: &Sealed,
        path: &Path,
        existing: Existing,
        opening: &mut Opening<'_>,
        context: &Context,
    ) -> Result<(), Failure> {
        let not_kept = |error: &io::Error| not_spooled(self.input, "unwrap", error);
        let mut file = AtomicFile::create(path, FileMode::OwnerOnly, existing)
            .map_err(|error| not_made(path, &error))?;
        let body =
            open_body(self.source, sealed).map_err(|error| unreadable(self.input, &error))?;
        let content = opening.open_reader(self.input, body)?;
        let mut spool = SpoolWriter::new(&mut context.rng()).map_err(|error| not_kept(&error))?;
        let (about, _) = content
            .copy_to(&mut spool, Workers::Processors)
            .map_err(|error| match error {
                OpenError::Write(error) => not_kept(&error),
                error => open::failure(self.input, "unwrap", error),
            })?;
        let spool = spool.finish().map_err(|error| not_kept(&error))?;
        let mut part = BufReader::new(spool.open().map_err(|error| not_kept(&error))?);
        let not_written = |error: &io::Error| {
            Failure::io(format!("cannot write {}", shown(path)), error).file(path)
        };
        if matches!(about.private.info.mail, Some(Mail::Attachment { .. })) {
            let header = Header::read(&mut part).map_err(|error| not_kept(&error))?;
            let encoding = Encoding::of(&header);
            io::copy(&mut Decoded::new(part, encoding), &mut file)
        } else {
            io::copy(&mut part, &mut file)
        }
        .map_err(|error| not_written(&error))?;
        file.commit().map_err(|error| not_made(path, &error))?;
        opening.report(
            self.input,
            Some(&target::Target::File(path.to_owned())),
            &about,
            spool.bytes(),
        )
    }
}

struct Counting<'a> {
    sink: &'a mut (dyn Write + Send),
    bytes: u64,
}

impl Write for Counting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.sink.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// The name that is stored inside as far as it can be used, each once.
fn file_name(opened: &Opened, number: usize, taken: &mut Vec<String>) -> String {
    let stored = opened.private.info.name.as_deref().and_then(target::clean);
    let plain = stored.unwrap_or_else(|| format!("attachment-{number}"));
    let name = if taken.contains(&plain) {
        format!("{number}-{plain}")
    } else {
        plain
    };
    taken.push(name.clone());
    name
}

fn unreadable(input: &Input, error: &io::Error) -> Failure {
    input
        .cannot("unwrap", Exit::Failed)
        .reason(io_message(error))
}

fn not_made(path: &Path, error: &AtomicFileError) -> Failure {
    let exit = match error {
        AtomicFileError::Exists(_) | AtomicFileError::Link(_) => Exit::Exists,
        _ => Exit::Failed,
    };
    Failure::new(exit, format!("cannot write {}", shown(path)))
        .caused_by(error)
        .file(path)
}
