//! Sizes around the edges, and the largest number of recipients.

use std::io::{self, Read, Write};

use encl::crypto::Kem;
use encl::envelope::{Class, Envelope, SealError, Workers, seal};
use sha2::{Digest, Sha256};

use crate::kit::{Forge, Keys, NOW, Person, access, opens, refused, request, rng, sealed, time};

#[test]
fn contents_around_the_chunk_size() {
    let bob = Person::new("Bob", Kem::XWing);
    for bytes in [0, 1, 16_383, 16_384, 16_385, 2 * 16_384] {
        let content = vec![0xA5; bytes];
        for signer in [None, Some(&bob.root)] {
            let envelope = sealed(&request(&[&bob], signer), &content);
            opens(
                &envelope,
                &mut Keys::of(&[&bob]),
                &content,
                "around the chunk size",
            );
        }
    }
}

#[test]
fn ten_thousand_recipients_and_the_last_one_reads() {
    let (last, other) = (Person::classic("Last"), Person::classic("Other"));
    let mut wish = request(&[], None);
    // Repeated keys are refused, so each recipient needs a different key.
    let crowd: Vec<_> = (0..9_999)
        .map(|i| Person::classic(&format!("P{i}")).addressee())
        .collect();
    wish.locks[0].recipients = crowd;
    wish.locks[0].recipients.push(last.addressee());
    let envelope = sealed(&wish, b"to all");
    opens(
        &envelope,
        &mut Keys::of(&[&last]),
        b"to all",
        "the last of 10,000",
    );
    refused(
        &envelope,
        &mut Keys::of(&[&other]),
        Class::NoKey,
        "nobody of the 10,000",
    );
}

#[test]
fn one_recipient_too_many_is_refused_by_writer_and_reader() {
    let bob = Person::classic("Bob");
    let mut wish = request(&[], None);
    let mut addressee = bob.addressee();
    wish.locks[0].recipients = (0..16_385_u32)
        .map(|number| {
            // The limit is checked before any key is used.
            addressee.recipient.key.0[..4].copy_from_slice(&number.to_be_bytes());
            addressee.clone()
        })
        .collect();
    let refusal = seal(&wish, &mut b"x".as_slice(), &mut Vec::new(), &mut rng()).unwrap_err();
    assert!(matches!(refusal, SealError::Request(_)));

    let recipient = |number: u32| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        bob.json().replace(
            &encl::json::to_b64(&bob.key_id().0),
            &encl::json::to_b64(&key),
        )
    };
    let mut forge = Forge::new(&[&bob], "");
    let list = |count: u32| {
        (0..count)
            .map(recipient)
            .chain([bob.json()])
            .collect::<Vec<_>>()
            .join(",")
    };
    let policy = forge.policy.clone();
    forge.policy = policy.replace(&bob.json(), &list(16_383));
    opens(
        &forge.envelope(&forge.slots(&[&bob]), b"{}\nx"),
        &mut Keys::of(&[&bob]),
        b"x",
        "16,384 recipients",
    );
    forge.policy = policy.replace(&bob.json(), &list(16_384));
    refused(
        &forge.envelope(&forge.slots(&[&bob]), b"{}\nx"),
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "16,385",
    );

    let forge = Forge::new(&[&bob], "");
    let slot = forge.slot(&bob);
    let other = |number: u32| {
        let mut key = [1; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        slot.replace(
            &encl::json::to_b64(&bob.key_id().0),
            &encl::json::to_b64(&key),
        )
    };
    let slots = |count: u32| {
        access(
            &(0..count)
                .map(other)
                .chain([slot.clone()])
                .collect::<Vec<_>>(),
        )
    };
    opens(
        &forge.envelope(&slots(16_383), b"{}\nx"),
        &mut Keys::of(&[&bob]),
        b"x",
        "16,384 slots",
    );
    refused(
        &forge.envelope(&slots(16_384), b"{}\nx"),
        &mut Keys::of(&[&bob]),
        Class::OverLimit,
        "16,385 slots",
    );
}

/// A reader of many varying bytes, and a writer that only hashes.
struct Source(u64, u64);

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = out.len().min(usize::try_from(self.1 - self.0).unwrap());
        for (at, byte) in out[..count].iter_mut().enumerate() {
            let place = self.0 + at as u64;
            *byte = u8::try_from((place ^ place >> 8 ^ place >> 16 ^ place >> 24) & 0xff).unwrap();
        }
        self.0 += count as u64;
        Ok(count)
    }
}

struct Hasher(Sha256);

impl Write for Hasher {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_through_the_library_is_unchanged() {
    const BYTES: u64 = 64 << 20;
    let bob = Person::classic("Bob");
    let wish = request(&[&bob], Some(&bob.root));
    let mut envelope = Vec::new();
    seal(&wish, &mut Source(0, BYTES), &mut envelope, &mut rng()).unwrap();
    let mut hasher = Hasher(Sha256::new());
    let mut keys = Keys::of(&[&bob]);
    let content = Envelope::read(envelope.as_slice())
        .unwrap()
        .unlock(&mut keys, time(NOW))
        .unwrap();
    assert_eq!(
        content.copy_to(&mut hasher, Workers::Processors).unwrap().1,
        BYTES
    );
    let mut expected = Hasher(Sha256::new());
    io::copy(&mut Source(0, BYTES), &mut expected).unwrap();
    assert_eq!(hasher.0.finalize(), expected.0.finalize());
}
