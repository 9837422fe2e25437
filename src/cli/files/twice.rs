//! An input that is read twice: checked in the first pass, used in the second. Somebody else may write to it in between, so every
//! block is compared with the one that was checked before a byte of it is used.

use std::io::{self, Read};

use encl::crypto::sha256;

/// One hash stands for so many bytes: half a MiB of hashes for a GiB.
const BLOCK_BYTES: usize = 64 << 10;

/// The hashes of all blocks of the first pass.
pub(crate) struct Seen(Vec<[u8; 32]>);

/// Reads, and hashes what was read.
pub(crate) struct FirstPass<R> {
    reader: R,
    block: Vec<u8>,
    seen: Seen,
}

impl<R: Read> FirstPass<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            block: Vec::with_capacity(BLOCK_BYTES),
            seen: Seen(Vec::new()),
        }
    }

    /// Reads what is left, and hands back what was seen.
    pub(crate) fn finish(mut self) -> io::Result<Seen> {
        io::copy(&mut self, &mut io::sink())?;
        if !self.block.is_empty() {
            self.seen.0.push(sha256(&[&self.block]));
        }
        Ok(self.seen)
    }
}

impl<R: Read> Read for FirstPass<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(BLOCK_BYTES - self.block.len());
        let count = self.reader.read(&mut buffer[..room])?;
        self.block.extend_from_slice(&buffer[..count]);
        if self.block.len() == BLOCK_BYTES {
            self.seen.0.push(sha256(&[&self.block]));
            self.block.clear();
        }
        Ok(count)
    }
}

/// Reads again, and gives nothing that was not seen.
pub(crate) struct SecondPass<R> {
    reader: R,
    seen: std::vec::IntoIter<[u8; 32]>,
    block: Vec<u8>,
    at: usize,
}

impl<R: Read> SecondPass<R> {
    pub(crate) fn new(reader: R, seen: Seen) -> Self {
        Self {
            reader,
            seen: seen.0.into_iter(),
            block: Vec::with_capacity(BLOCK_BYTES),
            at: 0,
        }
    }

    fn next_block(&mut self) -> io::Result<()> {
        self.at = 0;
        self.block.clear();
        let mut block = self.reader.by_ref().take(BLOCK_BYTES as u64);
        block.read_to_end(&mut self.block)?;
        let seen = self.seen.next();
        let is_same = match self.block.is_empty() {
            true => seen.is_none(),
            false => seen == Some(sha256(&[&self.block])),
        };
        match is_same {
            true => Ok(()),
            false => Err(io::Error::other("it was changed while it was read")),
        }
    }
}

impl<R: Read> Read for SecondPass<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            self.next_block()?;
        }
        let count = buffer.len().min(self.block.len() - self.at);
        buffer[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(bytes: &[u8]) -> Seen {
        let mut first = FirstPass::new(bytes);
        let mut some = vec![0; bytes.len() / 2];
        first.read_exact(&mut some).unwrap();
        first.finish().unwrap()
    }

    fn again(before: &[u8], now: &[u8]) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        SecondPass::new(now, seen(before)).read_to_end(&mut read)?;
        Ok(read)
    }

    #[test]
    fn the_same_bytes_are_read_twice_and_no_others() {
        for bytes in [
            0,
            1,
            BLOCK_BYTES - 1,
            BLOCK_BYTES,
            BLOCK_BYTES + 1,
            3 * BLOCK_BYTES,
        ] {
            let before: Vec<u8> = (0..=250).cycle().take(bytes).collect();
            assert_eq!(again(&before, &before).unwrap(), before, "{bytes}");
            let longer = [before.as_slice(), b"x"].concat();
            assert!(again(&before, &longer).is_err(), "{bytes}");
            if bytes > 0 {
                assert!(again(&before, &before[1..]).is_err(), "{bytes}");
                assert!(again(&before, &before[..bytes - 1]).is_err(), "{bytes}");
                let mut other = before.clone();
                other[bytes - 1] ^= 1;
                assert!(again(&before, &other).is_err(), "{bytes}");
            }
        }
    }
}
