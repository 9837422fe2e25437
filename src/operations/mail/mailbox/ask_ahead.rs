//! The gates of all messages of a mailbox asked ahead: one request for 256 messages, and not one for each.

use std::io::Write;
use std::mem;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::ConversionError;
use super::unseal::MailboxOpener;
use crate::envelope::HeldQuestion;
use crate::mail::archive::{Archive, ArchiveError, Decision, Direction, Mode, Run, Transform};
use crate::mail::{Reopen, find};

/// So many questions are asked at once: as many as one request holds.
const TOGETHER: usize = 256;
/// Envelopes of one message that are looked at.
const ENVELOPES_MAX: usize = 20;

/// Collects what the gates of messages are to be asked.
pub struct AskAhead<'a> {
    opener: &'a MailboxOpener<'a>,
    waiting: Mutex<Vec<HeldQuestion>>,
}

impl<'a> AskAhead<'a> {
    /// Asks for the messages that this opens.
    #[must_use]
    pub fn new(opener: &'a MailboxOpener<'a>) -> Self {
        Self {
            opener,
            waiting: Mutex::default(),
        }
    }

    /// Asks for all messages of a mailbox; nothing is done where no gate is known. What cannot be read is told when it is opened.
    ///
    /// # Errors
    /// [`ArchiveError`] when the mailbox as a whole cannot be read.
    pub fn mailbox(&self, mailbox: &Path, jobs: NonZeroUsize) -> Result<(), ArchiveError> {
        if !self.opener.keys.has_gates() {
            return Ok(());
        }
        let run = Run {
            transform: self,
            jobs,
            originals: None,
            mode: Mode::DryRun,
        };
        run.run_on(&Archive::find(mailbox)?, &mut |_| {})?;
        self.ask(1);
        Ok(())
    }

    /// Asks if so many questions wait.
    fn ask(&self, least: usize) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < least {
            return;
        }
        let questions = mem::take(&mut *waiting);
        drop(waiting);
        self.opener.keys.ask_ahead(&questions);
    }

    fn collect(&self, message: &dyn Reopen) -> Result<(), ConversionError> {
        let Ok(found) = find(&mut message.open().map_err(ConversionError::Read)?) else {
            return Ok(());
        };
        for sealed in found.envelopes.iter().take(ENVELOPES_MAX) {
            // What does not open is told when it is to be opened.
            if let Ok(Some(question)) = self.opener.question(message, sealed) {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.push(question);
            }
        }
        self.ask(TOGETHER);
        Ok(())
    }
}

impl Transform for AskAhead<'_> {
    type Receipt = ();
    type Error = ConversionError;

    fn direction(&self) -> Direction {
        Direction::Unseal
    }

    fn decide(&self, message: &dyn Reopen) -> Result<Decision, ConversionError> {
        self.collect(message)?;
        Ok(Decision::Already)
    }

    fn write(&self, _: &dyn Reopen, _: &mut (dyn Write + Send)) -> Result<(), ConversionError> {
        unreachable!("nothing is changed while gates are asked")
    }

    fn verify(&self, (): (), _: &dyn Reopen, _: &dyn Reopen) -> Result<(), ConversionError> {
        unreachable!("nothing is changed while gates are asked")
    }

    fn is_form_of(&self, _: &dyn Reopen, _: &dyn Reopen) -> Result<bool, ConversionError> {
        Ok(false)
    }
}
