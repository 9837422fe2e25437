//! Sealed messages of a mailbox searched line by line. Nothing is changed, and no opened message is on a disk in clear.

use std::io::{Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::ConversionError;
use super::unseal::{MailboxOpener, SealedState};
use crate::envelope::{Content, OpenError};
use crate::mail::archive::{
    Archive, ArchiveError, Decision, Direction, Event, MessageError, MessageOutcome, Mode, Run,
    Skip, Transform,
};
use crate::mail::{Display, Other, Reopen, Sealed, Unread, Why, find};
use crate::operations::mail::NewRng;
use crate::operations::mail::spool::{Spool, SpoolWriter};

/// Matching lines of one message that are reported.
const LINES_MAX: usize = 1_000;
/// Clauses about what was not searched.
const UNREAD_MAX: usize = 100;
/// Envelopes of one message that are opened.
const ENVELOPES_MAX: usize = 20;
/// Sealed messages within sealed messages that are opened.
const DEPTH_MAX: usize = 4;

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
    /// It was opened.
    Searched(Searched),
    /// It was not opened.
    Skipped(Skip),
    /// It does not open.
    Failed(MessageError<ConversionError>),
}

/// What was found in a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Searched {
    /// Lines that match, at most 1,000.
    pub lines: Vec<String>,
    /// Parts that are no text, and were not searched.
    pub binaries: u64,
    /// Envelopes that none of my keys opens.
    pub of_others: u64,
    /// What else was not searched, or not as it was meant: a clause for each, at most 100.
    pub unread: Vec<String>,
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
                MessageOutcome::Skipped(Skip::Unwanted(told)) => {
                    SearchOutcome::Searched(Searched::read(&told))
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

    /// Searches the envelopes in a message that are mine, and in messages that are attached to it.
    fn search_envelopes(
        &self,
        message: &dyn Reopen,
        depth: usize,
        searched: &mut Searched,
    ) -> Result<(), ConversionError> {
        let Ok(found) = find(&mut message.open().map_err(ConversionError::Read)?) else {
            return Ok(());
        };
        for sealed in found.envelopes.iter().take(ENVELOPES_MAX) {
            if depth == DEPTH_MAX {
                searched.note(sealed, Why::TooDeep);
                continue;
            }
            match self.opened(message, sealed) {
                Ok(spool) => self.search_opened(&spool, depth + 1, searched)?,
                Err(error @ ConversionError::Spool(_)) => return Err(error),
                Err(ConversionError::Open(OpenError::NoKey(_))) => searched.of_others += 1,
                Err(error) => searched.note(sealed, Why::Envelope(error.to_string())),
            }
        }
        // A message may be encoded, so that no envelope is seen in it yet.
        let is_encoded =
            |other: &Other| other.part.media_type.starts_with("message/") || other.part.is_named;
        if depth == 0 && found.others.iter().any(is_encoded) {
            let display = Display::of(message).map_err(ConversionError::Read)?;
            for inner in &display.messages {
                self.search_envelopes(&inner.as_slice(), depth + 1, searched)?;
            }
        }
        Ok(())
    }

    fn opened(&self, message: &dyn Reopen, sealed: &Sealed) -> Result<Spool, ConversionError> {
        let content = self.opener.open_envelope(message, sealed)?;
        self.spooled(content)
    }

    fn spooled<R: Read + Send>(&self, content: Content<R>) -> Result<Spool, ConversionError> {
        let mut spool = SpoolWriter::new(&mut *(self.new_rng)()).map_err(ConversionError::Spool)?;
        self.opener.copy(content, &mut spool)?;
        spool.finish().map_err(ConversionError::Spool)
    }

    /// Searches a message that was sealed, and the envelopes in it.
    fn search_opened(
        &self,
        opened: &dyn Reopen,
        depth: usize,
        searched: &mut Searched,
    ) -> Result<(), ConversionError> {
        let display = Display::of(opened).map_err(ConversionError::Spool)?;
        searched.add(&display, self.is_match);
        self.search_envelopes(opened, depth, searched)?;
        for inner in &display.messages {
            self.search_envelopes(&inner.as_slice(), depth, searched)?;
        }
        Ok(())
    }
}

impl Searched {
    /// Searches what is read of a message: its fields, and all its texts.
    pub fn add(&mut self, display: &Display, is_match: &dyn Fn(&str) -> bool) {
        let field = |name: &str| display.field(name).map(|value| format!("{name}: {value}"));
        let fields = Display::FIELDS.into_iter().filter_map(field);
        let texts = display.texts.iter().chain(&display.attached);
        let lines = texts.flat_map(|text| text.text.split(['\n', '\r']));
        let lines = fields.chain(lines.map(str::to_owned));
        let room = LINES_MAX.saturating_sub(self.lines.len());
        self.lines
            .extend(lines.filter(|line| is_match(line)).take(room));
        for unread in &display.unread {
            match unread.why {
                Why::Binary => self.binaries += 1,
                _ if self.unread.len() < UNREAD_MAX => self.unread.push(unread.to_string()),
                _ => {}
            }
        }
    }

    fn note(&mut self, sealed: &Sealed, why: Why) {
        let number = sealed.part.number.clone();
        if self.unread.len() < UNREAD_MAX {
            self.unread.push(Unread { number, why }.to_string());
        }
    }

    /// As the reason why a message is left alone, which is all that a [`Transform`] can say.
    fn told(&self) -> String {
        let one_line = |text: &String| text.replace(['\n', '\r'], " ");
        let head = [self.binaries, self.of_others, self.unread.len() as u64];
        let head = head.map(|number| number.to_string());
        let lines = self.unread.iter().chain(&self.lines).map(one_line);
        head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
    }

    fn read(told: &str) -> Self {
        let mut lines = told.split('\n').map(str::to_owned);
        let mut number = || {
            lines
                .next()
                .and_then(|line| line.parse().ok())
                .unwrap_or_default()
        };
        let (binaries, of_others, unread) = (number(), number(), number());
        Self {
            binaries,
            of_others,
            unread: lines
                .by_ref()
                .take(usize::try_from(unread).unwrap_or_default())
                .collect(),
            lines: lines.collect(),
        }
    }
}

impl Transform for MailboxSearch<'_> {
    type Receipt = ();
    type Error = ConversionError;

    fn direction(&self) -> Direction {
        Direction::Unseal
    }

    /// What was found is returned as the reason why the message is left alone.
    fn decide(&self, message: &dyn Reopen) -> Result<Decision, ConversionError> {
        let mut searched = Searched::default();
        match self.opener.open(message)? {
            SealedState::Mine(content, _) => {
                let opened = self.spooled(*content)?;
                self.search_opened(&opened, 1, &mut searched)?;
            }
            SealedState::Plain | SealedState::Other => {
                self.search_envelopes(message, 0, &mut searched)?;
            }
        }
        Ok(match searched == Searched::default() {
            true => Decision::Already,
            false => Decision::Skip(searched.told()),
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
