//! Input that can be read more than once, each time from its beginning: what a message holds is known only at its end.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// An input that can be opened for reading more than once.
pub trait Reopen {
    /// A reader that begins at the first byte.
    ///
    /// # Errors
    /// When the input cannot be read.
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>>;
}

impl Reopen for [u8] {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(self))
    }
}

impl<T: Reopen + ?Sized> Reopen for &T {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        (**self).open()
    }
}

/// A regular file from `from` on. The file's own position is neither used nor moved.
pub struct FileFrom<'a> {
    /// The file, opened for reading.
    pub file: &'a File,
    /// Where its content begins, in bytes.
    pub from: u64,
}

impl<'a> FileFrom<'a> {
    /// A reader of `file` that begins at byte `from`, and neither uses nor moves the file's own place.
    #[must_use]
    pub fn reader(file: &'a File, from: u64) -> impl Read + use<'a> {
        At { file, at: from }
    }
}

impl Reopen for FileFrom<'_> {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Self::reader(self.file, self.from)))
    }
}

struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
