//! A file with private keys is read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::context::Context;
use crate::cli::errors::Failure;
use crate::cli::files::input::is_dash;
use crate::cli::terminal::blocking::Blocking;
use crate::cli::terminal::stdin;

/// Reads a file or standard input; at most one byte more than it can have, so that a longer one is refused as too long.
pub(crate) fn read_private(
    path: &Path,
    max: usize,
    what: &str,
    context: &Context,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error: io::Error| Failure::io(what, &error).file(path);
    // Room for all from the start: a buffer that grows leaves copies of secrets behind.
    let limit = max + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(limit));
    let read = if is_dash(path) {
        context.passphrases.stdin_is_data();
        stdin::open().and_then(|stdin| Blocking(stdin).take(limit as u64).read_to_end(&mut text))
    } else {
        let file = File::open(path).map_err(failed)?;
        file.take(limit as u64).read_to_end(&mut text)
    };
    read.map_err(failed)?;
    Ok(text)
}
