//! The number of threads has no effect on what is written, read, or released before an error.

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;

use encl::crypto::Kem;
use encl::crypto::signing::SigningKey;
use encl::envelope::{Class, Envelope, OpenError, SealError, SealRequest, Workers, seal};
use encl::payload::{CHUNK_BYTES, HEADER_BYTES, SEALED_CHUNK_BYTES};
use encl::policy::Padding;

use crate::kit::{Keys, NOW, Parts, Person, request, rng, time};

const BATCH_BYTES: usize = 32 * CHUNK_BYTES;

fn threads(count: usize) -> Workers {
    Workers::Exactly(NonZeroUsize::new(count).unwrap())
}

/// Bytes without a pattern, with some padding markers that are followed by zeros, a few of them longer than a batch of chunks.
fn content(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut content = Vec::with_capacity(bytes);
    while content.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
        if state.is_multiple_of(40_000) {
            content.push(0x80);
            content.resize(content.len() + (state >> 45) as usize, 0);
        }
    }
    content.truncate(bytes);
    content
}

/// A reader that gives few bytes at a time, in varying numbers.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = (self.1 * 7 + 4_093) % 70_001;
        let count = buffer.len().min(self.0.len()).min(self.1 + 1);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

/// Every kind of payload: signed or not, padded or not.
fn requests<'a>(bob: &Person, author: &'a SigningKey) -> Vec<SealRequest<'a>> {
    let kinds = [None, Some(author)].into_iter().flat_map(|signer| {
        [Padding::None, Padding::Padme].map(|padding| SealRequest {
            padding,
            ..request(&[bob], signer)
        })
    });
    kinds.collect()
}

fn sealed_by(count: usize, request: &SealRequest<'_>, content: &[u8]) -> Vec<u8> {
    let request = SealRequest {
        workers: threads(count),
        labels: request.labels.clone(),
        locks: vec![encl::envelope::LockRequest {
            recipients: request.locks[0].recipients.clone(),
            ..encl::envelope::LockRequest::default()
        }],
        info: request.info.clone(),
        gate: request.gate.clone(),
        ..*request
    };
    let mut envelope = Vec::new();
    let sealed = seal(
        &request,
        &mut Dribble(content, 0),
        &mut envelope,
        &mut rng(),
    )
    .unwrap();
    assert_eq!(sealed.content_bytes, content.len() as u64);
    envelope
}

fn opened_by(count: usize, envelope: &[u8], keys: &mut Keys) -> (Vec<u8>, Option<Class>) {
    let mut released = Vec::new();
    let opened = Envelope::read(Dribble(envelope, 0))
        .and_then(|envelope| envelope.unlock(keys, time(NOW)))
        .and_then(|content| content.copy_to(&mut released, threads(count)));
    let class = opened.err().map(|error| error.class().unwrap());
    (released, class)
}

#[test]
fn any_number_of_threads_reads_what_any_number_wrote() {
    let bob = Person::classic("Bob");
    let author = SigningKey::generate(&mut rng());
    let mut forms = 0;
    for bytes in [
        0,
        1,
        16_381,
        BATCH_BYTES - 67,
        BATCH_BYTES - 3,
        2 * BATCH_BYTES - 3,
        1_700_001,
    ] {
        let content = content(bytes);
        for (number, request) in requests(&bob, &author).iter().enumerate() {
            let envelopes = [1, 2, 5].map(|count| sealed_by(count, request, &content));
            for envelope in &envelopes {
                for count in [1, 2, 3, 8] {
                    let (released, class) = opened_by(count, envelope, &mut Keys::of(&[&bob]));
                    assert_eq!(class, None, "{bytes} bytes, request {number}");
                    assert!(released == content, "{bytes} bytes, request {number}");
                    forms += 1;
                }
            }
        }
    }
    assert_eq!(forms, 7 * 4 * 3 * 4);
}

#[test]
fn content_released_before_an_error_does_not_depend_on_threads() {
    let bob = Person::classic("Bob");
    let author = SigningKey::generate(&mut rng());
    let content = content(1_710_001);
    let mut errors = 0;
    for request in requests(&bob, &author) {
        let envelope = sealed_by(3, &request, &content);
        let payload_at = envelope.len() - Parts::of(&envelope).payload.len();
        let chunks = (envelope.len() - payload_at - HEADER_BYTES).div_ceil(SEALED_CHUNK_BYTES);
        for chunk in [
            0,
            1,
            2,
            31,
            32,
            33,
            34,
            63,
            64,
            65,
            96,
            chunks - 2,
            chunks - 1,
        ] {
            let at = payload_at + HEADER_BYTES + chunk * SEALED_CHUNK_BYTES;
            let mut changed = envelope.clone();
            changed[at + 3] ^= 1;
            // Cut in the middle of a chunk, at the end of a chunk, and within a tag.
            let damages = [
                &changed[..],
                &envelope[..at],
                &envelope[..at + 5],
                &envelope[..(at + 20).min(envelope.len() - 1)],
            ];
            for (number, damaged) in damages.into_iter().enumerate() {
                let keys = &mut Keys::of(&[&bob]);
                let (released, class) = opened_by(1, damaged, keys);
                assert!(class.is_some() && content.starts_with(&released));
                if request.padding == Padding::None {
                    // All bytes except the private line `{}` with its line feed, and the bytes that may be the signature.
                    let held_back = 3 + request.signer.map_or(0, |_| 64);
                    assert_eq!(
                        released.len(),
                        (chunk * CHUNK_BYTES).saturating_sub(held_back)
                    );
                }
                for count in [2, 3, 8] {
                    let other = opened_by(count, damaged, keys);
                    assert!(
                        other == (released.clone(), class),
                        "chunk {chunk}, damage {number}"
                    );
                    errors += 1;
                }
            }
        }
    }
    assert_eq!(errors, 4 * 13 * 4 * 3);
}

/// Reads or writes this many bytes, then fails.
struct Fails(usize);

impl Write for Fails {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.0);
        self.0 -= count;
        if count == 0 {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(count)
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Fails {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.0);
        self.0 -= count;
        if count == 0 {
            Err(io::ErrorKind::Other.into())
        } else {
            Ok(count)
        }
    }
}

#[test]
fn a_failed_read_or_write_ends_all_threads_and_is_reported() {
    let bob = Person::new("Bob", Kem::XWing);
    let author = SigningKey::generate(&mut rng());
    let content = content(5 << 20);
    for request in requests(&bob, &author) {
        let envelope = sealed_by(2, &request, &content);
        for bytes in [0, 100, BATCH_BYTES, 1 << 20, 3 << 20] {
            for count in [1, 2, 8] {
                let request = SealRequest {
                    workers: threads(count),
                    ..self::request(&[&bob], request.signer)
                };
                let written = seal(&request, &mut &content[..], &mut Fails(bytes), &mut rng());
                assert!(
                    matches!(written, Err(SealError::Write(_))),
                    "{bytes} {count}"
                );
                let read = seal(&request, &mut Fails(bytes), &mut io::sink(), &mut rng());
                assert!(matches!(read, Err(SealError::Read(_))), "{bytes} {count}");
                let opened = Envelope::read(&envelope[..])
                    .and_then(|envelope| envelope.unlock(&mut Keys::of(&[&bob]), time(NOW)))
                    .and_then(|content| content.copy_to(&mut Fails(bytes), threads(count)));
                assert!(
                    matches!(opened, Err(OpenError::Write(_))),
                    "{bytes} {count}"
                );
            }
        }
    }
}
