//! The text in front of an envelope, from a file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encl::mail::{NOTICE_BYTES_MAX, Notice};

use crate::cli::errors::{Exit, Failure};
use crate::cli::terminal::shown;

/// The text in `file`, or else the usual one.
pub(crate) fn notice(file: Option<&Path>) -> Result<Notice, Failure> {
    let Some(path) = file else {
        return Ok(Notice::default());
    };
    let what = format!("cannot use the notice {}", shown(path));
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        file.take(NOTICE_BYTES_MAX as u64 + 1)
            .read_to_string(&mut text)
    });
    match read {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Failure::new(Exit::Usage, what).reason("it is not printable ASCII"))
        }
        Err(error) => Err(Failure::io(what, &error).file(path)),
        Ok(_) => Notice::new(&text)
            .map_err(|error| Failure::new(Exit::Usage, what).reason(error.to_string())),
    }
}
