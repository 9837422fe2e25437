//! Where the verified content of an envelope goes: to a writer, or into another envelope.

use std::io::{self, IoSlice, Write};

use super::digest::RootHasher;
use crate::payload::{ResealedChunk, Sealer, write_all_vectored};

/// A piece of the content.
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    /// The same bytes sealed as a full chunk of another envelope, if they are one there.
    pub(super) resealed: Option<ResealedChunk<'a>>,
}

impl<'a> Piece<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            resealed: None,
        }
    }
}

pub(super) trait ContentSink {
    /// Takes the next pieces, in order.
    fn emit(&mut self, pieces: &[Piece<'_>]) -> io::Result<()>;
}

/// Writes the plaintext.
pub(super) struct PlainSink<'a, W: Write + ?Sized>(pub(super) &'a mut W);

impl<W: Write + ?Sized> ContentSink for PlainSink<'_, W> {
    fn emit(&mut self, pieces: &[Piece<'_>]) -> io::Result<()> {
        let mut slices: Vec<_> = pieces.iter().map(|one| IoSlice::new(one.bytes)).collect();
        write_all_vectored(self.0, &mut slices)
    }
}

/// Seals the content into another envelope. A chunk that the worker threads have sealed for it is appended as it is if its number
/// in the new envelope is the one that it was sealed with; everything else is sealed here.
pub(super) struct ResealSink<'a, W: Write> {
    pub(super) sealer: &'a mut Sealer<W>,
    /// The hash over the new content, if it differs from the hash over the old one.
    pub(super) root: Option<&'a mut RootHasher>,
}

impl<W: Write> ContentSink for ResealSink<'_, W> {
    fn emit(&mut self, pieces: &[Piece<'_>]) -> io::Result<()> {
        let mut full = Vec::with_capacity(pieces.len());
        for piece in pieces {
            if let Some(root) = &mut self.root {
                root.update(piece.bytes);
            }
            let here = self.sealer.chunk_here();
            let here = here.map(|number| number + full.len() as u64);
            match piece.resealed {
                Some(chunk) if here == Some(chunk.index) => full.push(IoSlice::new(chunk.bytes)),
                _ => {
                    self.sealer.append_sealed(&mut full)?;
                    self.sealer.write_all(piece.bytes)?;
                }
            }
        }
        self.sealer.append_sealed(&mut full)
    }
}
