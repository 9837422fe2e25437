//! An envelope sealed anew for those who remain: opened, verified and sealed in one pass (FORMAT.md, "Rewriting", revoke).

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::scope;

use zeroize::Zeroizing;

use super::error::{Class, OpenError, SealError};
use super::open::{Content, Opened};
use super::seal::{ALIGNMENT, LockRequest, SealRequest, Sealed, seal};
use crate::crypto::CryptoRng;
use crate::crypto::signing::SigningKey;
use crate::payload::Workers;

/// Pieces of content that may wait between the thread that opens and the one that seals.
const PIECES_MAX: usize = 2;

/// Who may read the new envelope, and who signs it. All else comes from the old one.
pub struct ResealRequest<'a> {
    /// The locks, in their order.
    pub locks: Vec<LockRequest<'a>>,
    /// Who signs. The former author's signature cannot come along.
    pub signer: Option<&'a SigningKey>,
    /// How many threads share the work on the content, on either side.
    pub workers: Workers,
}

/// Why an envelope is not sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// The old one does not open to its end, or its signature does not hold.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new one cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl ResealError {
    /// The class, where the old envelope is to blame.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Open(error) => error.class(),
            Self::Seal(_) => None,
        }
    }
}

impl<R: Read + Send> Content<R> {
    /// Reads the content to its end, with steps 9, 11 and 12, and seals it for others into a new envelope on `out`. Name, type,
    /// subject, dates, labels, conditions, padding, the form in mail, and whether it is private stay as they are.
    ///
    /// Whether the old envelope was genuine is known only at its end, so the new one gets its own end after that and not before:
    /// after an error, what is on `out` opens for nobody to its end, and is the caller's to discard.
    ///
    /// # Errors
    /// [`ResealError`]; where both sides failed, the old envelope's fault.
    pub fn reseal(
        self,
        request: &ResealRequest<'_>,
        out: &mut (dyn Write + Send),
        rng: &mut dyn CryptoRng,
    ) -> Result<(Opened, Sealed), ResealError> {
        let wish = self.about().wish(request);
        let (sender, receiver) = sync_channel(PIECES_MAX);
        let mut pieces = Pieces::new(receiver);
        let (opened, sealed) = scope(|threads| {
            let opening = threads.spawn(move || {
                let mut pipe = Pipe(&sender);
                let opened = self.copy_to(&mut pipe, request.workers);
                if opened.is_ok() {
                    // Only now may the content end.
                    let _ = sender.send(Piece::End);
                }
                opened
            });
            let sealed = seal(&wish, &mut pieces, out, rng);
            drop(pieces); // whoever still opens finds that nobody listens
            let opened = opening.join();
            (
                opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                sealed,
            )
        });
        match (opened, sealed) {
            (Ok((opened, _)), Ok(sealed)) => Ok((opened, sealed)),
            // That one could not pass anything on is the other's fault.
            (Ok(_) | Err(OpenError::Write(_)), Err(error)) => Err(error.into()),
            (Err(error), _) => Err(error.into()),
        }
    }
}

impl Opened {
    fn wish<'a>(&self, request: &ResealRequest<'a>) -> SealRequest<'a> {
        let policy = &self.manifest.policy;
        SealRequest {
            locks: request.locks.iter().map(LockRequest::again).collect(),
            signer: request.signer,
            private: policy.private,
            padding: policy.padding,
            // A date that only readers may know does not go out in the open.
            created: if policy.private {
                self.created()
            } else {
                policy.created
            },
            conditions: policy.conditions,
            labels: policy.labels.clone(),
            about: self.private.about.clone(),
            aligned: self.manifest.bytes.is_multiple_of(ALIGNMENT as u64),
            workers: request.workers,
        }
    }
}

enum Piece {
    Content(Zeroizing<Vec<u8>>),
    /// All of it came, and it is genuine.
    End,
}

/// Takes the content from whoever opens.
struct Pipe<'a>(&'a SyncSender<Piece>);

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Piece::Content(Zeroizing::new(bytes.to_vec()));
        let sent = self.0.send(piece);
        sent.map(|()| bytes.len())
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let mut piece = Zeroizing::new(Vec::new());
        piece.reserve_exact(slices.iter().map(|slice| slice.len()).sum());
        for slice in slices {
            piece.extend_from_slice(slice);
        }
        let bytes = piece.len();
        let sent = self.0.send(Piece::Content(piece));
        sent.map(|()| bytes)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Gives it to whoever seals. It ends only with [`Piece::End`]; without, reading fails.
struct Pieces {
    coming: Receiver<Piece>,
    piece: Zeroizing<Vec<u8>>,
    at: usize,
    has_ended: bool,
}

impl Pieces {
    fn new(coming: Receiver<Piece>) -> Self {
        Self {
            coming,
            piece: Zeroizing::default(),
            at: 0,
            has_ended: false,
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() && !self.has_ended {
            match self.coming.recv() {
                Ok(Piece::Content(piece)) => (self.piece, self.at) = (piece, 0),
                Ok(Piece::End) => self.has_ended = true,
                Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = out.len().min(self.piece.len() - self.at);
        out[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
