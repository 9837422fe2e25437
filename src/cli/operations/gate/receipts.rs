//! Receipts kept in a folder: that a gate answered, and so has logged it. An owner compares them with what the gate shows.

use std::io::Write;
use std::path::Path;

use encl::atomic_file::{AtomicFile, Existing, FileMode};
use encl::crypto::sha256;

use crate::cli::context::Context;
use crate::cli::display::names::hex;
use crate::cli::errors::files::not_made;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::terminal::shown;

/// Writes a file for each answer of this run: the entry, its proof and the checkpoint.
pub(crate) fn keep(folder: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let Some(folder) = folder else { return Ok(()) };
    for (ticket, receipt) in context.asking.receipts() {
        let text = receipt.to_text();
        // Another gate, or another log of the same one, has other receipts with that number.
        let hash = sha256(&[&text]);
        let number = receipt.place.index;
        let (ticket, hash) = (hex(&ticket.0[..8]), hex(&hash[..4]));
        let path = folder.join(format!("{ticket}-{number}-{hash}.receipt"));
        let cannot = || Failure::new(Exit::Failed, format!("cannot write {}", shown(&path)));
        let file = AtomicFile::create(&path, FileMode::Umask, Existing::Replace);
        let mut file = file.map_err(|error| not_made(cannot(), &error))?;
        let written = file.write_all(&text);
        written.map_err(|error| cannot().reason(io_message(&error)))?;
        file.commit().map_err(|error| not_made(cannot(), &error))?;
    }
    Ok(())
}
