//! The program behind `--`: started only when everything for it is ready, its own code passed on.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::process::{Command, ExitStatus, Stdio};

use crate::cli::errors::sysexits::Sysexit;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::terminal::safe;

/// Runs a program with `message` as its standard input, from its first byte on. `what` is what cannot be done without it;
/// `not_there` is the code for a program that cannot be run, and will not be by itself.
pub(crate) fn run(
    what: &str,
    program: &mut Command,
    message: &File,
    not_there: Sysexit,
) -> Result<(), Failure> {
    let name = safe(&program.get_program().to_string_lossy());
    let failed = |because: String| Failure::new(Exit::Failed, what).reason(because);
    let status = started(program, message).map_err(|error| {
        let code = if stays_away(&error) {
            not_there
        } else {
            Sysexit::TempFail
        };
        failed(format!("{name} cannot be run: {}", io_message(&error))).sysexit(code)
    })?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => {
            let code = u8::try_from(code).unwrap_or(Sysexit::TempFail.code());
            Err(failed(format!("{name} ended with {code}")).passing_on(code))
        }
        None => Err(failed(format!("{name} was ended by a signal")).sysexit(Sysexit::TempFail)),
    }
}

fn started(program: &mut Command, message: &File) -> io::Result<ExitStatus> {
    let mut input = message.try_clone()?;
    input.seek(SeekFrom::Start(0))?;
    program.stdin(Stdio::from(input)).status()
}

/// A program that is not there, or is none, stays away; too many processes or open files do not.
fn stays_away(error: &io::Error) -> bool {
    let is_none = error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error());
    let kinds = [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied];
    is_none || kinds.contains(&error.kind())
}
