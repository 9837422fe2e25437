//! An outcome in words and as JSON: each is one implementation, and [`show`] is the one place that chooses.

use serde::Serialize;

use crate::cli::terminal::stdout::StdoutError;
use crate::cli::terminal::{Stream, Terminal};

/// An outcome that can be shown.
pub(crate) trait Report {
    /// The object that a program reads.
    type Object<'a>: Serialize
    where
        Self: 'a;

    fn object(&self) -> Self::Object<'_>;

    /// Shows it to a person.
    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError>;
}

/// Shows a report: as an object on `stream` with `--json`, else in words.
pub(crate) fn show(
    report: &impl Report,
    stream: Stream,
    terminal: Terminal,
) -> Result<(), StdoutError> {
    match terminal.wants_objects() {
        true => terminal.print_object(&report.object(), stream),
        false => report.show_text(terminal),
    }
}

/// An object, and the same in words.
pub(crate) struct Outcome<O> {
    pub(crate) object: O,
    pub(crate) words: Words,
}

/// The text for a person, and the stream that it goes to.
pub(crate) enum Words {
    /// It was asked for: on standard output.
    Answer(String),
    /// It was done: on stderr, unless --quiet.
    Status(String),
    /// No text: everything was reported on the way.
    Nothing,
}

impl<O: Serialize> Report for Outcome<O> {
    type Object<'a>
        = &'a O
    where
        O: 'a;

    fn object(&self) -> &O {
        &self.object
    }

    fn show_text(&self, terminal: Terminal) -> Result<(), StdoutError> {
        match &self.words {
            Words::Answer(text) => terminal.print(text)?,
            Words::Status(text) => terminal.status(text),
            Words::Nothing => {}
        }
        Ok(())
    }
}
