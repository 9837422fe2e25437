//! Sealed messages of a mailbox searched line by line. Nothing is changed, and no opened message is on a disk in clear.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::ConversionError;
use super::unseal::{MailboxOpener, SealedState};
use crate::mail::archive::{
    Archive, ArchiveError, Decision, Direction, Event, MessageError, MessageOutcome, Mode, Run,
    Skip, Transform,
};
use crate::mail::{Display, Reopen};
use crate::operations::mail::NewRng;
use crate::operations::mail::spool::SpoolWriter;

/// Matching lines of one message that are reported.
const LINES_MAX: usize = 1_000;

/// Searches the sealed messages of mailboxes.
pub struct MailboxSearch<'a> {
    /// Opens the messages.
    pub opener: &'a MailboxOpener<'a>,
    /// Whether a line is looked for: a field such as `Subject: hello`, or a line of a text.
    pub is_match: &'a (dyn Fn(&str) -> bool + Sync),
    /// Randomness for temporary files.
    pub new_rng: &'a NewRng<'a>,
    /// How many messages are opened at once.
    pub jobs: NonZeroUsize,
}

/// The result for one message that is not passed over in silence.
pub struct SearchReport {
    /// Its file.
    pub path: PathBuf,
    /// Which message of the mbox, from 1.
    pub number: Option<u64>,
    /// The result.
    pub outcome: SearchOutcome,
}

/// The result of a search in one message.
pub enum SearchOutcome {
    /// These lines match, at most 1,000.
    Found(Vec<String>),
    /// It was not opened.
    Skipped(Skip),
    /// It does not open.
    Failed(MessageError<ConversionError>),
}

impl MailboxSearch<'_> {
    /// Searches one mailbox, and reports messages on this thread.
    ///
    /// # Errors
    /// [`ArchiveError`] when the mailbox as a whole cannot be read.
    pub fn search(
        &self,
        mailbox: &Path,
        observe: &mut dyn FnMut(SearchReport),
    ) -> Result<(), ArchiveError> {
        let run = Run {
            transform: self,
            jobs: self.jobs,
            originals: None,
            mode: Mode::DryRun,
        };
        let archive = Archive::find(mailbox)?;
        run.run_on(&archive, &mut |event| {
            let Event::Message(report) = event else {
                return;
            };
            let outcome = match report.outcome {
                MessageOutcome::Skipped(Skip::Unwanted(lines)) => {
                    SearchOutcome::Found(lines.lines().map(str::to_owned).collect())
                }
                MessageOutcome::Skipped(skip) => SearchOutcome::Skipped(skip),
                MessageOutcome::Failed(error) => SearchOutcome::Failed(error),
                MessageOutcome::Converted
                | MessageOutcome::SourceGone(_)
                | MessageOutcome::Already => return,
            };
            observe(SearchReport {
                path: report.path,
                number: report.number,
                outcome,
            });
        })?;
        Ok(())
    }

    fn lines(&self, display: &Display) -> Vec<String> {
        let field = |name: &str| display.field(name).map(|value| format!("{name}: {value}"));
        let fields = Display::FIELDS.into_iter().filter_map(field);
        let texts = display.texts.iter().flat_map(|text| text.text.lines());
        let lines = fields.chain(texts.map(|line| line.trim_end_matches('\r').to_owned()));
        lines
            .filter(|line| (self.is_match)(line))
            .take(LINES_MAX)
            .collect()
    }
}

impl Transform for MailboxSearch<'_> {
    type Receipt = ();
    type Error = ConversionError;

    fn direction(&self) -> Direction {
        Direction::Unseal
    }

    /// Lines that match are returned as the reason why the message is left alone.
    fn decide(&self, message: &dyn Reopen) -> Result<Decision, ConversionError> {
        let SealedState::Mine(content, _) = self.opener.open(message)? else {
            return Ok(Decision::Already);
        };
        let mut spool = SpoolWriter::new(&mut *(self.new_rng)()).map_err(ConversionError::Spool)?;
        self.opener.copy(*content, &mut spool)?;
        let opened = spool.finish().map_err(ConversionError::Spool)?;
        let lines = self.lines(&Display::of(&opened).map_err(ConversionError::Spool)?);
        Ok(match lines.is_empty() {
            true => Decision::Already,
            false => Decision::Skip(lines.join("\n")),
        })
    }

    fn write(&self, _: &dyn Reopen, _: &mut (dyn Write + Send)) -> Result<(), ConversionError> {
        unreachable!("a search never decides to change a message")
    }

    fn verify(&self, (): (), _: &dyn Reopen, _: &dyn Reopen) -> Result<(), ConversionError> {
        unreachable!("a search never decides to change a message")
    }

    fn is_form_of(&self, _: &dyn Reopen, _: &dyn Reopen) -> Result<bool, ConversionError> {
        Ok(false)
    }
}
