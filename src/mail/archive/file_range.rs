//! A piece of a file, read without moving the file's own place.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use crate::mail::Reopen;

/// The bytes of a file from `at` up to `end`, or to the file's end if that comes first.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileRange<'a> {
    pub(super) file: &'a File,
    pub(super) at: u64,
    pub(super) end: u64,
}

impl<'a> FileRange<'a> {
    pub(super) fn all(file: &'a File) -> Self {
        Self {
            file,
            at: 0,
            end: u64::MAX,
        }
    }
}

impl Read for FileRange<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let count = self.file.read_at(&mut buffer[..room], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Reopen for FileRange<'_> {
    fn open(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(*self))
    }
}
