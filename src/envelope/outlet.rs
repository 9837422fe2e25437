//! Where the data of an envelope goes once it is certain: to whoever reads it, or into another envelope.

use std::io::{self, IoSlice, Write};

use super::digest::RootHasher;
use crate::payload::{SealedAgain, Sealer, write_all_vectored};

/// Some of the data.
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    /// The same bytes as a chunk of another envelope, if they are a whole one there.
    pub(super) again: Option<SealedAgain<'a>>,
}

impl<'a> Piece<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, again: None }
    }
}

pub(super) trait Outlet {
    /// Takes the next pieces, in their order.
    fn give(&mut self, pieces: &[Piece<'_>]) -> io::Result<()>;
}

/// To whoever reads.
pub(super) struct Plain<'a, W: Write + ?Sized>(pub(super) &'a mut W);

impl<W: Write + ?Sized> Outlet for Plain<'_, W> {
    fn give(&mut self, pieces: &[Piece<'_>]) -> io::Result<()> {
        let mut slices: Vec<_> = pieces.iter().map(|one| IoSlice::new(one.bytes)).collect();
        write_all_vectored(self.0, &mut slices)
    }
}

/// Into another envelope. A chunk that the threads have sealed for it is taken as it is where it comes to stand under the number
/// that it was sealed for; everything else is sealed here.
pub(super) struct Anew<'a, W: Write> {
    pub(super) sealer: &'a mut Sealer<W>,
    /// The hash over the new data, where it is not that over the old.
    pub(super) root: Option<&'a mut RootHasher>,
}

impl<W: Write> Outlet for Anew<'_, W> {
    fn give(&mut self, pieces: &[Piece<'_>]) -> io::Result<()> {
        let mut whole = Vec::with_capacity(pieces.len());
        for piece in pieces {
            if let Some(root) = &mut self.root {
                root.update(piece.bytes);
            }
            let here = self.sealer.chunk_here();
            let here = here.map(|number| number + whole.len() as u64);
            match piece.again {
                Some(again) if here == Some(again.index) => whole.push(IoSlice::new(again.bytes)),
                _ => {
                    self.sealer.append_sealed(&mut whole)?;
                    self.sealer.write_all(piece.bytes)?;
                }
            }
        }
        self.sealer.append_sealed(&mut whole)
    }
}
