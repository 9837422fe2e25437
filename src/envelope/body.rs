//! The plaintext M of a payload, split in one pass: first the data D, as soon as it is known to be data, then padding and signature.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use super::content_sink::{ContentSink, Piece, PlainSink, ResealSink};
use super::digest::RootHasher;
use super::error::OpenError;
use super::id::EnvelopeId;
use super::padding;
use super::private_line::PRIVATE_BYTES_MAX;
use super::seal::{BodyWriter, SealRequest};
use crate::crypto::signing::{Purpose, RootId, Signature};
use crate::payload::{ChunkHash, HashChunk, OpenedChunk, Opener, SealingKey, Workers};
use crate::policy::{Padding, Policy};

const MARKER: u8 = 0x80;
const ZEROS: [u8; 4_096] = [0; 4_096];

/// Reads M and emits D. Bytes that might still be padding or signature are held back.
pub(super) struct Body<R: Read> {
    opener: Opener<R>,
    filter: TrailerFilter,
    /// The private line, and the content that became certain together with it.
    beginning: Beginning,
}

impl<R: Read> Body<R> {
    pub(super) fn new(opener: Opener<R>, policy: &Policy) -> Self {
        Self {
            opener,
            filter: TrailerFilter::new(policy),
            beginning: Beginning::default(),
        }
    }

    /// Reads up to the first line feed and returns what stands before it: step 10 of reading, first part.
    pub(super) fn private_line(&mut self) -> Result<&[u8], OpenError> {
        while !self.beginning.has_ended {
            let Some(plaintext) = self.opener.next_chunk()? else {
                self.filter.end()?;
                return Err(OpenError::Malformed(
                    "the content has no private line".to_owned(),
                ));
            };
            let chunk = OpenedChunk {
                plaintext,
                hash: None,
                resealed: None,
            };
            let mut out = PlainSink(&mut self.beginning);
            let taken = self
                .filter
                .take([chunk].into_iter(), HoldBack::Bytes, &mut out);
            // The only thing that can go wrong with it.
            taken.map_err(|_| {
                OpenError::OverLimit(format!(
                    "the private line has more than {PRIVATE_BYTES_MAX} bytes"
                ))
            })?;
        }
        Ok(&self.beginning.line)
    }

    /// Writes the content to `out` as it becomes certain: steps 9 and 11 of reading. Returns its bytes.
    pub(super) fn copy(
        &mut self,
        out: &mut (dyn Write + Send),
        workers: Workers,
    ) -> Result<u64, OpenError>
    where
        R: Send,
    {
        self.emit_all(&mut PlainSink(out), workers, None)
    }

    /// Seals the content behind another private line, `head`, into the body of a new envelope: steps 9 and 11 of reading. Returns
    /// its bytes.
    pub(super) fn reseal<W: Write + Send>(
        &mut self,
        head: &[u8],
        writer: &mut BodyWriter<W>,
        request: &SealRequest<'_>,
    ) -> Result<u64, OpenError>
    where
        R: Send,
    {
        let line = &self.beginning.line;
        let is_same = head.strip_suffix(b"\n") == Some(line);
        // Chunks come to stand under the same numbers.
        let key = writer.sealer.key();
        let reseal_key = (head.len() == line.len() + 1).then_some(&key);
        // One hash serves to verify the old signature and to make the new one, as long as it is over the same data.
        let is_hashed = is_same && self.filter.held.is_some();
        let mut root = (request.signer.is_some() && !is_hashed).then(RootHasher::default);
        let mut sink = ResealSink {
            sealer: &mut writer.sealer,
            root: root.as_mut(),
        };
        sink.emit(&[Piece::new(head)]).map_err(OpenError::Write)?;
        let bytes = self.emit_all(&mut sink, request.workers, reseal_key)?;
        writer.root = root.unwrap_or_else(|| self.filter.root.clone());
        Ok(bytes)
    }

    fn emit_all(
        &mut self,
        out: &mut (impl ContentSink + Send),
        workers: Workers,
        reseal_key: Option<&SealingKey>,
    ) -> Result<u64, OpenError>
    where
        R: Send,
    {
        let Self {
            opener,
            filter,
            beginning,
        } = self;
        out.emit(&[Piece::new(&beginning.content)])
            .map_err(OpenError::Write)?;
        let read = opener.for_each(workers, filter.hash(), reseal_key, |chunks| {
            let taken = filter.take(chunks.iter(), HoldBack::Chunks, out);
            taken.map_err(OpenError::Write)
        });
        if !matches!(read, Err(OpenError::Write(_))) {
            let none = std::iter::empty();
            filter
                .take(none, HoldBack::Bytes, out)
                .map_err(OpenError::Write)?;
        }
        read?;
        filter.end()?;
        Ok(filter.root.bytes() - beginning.line.len() as u64 - 1)
    }

    /// Checks the signature over everything that was read: step 12 of reading.
    pub(super) fn verify(self, signer: Option<RootId>, id: &EnvelopeId) -> Result<(), OpenError> {
        let TrailerFilter { held, root, .. } = self.filter;
        let (Some(signer), Some(signature)) = (signer, held) else {
            return Ok(());
        };
        let signature: [u8; Signature::BYTES] = signature
            .bytes
            .as_slice()
            .try_into()
            .map_err(|_| OpenError::Signature)?;
        let [id, bytes, root] = root.signed_message(id);
        signer
            .verify(
                Purpose::Envelope,
                &[&id, &bytes, &root],
                &Signature(signature),
            )
            .map_err(|_| OpenError::Signature)
    }
}

/// The private line, as it becomes certain, and what comes behind its line feed.
#[derive(Default)]
struct Beginning {
    line: Zeroizing<Vec<u8>>,
    has_ended: bool,
    content: Zeroizing<Vec<u8>>,
}

impl Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.has_ended {
            self.content.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let line_feed = bytes.iter().position(|byte| *byte == b'\n');
        let line = &bytes[..line_feed.unwrap_or(bytes.len())];
        if self.line.len() + line.len() > PRIVATE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.line.extend_from_slice(line);
        self.has_ended = line_feed.is_some();
        Ok(line.len() + usize::from(self.has_ended))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Separates D from the trailer (padding and signature), and hashes it.
struct TrailerFilter {
    /// The last bytes of M so far, where they may be the signature.
    held: Option<Held>,
    tail: Tail,
    padding: Padding,
    root: RootHasher,
    plaintext_bytes: u64,
}

#[derive(Default)]
struct Held {
    bytes: Zeroizing<Vec<u8>>,
    /// The hash of the bytes, if they are exactly one full chunk.
    hash: Option<ChunkHash>,
}

/// How much of a signed envelope is held back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HoldBack {
    /// Full chunks, so that those after them begin a block and their hashes can be used.
    Chunks,
    /// As many bytes as the signature has.
    Bytes,
}

impl TrailerFilter {
    fn new(policy: &Policy) -> Self {
        Self {
            held: policy.signed.then(Held::default),
            tail: Tail::new(policy.padding),
            padding: policy.padding,
            root: RootHasher::default(),
            plaintext_bytes: 0,
        }
    }

    /// What is to be computed over each chunk.
    fn hash(&self) -> Option<HashChunk> {
        self.held
            .as_ref()
            .map(|_| RootHasher::of_block as HashChunk)
    }

    fn signature_bytes(&self) -> usize {
        self.held.as_ref().map_or(0, |_| Signature::BYTES)
    }

    /// Takes the next chunks of M, and writes to `out` what has become certain.
    fn take<'a>(
        &mut self,
        chunks: impl Iterator<Item = OpenedChunk<'a>>,
        hold_back: HoldBack,
        out: &mut impl ContentSink,
    ) -> io::Result<()> {
        let before = self.held.as_mut().map(std::mem::take);
        let mut pieces = Vec::with_capacity(40);
        pieces.extend(before.as_ref().map(|held| OpenedChunk {
            plaintext: &held.bytes,
            hash: held.hash.as_ref(),
            resealed: None,
        }));
        for chunk in chunks {
            self.plaintext_bytes += chunk.plaintext.len() as u64;
            pieces.push(chunk);
        }
        // From the end: the pieces that the signature may reach into.
        let (mut certain, mut uncertain_bytes) = (pieces.len(), 0);
        while certain > 0 && uncertain_bytes < self.signature_bytes() {
            certain -= 1;
            uncertain_bytes += pieces[certain].plaintext.len();
        }
        let uncertain = pieces.split_off(certain);
        let mut surplus = match hold_back {
            HoldBack::Chunks => 0,
            HoldBack::Bytes => uncertain_bytes.saturating_sub(self.signature_bytes()),
        };
        if let Some(held) = &mut self.held {
            if let [one] = &uncertain[..] {
                held.hash = one.hash.copied().filter(|_| surplus == 0);
            }
            held.bytes.reserve_exact(uncertain_bytes);
            for piece in &uncertain {
                let (first, last) = piece.plaintext.split_at(surplus.min(piece.plaintext.len()));
                pieces.push(OpenedChunk {
                    plaintext: first,
                    hash: None,
                    resealed: None,
                });
                held.bytes.extend_from_slice(last);
                surplus -= first.len();
            }
        }
        self.release(&pieces, out)
    }

    /// Writes what is not part of the signature and certainly not padding.
    fn release(
        &mut self,
        pieces: &[OpenedChunk<'_>],
        out: &mut impl ContentSink,
    ) -> io::Result<()> {
        let mut ready = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let Certain { zeros, bytes } = self.tail.push(piece.plaintext);
            if let Some(zeros) = zeros {
                out.emit(&ready)?;
                ready.clear();
                self.release_zeros(zeros, out)?;
            }
            let is_full = bytes.len() == piece.plaintext.len();
            match piece.hash {
                Some(hash) if is_full && self.root.is_at_block() => self.root.enter(hash),
                _ => self.hash_data(bytes),
            }
            ready.push(Piece {
                bytes,
                resealed: piece.resealed.filter(|_| is_full),
            });
        }
        out.emit(&ready)
    }

    /// A marker and zeros that turned out to be content.
    fn release_zeros(&mut self, zeros: u64, out: &mut impl ContentSink) -> io::Result<()> {
        self.hash_data(&[MARKER]);
        out.emit(&[Piece::new(&[MARKER])])?;
        let mut left = zeros;
        while left > 0 {
            let now = usize::try_from(left.min(ZEROS.len() as u64)).expect("at most 4,096");
            self.hash_data(&ZEROS[..now]);
            out.emit(&[Piece::new(&ZEROS[..now])])?;
            left -= now as u64;
        }
        Ok(())
    }

    fn hash_data(&mut self, data: &[u8]) {
        if self.held.is_some() {
            self.root.update(data);
        } else {
            self.root.skip(data);
        }
    }

    /// Step 11 of reading: M is long enough for the signature, and the padding is the one that is due.
    fn end(&self) -> Result<(), OpenError> {
        let signature_bytes = self.signature_bytes() as u64;
        if self.plaintext_bytes < signature_bytes {
            return Err(OpenError::Damaged(
                "the payload is shorter than its signature".to_owned(),
            ));
        }
        if self.padding == Padding::None {
            return Ok(());
        }
        match self.tail.zeros() {
            Some(zeros) if zeros == padding::zeros(self.root.bytes(), signature_bytes) => Ok(()),
            _ => Err(OpenError::Damaged(
                "the padding is not as the policy says".to_owned(),
            )),
        }
    }
}

/// D that became certain: a marker and zeros that were held back, then bytes.
struct Certain<'a> {
    zeros: Option<u64>,
    bytes: &'a [u8],
}

/// Keeps back what might be padding: the last marker and the zeros after it, as one number.
enum Tail {
    /// Nothing is ever padding.
    Unpadded,
    /// `None`: the last byte is content for certain, unless it never came.
    Padded(Option<u64>),
}

impl Tail {
    fn new(padding: Padding) -> Self {
        match padding {
            Padding::None => Self::Unpadded,
            Padding::Padme => Self::Padded(None),
        }
    }

    /// The zeros after the marker that is held back.
    fn zeros(&self) -> Option<u64> {
        match self {
            Self::Unpadded => None,
            Self::Padded(zeros) => *zeros,
        }
    }

    /// Takes the next bytes of M and tells what has become content.
    fn push<'a>(&mut self, data: &'a [u8]) -> Certain<'a> {
        let all = |zeros| Certain { zeros, bytes: data };
        let Self::Padded(held) = self else {
            return all(None);
        };
        let last = data.iter().rposition(|byte| *byte != 0);
        match (last, *held) {
            (None, None) => all(None),
            (None, Some(zeros)) => {
                *held = Some(zeros + data.len() as u64);
                Certain {
                    zeros: None,
                    bytes: &[],
                }
            }
            (Some(last), zeros) if data[last] == MARKER => {
                *held = Some((data.len() - last - 1) as u64);
                Certain {
                    zeros,
                    bytes: &data[..last],
                }
            }
            (Some(_), zeros) => {
                *held = None;
                all(zeros)
            }
        }
    }
}
