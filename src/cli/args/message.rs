//! One message of a mail command: where it is read from, where the result is written to, and whom it may be from.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use encl::atomic_file::Existing;
use encl::operations::mail::incoming::sender_check::FromMismatch;

use crate::cli::args::InputFiles;
use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::{Input, is_dash};
use crate::cli::files::target::Target;

/// One message.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OneMessage {
    /// The message, or `-` for standard input (the default)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
}

impl OneMessage {
    pub(crate) fn input(&self, verb: &str, context: &Context) -> Result<Input, Failure> {
        let files = InputFiles {
            files: self.file.iter().cloned().collect(),
            ..InputFiles::default()
        };
        let input = Input::of(&files, verb, context)?.remove(0);
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
        match &self.output {
            Some(path) if !is_dash(path) => Target::File(path.clone()),
            _ => Target::Stdout,
        }
    }

    pub(crate) fn existing(&self) -> Existing {
        if self.force {
            Existing::Replace
        } else {
            Existing::Keep
        }
    }
}

/// What to do about a sender under another name.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct FromOption {
    /// Open it though it is signed by somebody whose card has not the address in From
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
