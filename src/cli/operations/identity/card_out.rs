//! The card of an identity that was just made or changed: it goes to a file or to standard output, which is opened before anything
//! is made.

use std::io::IsTerminal;
use std::path::PathBuf;

use encl::atomic_file::{Existing, FileMode};
use encl::identity::Card;

use crate::cli::args::existing;
use crate::cli::args::identity::CardOutput;
use crate::cli::context::Context;
use crate::cli::display::cards::card::CardReport;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::out_file::OutFile;
use crate::cli::files::target::Target;
use crate::cli::terminal::stdout::Stdout;
use crate::cli::terminal::{Stream, shown};

/// Names that are tried for a file that nobody named.
const NAMES_MAX: usize = 99;

/// Where the card goes.
pub(crate) enum CardOut {
    Stdout,
    File(OutFile),
    /// A file whose name encl chose.
    Chosen(PathBuf, OutFile),
}

impl CardOut {
    /// Opens it. On a terminal a card of 30 lines would push away what is said about it: it goes to a file named after `address`.
    pub(crate) fn begin(
        wish: &CardOutput,
        address: &str,
        context: &Context,
    ) -> Result<Self, Failure> {
        match wish.output.as_deref().map(Target::parse) {
            Some(Target::File(path)) => {
                let file = OutFile::begin(&path, FileMode::Umask, existing(wish.force))?;
                Ok(Self::File(file))
            }
            None if !context.json && std::io::stdout().is_terminal() => beside(address),
            Some(Target::Stdout) | None => {
                Stdout::check()?;
                Ok(Self::Stdout)
            }
        }
    }

    /// Writes the card. `made` says what is already done if that fails.
    pub(crate) fn finish(self, card: &Card, made: &str, context: &Context) -> Result<(), Failure> {
        let report = CardReport::new(card);
        let written = match self {
            Self::Stdout => context.report(&report, Stream::Stdout),
            Self::File(file) => {
                let written = file.finish(report.text().as_bytes());
                written.and_then(|()| match context.json {
                    true => context.report(&report, Stream::Stdout),
                    false => Ok(()),
                })
            }
            Self::Chosen(path, file) => file.finish(report.text().as_bytes()).map(|()| {
                let path = shown(&path);
                let status = format!("its card is in {path}: give that to others");
                context.terminal.status(&status);
            }),
        };
        written.map_err(|failure| failure.hint(format!("{made}; {} the card", report.later())))
    }
}

/// `bob@example.org.card` in this folder, or the next such name that is free.
fn beside(address: &str) -> Result<CardOut, Failure> {
    let fits = |letter: char| letter.is_alphanumeric() || "@._+-".contains(letter);
    let name = address.trim_start_matches(['.', '-']);
    let name = name.replace(|letter: char| !fits(letter), "_");
    let numbered = |number: usize| match number {
        1 => PathBuf::from(format!("{name}.card")),
        _ => PathBuf::from(format!("{name}-{number}.card")),
    };
    let mut number = 1;
    loop {
        let path = numbered(number);
        match OutFile::begin(&path, FileMode::Umask, Existing::Keep) {
            Ok(file) => return Ok(CardOut::Chosen(path, file)),
            Err(failure) if failure.exit == Exit::Exists && number < NAMES_MAX => number += 1,
            Err(failure) => return Err(failure),
        }
    }
}
