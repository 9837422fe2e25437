//! The only writer to the terminal: what was done, notices, warnings, failures. Data goes through `stdout.rs`.

pub(crate) mod blocking;
pub(crate) mod escape;
pub(crate) mod fit;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod stdin;
pub(crate) mod stdout;

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::cli::terminal::blocking::Blocking;
use crate::cli::terminal::escape::{json_spelled_out, spelled_out};
pub(crate) use crate::cli::terminal::escape::{quoted, safe, shown, typed};
use crate::cli::terminal::fit::fitted;
use crate::cli::terminal::stdout::{Stdout, StdoutError};

/// What of stderr a person or a program wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputMode {
    /// Everything, in words.
    Words,
    /// Warnings and failures only, in words.
    Quiet,
    /// Objects only, one a line.
    Json,
}

/// stderr, and standard output for short texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    voice: OutputMode,
    shows_progress: bool,
}

/// Held while stderr is written or a question is asked, so that nothing is written into a question.
static SCREEN: Mutex<()> = Mutex::new(());

/// Locks the terminal for a question; nothing else is written until the guard is dropped.
pub(crate) fn screen() -> MutexGuard<'static, ()> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::unused_self,
    reason = "only whoever holds the terminal may write"
)]
impl Terminal {
    pub(crate) fn new(voice: OutputMode) -> Self {
        Self {
            voice,
            shows_progress: true,
        }
    }

    /// A terminal that shows no progress.
    pub(crate) fn without_progress(self) -> Self {
        Self {
            shows_progress: false,
            ..self
        }
    }

    /// Whether progress is to be shown: stderr is a terminal and shows text.
    pub(crate) fn is_watched(self) -> bool {
        self.shows_progress && self.voice == OutputMode::Words && io::stderr().is_terminal()
    }

    /// Whether a program reads, which wants objects instead of words.
    pub(crate) fn wants_objects(self) -> bool {
        self.voice == OutputMode::Json
    }

    /// Whether [`Terminal::status`] shows anything.
    pub(crate) fn shows_status(self) -> bool {
        self.voice == OutputMode::Words
    }

    /// What was done: `encl: …`. Silent with `--quiet` and `--json` (the object says it).
    pub(crate) fn status(self, text: &str) {
        if self.voice == OutputMode::Words {
            line(Style::new(), "", text);
        }
    }

    /// What should be known but is no reason to stop, such as an unverified sender.
    pub(crate) fn notice(self, text: &str) {
        match self.voice {
            OutputMode::Words => line(Style::new(), "", text),
            OutputMode::Json => write_stderr(&object(&TerminalMemory::new("encl.notice/1", text))),
            OutputMode::Quiet => {}
        }
    }

    /// What is probably not as it was meant. Never silent.
    pub(crate) fn warning(self, text: &str) {
        match self.voice {
            OutputMode::Words | OutputMode::Quiet => {
                line(AnsiColor::Yellow.on_default().bold(), "warning: ", text);
            }
            OutputMode::Json => write_stderr(&object(&TerminalMemory::new("encl.warning/1", text))),
        }
    }

    /// Writes an error: its lines, each beginning with `encl: `, or `object` where a program reads.
    pub(crate) fn error(self, lines: &[String], object: &impl Serialize) {
        if self.voice == OutputMode::Json {
            write_stderr(&self::object(object));
            return;
        }
        for text in lines {
            let (style, label) = match text.strip_prefix("encl: ") {
                Some(rest) if rest.starts_with("error: ") => {
                    (AnsiColor::Red.on_default().bold(), "error: ")
                }
                Some(rest) if rest.starts_with("hint: ") => {
                    (AnsiColor::Cyan.on_default().bold(), "hint: ")
                }
                _ => {
                    write_stderr(&fitted(spelled_out(text), MORE, io::stderr()));
                    continue;
                }
            };
            line(style, label, &text["encl: ".len() + label.len()..]);
        }
    }

    /// Shows a text of several lines as it stands, hazards spelled out. A program gets it as a notice.
    pub(crate) fn text(self, text: &str) {
        if self.voice == OutputMode::Json {
            return self.notice(text);
        }
        let line = |line: &str| fitted(spelled_out(line), "  ", io::stderr());
        let lines: Vec<_> = text.lines().map(line).collect();
        write_stderr(&lines.join("\n"));
    }

    /// Writes text for people to standard output, line by line, hazards spelled out.
    pub(crate) fn print(self, text: &str) -> Result<(), StdoutError> {
        let lines = text
            .lines()
            .map(|line| fitted(spelled_out(line), "  ", io::stdout()) + "\n");
        Stdout::open()?.put(lines.collect::<String>().as_bytes())
    }

    /// Writes one object to standard output, or to stderr where data stands on standard output.
    pub(crate) fn print_object(
        self,
        object: &impl Serialize,
        stream: Stream,
    ) -> Result<(), StdoutError> {
        let line = self::object(object);
        match stream {
            Stream::Stdout => Stdout::open()?.put((line + "\n").as_bytes()),
            Stream::Stderr => {
                write_stderr(&line);
                Ok(())
            }
        }
    }
}

/// Where an object goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// One JSON object in one line, without anything that a terminal would obey.
pub(crate) fn object(object: &impl Serialize) -> String {
    json_spelled_out(
        &serde_json::to_string(object).expect("our objects hold strings, numbers and lists"),
    )
}

#[derive(Serialize)]
struct TerminalMemory<'a> {
    schema: &'a str,
    message: &'a str,
}

impl<'a> TerminalMemory<'a> {
    fn new(schema: &'a str, message: &'a str) -> Self {
        Self { schema, message }
    }
}

/// What begins a line that goes on with the one before.
const MORE: &str = "encl:   ";

fn line(style: Style, label: &str, text: &str) {
    let text = spelled_out(text);
    let line = match label {
        "" => format!("encl: {text}"),
        _ => format!("encl: {style}{label}{style:#}{text}"),
    };
    write_stderr(&fitted(line, MORE, io::stderr()));
}

/// Writes a line with one call, so that the lines of two programs on one terminal do not mix. Errors are ignored: without stderr
/// the exit code is all that is left.
fn write_stderr(line: &str) {
    let _screen = screen();
    let stderr = io::stderr();
    let line = match anstream::AutoStream::choice(&stderr) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(line).to_string(),
        _ => line.to_owned(),
    };
    let _ = Blocking(stderr).write_all((line + "\n").as_bytes());
}
