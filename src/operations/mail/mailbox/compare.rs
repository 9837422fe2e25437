//! A writer that compares what is written with another reader, byte for byte.

use std::io::{self, Read, Write};

/// Compares the bytes that are written with those of a reader.
pub struct CompareWriter<R> {
    other: R,
    is_same: bool,
}

impl<R: Read> CompareWriter<R> {
    /// Compares with `other`.
    pub fn with(other: R) -> Self {
        Self {
            other,
            is_same: true,
        }
    }

    /// Whether everything written was the same, and the reader is at its end.
    ///
    /// # Errors
    /// When the reader cannot be read.
    pub fn is_same(mut self) -> io::Result<bool> {
        Ok(self.is_same && io::copy(&mut self.other.by_ref().take(1), &mut io::sink())? == 0)
    }
}

impl<R: Read> Write for CompareWriter<R> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_same {
            let mut expected = Vec::with_capacity(bytes.len());
            self.other
                .by_ref()
                .take(bytes.len() as u64)
                .read_to_end(&mut expected)?;
            self.is_same = expected == bytes;
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
        comparing.is_same().unwrap()
    }

    #[test]
    fn only_the_same_bytes_are_the_same() {
        assert!(is_same(&[b"ab", b"c"], b"abc") && is_same(&[], b""));
        for other in [&b"abd"[..], b"ab", b"abcd", b""] {
            assert!(!is_same(&[b"ab", b"c"], other));
        }
    }
}
