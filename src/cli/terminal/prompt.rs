//! Questions on the terminal device, so that pipes stay pipes; echo off for secrets, and on again whatever happens.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use zeroize::Zeroizing;

use crate::cli::process;
use crate::cli::terminal::escape::spelled_out;
use crate::cli::terminal::fit::fitted;

const DEVICE: &str = "/dev/tty";
/// Ctrl-C, which ends the question like Enter does, but means "cancel".
const INTERRUPT: u8 = 0x03;
/// Longer than the longest line that a terminal hands over (4,096 bytes, termios(3)).
const LINE_BYTES_MAX: usize = 4097;

/// The terminal as it was before echo was switched off, for the signal that ends the process.
static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Puts the terminal back as it was. Called on drop, and before a signal ends the program.
fn restore_terminal() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((device, modes)) = before {
        let _ = tcsetattr(device, OptionalActions::Flush, &modes);
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromptError {
    #[error("there is no terminal to ask on")]
    NoTerminal,
    #[error("the question was cancelled")]
    Cancelled,
    #[error("the answer is not UTF-8")]
    NotText,
    #[error("the terminal cannot be read")]
    Io(#[from] io::Error),
}

/// The terminal device.
pub(crate) struct Prompt {
    device: File,
}

impl Prompt {
    /// Opens the terminal of this session, if it has one.
    pub(crate) fn open() -> Result<Self, PromptError> {
        let device = File::options().read(true).write(true).open(DEVICE);
        device
            .map(|device| Self { device })
            .map_err(|_| PromptError::NoTerminal)
    }

    /// Shows a text, as it fits on the terminal.
    pub(crate) fn say(&mut self, text: &str) -> Result<(), PromptError> {
        let lines = text.lines().map(|line| self.fitted(line));
        let lines: Vec<String> = lines.collect();
        Ok(writeln!(self.device, "{}", lines.join("\n"))?)
    }

    /// Asks without echo. An empty answer is an answer; Ctrl-D and Ctrl-C cancel.
    pub(crate) fn secret(&mut self, question: &str) -> Result<Zeroizing<String>, PromptError> {
        let quiet = EchoOff::begin(&self.device)?;
        write!(self.device, "{}: ", spelled_out(question))?;
        let answer = self.line();
        drop(quiet);
        writeln!(self.device)?;
        answer
    }

    /// Asks for a line that is seen as it is typed. Ctrl-D cancels.
    pub(crate) fn seen(&mut self, question: &str) -> Result<Zeroizing<String>, PromptError> {
        write!(self.device, "{}: ", self.fitted(question))?;
        self.line()
    }

    /// Asks a question whose only yes is `y` or `yes`.
    pub(crate) fn yes(&mut self, question: &str) -> Result<bool, PromptError> {
        write!(self.device, "{} [y/N] ", self.fitted(question))?;
        let answer = self.line()?;
        Ok(matches!(
            answer.trim().to_ascii_lowercase().as_str(),
            "y" | "yes"
        ))
    }

    fn fitted(&self, line: &str) -> String {
        fitted(spelled_out(line), "  ", &self.device)
    }

    /// One line, without its end. The kernel hands over a line at a time (canonical mode).
    fn line(&mut self) -> Result<Zeroizing<String>, PromptError> {
        let mut line = Zeroizing::new([0; LINE_BYTES_MAX]);
        let end = loop {
            match self.device.read(&mut line[..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let Some((b'\n', text)) = line[..end].split_last() else {
            return Err(PromptError::Cancelled); // end of input, or Ctrl-C
        };
        let text = std::str::from_utf8(text).map_err(|_| PromptError::NotText)?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// Echo is off while this lives.
struct EchoOff;

impl EchoOff {
    fn begin(device: &File) -> Result<Self, PromptError> {
        let before = tcgetattr(device).map_err(io::Error::from)?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG;
        modes.local_modes |= LocalModes::ICANON;
        // Without ISIG Ctrl-C is a byte; as an extra end of line it arrives at once (termios(3), VEOL).
        modes.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        let saved = (device.try_clone()?, before);
        process::before_end(restore_terminal);
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(saved);
        let silence = Self;
        // Flush: what was typed before the question is not an answer to it.
        tcsetattr(device, OptionalActions::Flush, &modes).map_err(io::Error::from)?;
        Ok(silence)
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        restore_terminal();
    }
}
