//! Files of a folder that others fill: only regular ones are read, and never more of one than is looked at.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file.
///
/// # Errors
/// What the system refuses; [`io::ErrorKind::InvalidInput`]: it is no regular file.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    // O_NONBLOCK, so that a named pipe cannot make us wait.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("an open(2) flag is an int");
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no regular file",
        )),
    }
}

/// What stands in a regular file; `None`: that is more than `max` bytes.
///
/// # Errors
/// What the system refuses; [`io::ErrorKind::InvalidInput`]: it is no regular file.
pub fn read_short(path: &Path, max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // A file that grows meanwhile is not read further either.
    open_regular(path)?.take(max + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= max).then_some(bytes))
}
