//! `encl version`.

use clap::Args;
use encl::crypto::aead::Backend;
use serde::Serialize;

use crate::cli::args::help::closing;
use crate::cli::display::report::{self, Outcome, Words};
use crate::cli::errors::{CommandResult, Exit};
use crate::cli::terminal::{Stream, Terminal};

/// Print the version, the format version, and whether this processor computes AES itself
#[derive(Debug, Args)]
#[command(after_help = closing(&[Exit::Failed], "\
  $ encl version
  $ encl version --json"))]
pub(crate) struct Arguments {}

#[derive(Serialize)]
struct Object {
    schema: &'static str,
    version: &'static str,
    format: &'static str,
    aes: &'static str,
}

pub(crate) fn run(terminal: Terminal) -> CommandResult {
    let object = Object {
        schema: "encl.version/1",
        version: env!("CARGO_PKG_VERSION"),
        format: "encl/1",
        aes: Backend::of_this_machine().name(),
    };
    let words = format!(
        "encl {}\nformat {}\nAES {}",
        object.version, object.format, object.aes
    );
    let outcome = Outcome {
        object,
        words: Words::Answer(words),
    };
    Ok(report::show(&outcome, Stream::Stdout, terminal)?)
}
