//! Streams that another program made non-blocking: the flag belongs to the open file, which all who hold it share.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Waits where the stream itself does not.
pub(crate) struct Blocking<F>(pub(crate) F);

impl<F: AsFd> Blocking<F> {
    fn when(
        &mut self,
        ready: PollFlags,
        mut act: impl FnMut(&mut F) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match act(&mut self.0) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(ready)?,
                ended => return ended,
            }
        }
    }

    fn wait(&self, ready: PollFlags) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.0, ready)], None) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl<F: Read + AsFd> Read for Blocking<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.when(PollFlags::IN, |stream| stream.read(buffer))
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.when(PollFlags::IN, |stream| stream.read_vectored(buffers))
    }
}

impl<F: Write + AsFd> Write for Blocking<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.when(PollFlags::OUT, |stream| stream.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.when(PollFlags::OUT, |stream| stream.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
