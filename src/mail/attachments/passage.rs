//! A message read once from its beginning to its end, in stretches between offsets that are known.

use std::io::{self, Read};

use super::super::reopen::Reopen;

const BUFFER_BYTES: usize = 64 << 10;

/// Takes bytes of a message, with their offset.
pub(super) type Take<'t> = dyn FnMut(u64, &[u8]) -> io::Result<()> + 't;

/// The message on its way.
pub(super) struct Passage<'m> {
    message: Box<dyn Read + Send + 'm>,
    at: u64,
    buffer: Vec<u8>,
}

impl<'m> Passage<'m> {
    pub(super) fn new(message: &'m dyn Reopen) -> io::Result<Self> {
        Ok(Self {
            message: message.open()?,
            at: 0,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// The offset of the next byte.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Hands on everything up to the offset `end`, which the message has to reach.
    pub(super) fn pass_to(&mut self, end: u64, take: &mut Take<'_>) -> io::Result<()> {
        self.pass(end, take)?;
        if self.at == end {
            Ok(())
        } else {
            Err(changed())
        }
    }

    /// Hands on everything to the end of the message.
    pub(super) fn pass_to_end(&mut self, take: &mut Take<'_>) -> io::Result<()> {
        self.pass(u64::MAX, take)
    }

    /// A reader of everything up to the offset `end`.
    pub(super) fn stretch(&mut self, end: u64) -> Stretch<'_, 'm> {
        Stretch { passage: self, end }
    }

    fn pass(&mut self, end: u64, take: &mut Take<'_>) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            let at = self.at;
            match self.stretch(end).read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => take(at, &buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer = buffer;
        Ok(())
    }
}

/// A part of a message on its way.
pub(super) struct Stretch<'p, 'm> {
    passage: &'p mut Passage<'m>,
    end: u64,
}

impl Read for Stretch<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.passage.at).unwrap_or(usize::MAX);
        let room = out.len().min(left);
        let count = self.passage.message.read(&mut out[..room])?;
        self.passage.at += count as u64;
        Ok(count)
    }
}

pub(super) fn changed() -> io::Error {
    io::Error::other("the message changed while it was read")
}
