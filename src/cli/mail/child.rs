//! The program behind `--`: started only when everything for it is ready, its own code passed on.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::process::{Command, Stdio};

use super::super::report::{Exit, Failure, Stop};
use super::super::terminal::safe;
use super::sysexits::Sysexit;

/// Runs `program` with `message` as its standard input, from its first byte on.
pub(crate) fn run(program: &OsString, arguments: &[OsString], message: &File) -> Result<(), Stop> {
    let name = safe(&program.to_string_lossy());
    let cannot = |error: &std::io::Error| {
        Failure::io(format!("cannot run {name}"), error).sysexit(Sysexit::Unavailable)
    };
    let mut input = message.try_clone().map_err(|error| cannot(&error))?;
    input
        .seek(SeekFrom::Start(0))
        .map_err(|error| cannot(&error))?;
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::from(input))
        .status()
        .map_err(|error| cannot(&error))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Stop::Code(
            u8::try_from(code).unwrap_or(Sysexit::TempFail.code()),
        )),
        None => Err(
            Failure::new(Exit::Failed, format!("{name} was ended by a signal"))
                .sysexit(Sysexit::TempFail)
                .into(),
        ),
    }
}
