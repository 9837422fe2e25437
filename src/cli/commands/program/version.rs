//! `encl version`.

use clap::Args;
use encl::crypto::aead::Backend;
use serde::Serialize;

use crate::cli::commands::program::help::closing;
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

pub(crate) fn run(terminal: Terminal, json: bool) -> CommandResult {
    let object = Object {
        schema: "encl.version/1",
        version: env!("CARGO_PKG_VERSION"),
        format: "encl/1",
        aes: Backend::of_this_machine().name(),
    };
    if json {
        return Ok(terminal.print_object(&object, Stream::Stdout)?);
    }
    Ok(terminal.print(&format!(
        "encl {}\nformat {}\nAES {}",
        object.version, object.format, object.aes
    ))?)
}
