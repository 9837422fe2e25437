//! The plaintext M of a payload, taken apart in one pass: D as it becomes certain, then padding and signature.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use super::digest::RootHasher;
use super::error::OpenError;
use super::id::EnvelopeId;
use super::padding;
use super::private_line::PRIVATE_BYTES_MAX;
use crate::crypto::signing::{Purpose, RootId, Signature};
use crate::payload::Opener;
use crate::policy::{Padding, Policy};

const MARKER: u8 = 0x80;
const ZEROS: [u8; 4_096] = [0; 4_096];

/// Reads M and gives out D. What might still be padding or signature is kept back.
pub(super) struct Body<R: Read> {
    opener: Opener<R>,
    certain: Certain,
    tail: Tail,
    /// The last bytes of M so far, when they may be the signature.
    signature: Option<Zeroizing<Vec<u8>>>,
    root: RootHasher,
    plaintext_bytes: u64,
    padding: Padding,
}

/// D that became certain with the last chunk: a marker and zeros that were kept back, then bytes.
#[derive(Default)]
struct Certain {
    zeros: Option<u64>,
    bytes: Zeroizing<Vec<u8>>,
}

impl<R: Read> Body<R> {
    pub(super) fn new(opener: Opener<R>, policy: &Policy) -> Self {
        Self {
            opener,
            certain: Certain::default(),
            tail: Tail::new(policy.padding),
            signature: policy.signed.then(Zeroizing::default),
            root: RootHasher::default(),
            plaintext_bytes: 0,
            padding: policy.padding,
        }
    }

    /// Reads up to the first line feed and returns what stands before it: step 10 of reading, first part.
    pub(super) fn private_line(&mut self) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let mut line = Zeroizing::new(Vec::new());
        while self.read_chunk()? {
            if let Some(zeros) = self.certain.zeros.take() {
                line.push(MARKER);
                let end = line.len() as u64 + zeros;
                within_limit(end)?;
                line.resize(usize::try_from(end).expect("within the limit"), 0);
            }
            let bytes = &mut self.certain.bytes;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            within_limit(line.len() as u64)?;
            if let Some(end) = end {
                bytes.drain(..=end);
                return Ok(line);
            }
        }
        Err(OpenError::Malformed(
            "the content has no private line".to_owned(),
        ))
    }

    /// Writes the content to `out` as it becomes certain: steps 9 and 11 of reading. Returns its bytes.
    pub(super) fn copy(&mut self, out: &mut dyn Write) -> Result<u64, OpenError> {
        let mut content_bytes = 0;
        loop {
            content_bytes += self.certain.write(out).map_err(OpenError::Write)?;
            if !self.read_chunk()? {
                return Ok(content_bytes);
            }
        }
    }

    /// Checks the signature over everything that was read: step 12 of reading.
    pub(super) fn verify(self, signer: Option<RootId>, id: &EnvelopeId) -> Result<(), OpenError> {
        let (Some(signer), Some(signature)) = (signer, self.signature) else {
            return Ok(());
        };
        let signature: [u8; Signature::BYTES] = signature
            .as_slice()
            .try_into()
            .map_err(|_| OpenError::Signature)?;
        let [id, bytes, root] = self.root.signed_message(id);
        signer
            .verify(
                Purpose::Envelope,
                &[&id, &bytes, &root],
                &Signature(signature),
            )
            .map_err(|_| OpenError::Signature)
    }

    /// Opens one chunk; afterwards `certain` holds what is new. `false` when the payload has ended well.
    fn read_chunk(&mut self) -> Result<bool, OpenError> {
        self.certain.bytes.clear();
        let Some(chunk) = self.opener.next_chunk()? else {
            return self.end().map(|()| false);
        };
        self.plaintext_bytes += chunk.len() as u64;
        match &mut self.signature {
            None => self.tail.push(chunk, &mut self.certain),
            Some(kept) => {
                kept.extend_from_slice(chunk);
                let surplus = kept.len().saturating_sub(Signature::BYTES);
                self.tail.push(&kept[..surplus], &mut self.certain);
                kept.drain(..surplus);
            }
        }
        self.hash_certain();
        Ok(true)
    }

    /// Step 11 of reading: M is long enough for the signature, and the padding is the one that is due.
    fn end(&mut self) -> Result<(), OpenError> {
        let signature_bytes = self
            .signature
            .as_ref()
            .map_or(0, |_| Signature::BYTES as u64);
        if self.plaintext_bytes < signature_bytes {
            return Err(OpenError::Damaged(
                "the payload is shorter than its signature".to_owned(),
            ));
        }
        if self.padding == Padding::None {
            return Ok(());
        }
        let content = self.root.bytes();
        match self.tail.zeros() {
            Some(zeros) if zeros == padding::zeros(content, signature_bytes) => Ok(()),
            _ => Err(OpenError::Damaged(
                "the padding is not the one that is due".to_owned(),
            )),
        }
    }

    fn hash_certain(&mut self) {
        let root = &mut self.root;
        let signed = self.signature.is_some();
        let hash = |data: &[u8]| {
            if signed {
                root.update(data);
            } else {
                root.skip(data);
            }
            Ok(())
        };
        self.certain
            .each_piece(hash)
            .unwrap_or_else(|never: std::convert::Infallible| match never {});
    }
}

impl Certain {
    /// Writes everything and forgets it. Returns the bytes written.
    fn write(&mut self, out: &mut dyn Write) -> io::Result<u64> {
        let mut written = 0;
        self.each_piece(|piece| {
            written += piece.len() as u64;
            out.write_all(piece)
        })?;
        self.zeros = None;
        self.bytes.clear();
        Ok(written)
    }

    fn each_piece<E>(&self, mut piece: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        if let Some(mut zeros) = self.zeros {
            piece(&[MARKER])?;
            while zeros > 0 {
                let now = zeros.min(ZEROS.len() as u64);
                piece(&ZEROS[..usize::try_from(now).expect("at most the length of ZEROS")])?;
                zeros -= now;
            }
        }
        piece(&self.bytes)
    }
}

fn within_limit(bytes: u64) -> Result<(), OpenError> {
    if bytes <= PRIVATE_BYTES_MAX as u64 {
        return Ok(());
    }
    Err(OpenError::OverLimit(format!(
        "the private line has more than {PRIVATE_BYTES_MAX} bytes"
    )))
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

    /// The zeros after the marker that is kept back.
    fn zeros(&self) -> Option<u64> {
        match self {
            Self::Unpadded => None,
            Self::Padded(zeros) => *zeros,
        }
    }

    /// Takes the next bytes and moves to `certain` what has become content.
    fn push(&mut self, data: &[u8], certain: &mut Certain) {
        let Self::Padded(kept) = self else {
            return certain.bytes.extend_from_slice(data);
        };
        let last = data.iter().rposition(|byte| *byte != 0);
        match (last, *kept) {
            (None, None) => certain.bytes.extend_from_slice(data),
            (None, Some(zeros)) => *kept = Some(zeros + data.len() as u64),
            (Some(last), zeros) => {
                certain.zeros = zeros;
                let marker = data[last] == MARKER;
                certain
                    .bytes
                    .extend_from_slice(if marker { &data[..last] } else { data });
                *kept = marker.then(|| (data.len() - last - 1) as u64);
            }
        }
    }
}
