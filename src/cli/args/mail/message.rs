//! One message of a mail command: where it is read from, where the result is written to, and whom it may be from.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use encl::atomic_file::Existing;
use encl::mail::NOTICE_BYTES_MAX;
use encl::mail::Notice;
use encl::operations::mail::incoming::sender_check::FromMismatch;

use crate::cli::args::{existing, one_input};
use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::Input;
use crate::cli::files::target::Target;
use crate::cli::terminal::shown;

/// One message.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OneMessage {
    /// The message, or `-` for standard input (the default)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
}

impl OneMessage {
    pub(crate) fn input(&self, verb: &str, context: &Context) -> Result<Input, Failure> {
        let input = one_input(self.file.as_deref(), verb, context)?;
        match input.path() {
            Some(path) if path.is_dir() => Err(input
                .cannot(verb, Exit::Usage)
                .reason("it is a folder")
                .hint("`encl mail seal` and `unseal` go through a Maildir")),
            _ => Ok(input),
        }
    }
}

/// Where it goes.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct MailOutput {
    /// Write to OUT instead of standard output
    #[arg(long, short, value_name = "OUT", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Replace OUT if it exists
    #[arg(long)]
    pub(crate) force: bool,
}

impl MailOutput {
    pub(crate) fn target(&self) -> Target {
        self.output.as_deref().map_or(Target::Stdout, Target::parse)
    }

    pub(crate) fn existing(&self) -> Existing {
        existing(self.force)
    }
}

/// The text in front of the envelope.
pub(crate) fn notice(file: Option<&Path>) -> Result<Notice, Failure> {
    let Some(path) = file else {
        return Ok(Notice::default());
    };
    let what = format!("cannot use the notice {}", shown(path));
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| {
        file.take(NOTICE_BYTES_MAX as u64 + 1)
            .read_to_string(&mut text)
    });
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(Failure::new(Exit::Usage, what).reason("it is not printable ASCII"))
        }
        Err(error) => Err(Failure::io(what, &error).file(path)),
        Ok(_) => Notice::new(&text)
            .map_err(|error| Failure::new(Exit::Usage, what).reason(error.to_string())),
    }
}

/// What to do about a sender under another name.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct FromOption {
    /// Open it though it was signed by somebody else than the person in From
    #[arg(long)]
    allow_from_mismatch: bool,
}

impl FromOption {
    pub(crate) fn rule(self) -> FromMismatch {
        match self.allow_from_mismatch {
            true => FromMismatch::Allow,
            false => FromMismatch::Refuse,
        }
    }
}
