//! The rest of one file copied into a file in the making, by the system itself where it can: blocks are shared where the file
//! system knows how, and both places are multiples of its blocks.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use rustix::fs::copy_file_range;
use rustix::io::Errno;

use super::AtomicFile;

/// What one call copies: enough for sharing blocks at once, and small enough for a signal to be heard.
const CALL_BYTES: usize = 16 << 20;
/// What is read and written at once where the system cannot copy.
const BUFFER_BYTES: usize = 512 << 10;

impl AtomicFile {
    /// Appends what `from` holds from byte `at` on, to its end, and returns how much that is. Memory does not grow with it.
    ///
    /// # Errors
    /// What the system says to reading `from` or writing this file.
    pub fn append_rest(&mut self, from: &File, at: u64) -> io::Result<u64> {
        let mut copied = 0;
        loop {
            let mut offset = at + copied;
            match copy_file_range(from, Some(&mut offset), &self.file, None, CALL_BYTES) {
                // The end; or a special file, whose content can only be read.
                Ok(0) => break,
                Ok(count) => copied += self.wrote(count) as u64,
                Err(Errno::INTR) => {}
                // Two file systems, a kernel or a file system that does not know how, or a sandbox that forbids it.
                Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match from.read_at(&mut buffer, at + copied) {
                Ok(0) => return Ok(copied),
                Ok(count) => {
                    self.write_all(&buffer[..count])?;
                    copied += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atomic_file::{Existing, FileMode};

    fn copied(from: &File, at: u64) -> (u64, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let mut file = AtomicFile::create(&target, FileMode::Umask, Existing::Keep).unwrap();
        file.write_all(b"front").unwrap();
        let bytes = file.append_rest(from, at).unwrap();
        file.write_all(b"end").unwrap();
        file.commit().unwrap();
        (bytes, std::fs::read(&target).unwrap())
    }

    #[test]
    fn the_rest_follows_what_was_written() {
        let content: Vec<u8> = (0..=255).cycle().take(3 << 20).collect();
        let mut from = tempfile::tempfile().unwrap();
        from.write_all(&content).unwrap();
        for at in [
            0,
            1,
            4_096,
            content.len() - 1,
            content.len(),
            content.len() + 1,
        ] {
            let rest = content.get(at..).unwrap_or_default();
            let (bytes, whole) = copied(&from, at as u64);
            assert_eq!(bytes, rest.len() as u64);
            assert!(whole == [b"front", rest, b"end"].concat(), "from {at}");
        }
    }

    #[test]
    fn a_file_that_the_system_does_not_copy_is_read() {
        // Its length is 0 and it has content all the same.
        let from = File::open("/proc/self/status").unwrap();
        let (bytes, whole) = copied(&from, 0);
        assert!(bytes > 100 && whole.starts_with(b"frontName:") && whole.ends_with(b"end"));
    }
}
