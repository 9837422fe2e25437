//! Envelopes that a target makes of its input: what the input says stands in the lines and in the plaintext, and secrets,
//! slots, MAC, payload, padding and signature are made to fit. So a mutation reaches what stands behind the cryptography.
//!
//! An input is one byte of flags, a policy line, an access line and the plaintext D. In the access line `@enc0@` and
//! `@ct0@` become the first lock's secret sealed to the reader's X25519 key, `@enc1@` and `@ct1@` the second's; `@sig0@`
//! and `@sig1@` the author's signature for letting in [`NEWCOMER`] by that slot at [`GRANTED_AT`].

use encl::crypto::kdf::{self, ContentKey};
use encl::crypto::signing::{Purpose, Signature};
use encl::crypto::{CryptoRng, Secret, hpke, sha256};
use encl::envelope::{EnvelopeId, Grant, grant_message};
use encl::{json, payload};

use crate::ring::{Ring, author};

/// The flag for a signature behind the plaintext.
pub const SIGNED: u8 = 1;
/// The flag for padding behind the plaintext.
pub const PADDED: u8 = 2;

/// The name in a grant.
pub const NEWCOMER: &str = "Carol";
/// The time in a grant.
pub const GRANTED_AT: &str = "2026-11-25T06:24:00Z";

const LINE_1: &[u8] = b"encl/1\n";
const BLOCK_BYTES: usize = 16_384;
const SIGNATURE_BYTES: usize = 64;

/// An input, taken apart.
pub struct Parts<'a> {
    /// [`SIGNED`] and [`PADDED`].
    pub flags: u8,
    /// Line 2.
    pub policy: &'a [u8],
    /// Line 3, with its marks.
    pub access: &'a [u8],
    /// Private line, line feed, content.
    pub plaintext: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Takes an input apart; `None` if it has not three lines.
    #[must_use]
    pub fn of(input: &'a [u8]) -> Option<Self> {
        let (flags, rest) = input.split_first()?;
        let mut lines = rest.splitn(3, |byte| *byte == b'\n');
        Some(Self {
            flags: *flags,
            policy: lines.next()?,
            access: lines.next()?,
            plaintext: lines.next()?,
        })
    }

    /// The input that [`Parts::of`] takes apart.
    #[must_use]
    pub fn to_input(&self) -> Vec<u8> {
        [
            &[self.flags],
            self.policy,
            b"\n",
            self.access,
            b"\n",
            self.plaintext,
        ]
        .concat()
    }

    /// Makes the envelope, with the randomness of `rng`.
    pub fn envelope(&self, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let head = [LINE_1, self.policy, b"\n"].concat();
        let id = sha256(&[&head]);
        let access = self.filled_access(&id, rng);
        let secrets = (0..self.locks()).map(secret).collect::<Vec<_>>();
        let key = ContentKey::new(&id, &secrets);
        let access_hash = sha256(&[&head, &access, b"\n"]);
        let mac = json::to_b64(&key.mac(&access_hash));
        let message = payload::seal_message(&key.payload_key(), &id, &self.message(&id), rng);
        [&head[..], &access, b"\n", mac.as_bytes(), b"\n", &message].concat()
    }

    /// How many locks the policy seems to have: secrets go into the content key in their order.
    fn locks(&self) -> u8 {
        let kinds = self
            .policy
            .windows(b"\"kind\"".len())
            .filter(|part| part == b"\"kind\"")
            .take(8);
        (1..=8).zip(kinds).last().map_or(1, |(count, _)| count)
    }

    fn filled_access(&self, id: &[u8; 32], rng: &mut dyn CryptoRng) -> Vec<u8> {
        let mut access = self.access.to_vec();
        for lock in 0..2 {
            let marks = [format!("@enc{lock}@"), format!("@ct{lock}@")];
            if marks.iter().all(|mark| !contains(&access, mark)) {
                continue;
            }
            let info = kdf::slot_info(id, lock.into());
            let sealed = hpke::seal(&Ring::public()[0], &info, secret(lock).expose(), rng)
                .expect("the reader's key is good");
            for (mark, bytes) in marks.iter().zip([sealed.enc, sealed.ct]) {
                access = replaced(&access, mark, &json::to_b64(&bytes));
            }
            let mark = format!("@sig{lock}@");
            if contains(&access, &mark) {
                let signature = grant_signature(id, lock);
                access = replaced(&access, &mark, &json::to_b64(&signature.0));
            }
        }
        access
    }

    /// M: plaintext, padding, signature (FORMAT.md, "Layout").
    fn message(&self, id: &[u8; 32]) -> Vec<u8> {
        let mut message = self.plaintext.to_vec();
        let signature_bytes = if self.flags & SIGNED > 0 {
            SIGNATURE_BYTES
        } else {
            0
        };
        if self.flags & PADDED > 0 {
            let padded = padme(message.len() + 1 + signature_bytes);
            message.push(0x80);
            message.resize(padded - signature_bytes, 0);
        }
        if self.flags & SIGNED > 0 {
            let hashes: Vec<u8> = self
                .plaintext
                .chunks(BLOCK_BYTES)
                .flat_map(|block| sha256(&[block]))
                .collect();
            let length = (self.plaintext.len() as u64).to_be_bytes();
            let root = sha256(&[&hashes]);
            let signature = author().sign(Purpose::Envelope, &[id, &length, &root]);
            message.extend_from_slice(&signature.0);
        }
        message
    }
}

/// The newcomer has the author's id and the reader's X25519 key.
fn grant_signature(id: &[u8; 32], lock: u8) -> Signature {
    let grant = Grant {
        name: NEWCOMER.into(),
        address: None,
        id: author().id(),
        by: author().id(),
        at: GRANTED_AT.parse().expect("a time"),
        sig: Signature([0; 64]),
    };
    let key = Ring::public()[0].key_id();
    let message = grant_message(&grant, lock.into(), key, &EnvelopeId(*id));
    author().sign(Purpose::Grant, &[&message])
}

/// The secret of a lock.
#[must_use]
pub fn secret(lock: u8) -> Secret<32> {
    Secret::new([0x40 + lock; 32])
}

fn contains(text: &[u8], mark: &str) -> bool {
    text.windows(mark.len()).any(|part| part == mark.as_bytes())
}

fn replaced(text: &[u8], mark: &str, by: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest
        .windows(mark.len())
        .position(|part| part == mark.as_bytes())
    {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(by.as_bytes());
        rest = &rest[at + mark.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// FORMAT.md, "Padding".
fn padme(length: usize) -> usize {
    let e = length.ilog2();
    let s = e.checked_ilog2().map_or(0, |log| log + 1);
    let mask = (1 << e.saturating_sub(s)) - 1;
    (length + mask) & !mask
}
