//! Whether what is written is what another reader gives, byte for byte.

use std::io::{self, Read, Write};

/// Takes bytes and compares them with those of a reader.
pub(crate) struct CompareWriter<R> {
    other: R,
    same: bool,
}

impl<R: Read> CompareWriter<R> {
    pub(crate) fn with(other: R) -> Self {
        Self { other, same: true }
    }

    /// Whether all that was written was the same, and all there is.
    pub(crate) fn same(mut self) -> io::Result<bool> {
        Ok(self.same && io::copy(&mut self.other.by_ref().take(1), &mut io::sink())? == 0)
    }
}

impl<R: Read> Write for CompareWriter<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.same {
            let mut expected = Vec::with_capacity(bytes.len());
            self.other
                .by_ref()
                .take(bytes.len() as u64)
                .read_to_end(&mut expected)?;
            self.same = expected == bytes;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(written: &[&[u8]], other: &[u8]) -> bool {
        let mut comparing = CompareWriter::with(other);
        for bytes in written {
            comparing.write_all(bytes).unwrap();
        }
        comparing.same().unwrap()
    }

    #[test]
    fn only_the_same_bytes_are_the_same() {
        assert!(is_same(&[b"ab", b"c"], b"abc") && is_same(&[], b""));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!is_same(&[b"ab", b"c"], other));
        }
    }
}
