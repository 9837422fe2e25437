//! Public test vectors, one module per standard. Every suite counts its vectors, and those that are outside the functions of
//! `encl`, with the reason. (`tests/roundtrip.rs` opens vector1.encl, and `tests/worked_example.rs` computes every value on the
//! way to its content.) The vectors of this format, for other readers, are tested in `kit` and made by `kit_maker`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod argon2id;
mod cctv;
mod chunked_encryption;
mod ed25519;
mod gcm;
mod hash;
mod hpke_peer;
mod hpke_rfc9180;
mod kit;
#[expect(clippy::too_many_lines, reason = "a list of cases")]
mod kit_maker;
mod mlkem;
#[path = "../support/node.rs"]
mod node;
#[path = "../support/python.rs"]
mod python;
mod reference;
mod sharing;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tell.rs"]
mod tell;
mod x25519;
mod xwing;

use std::collections::VecDeque;
use std::convert::Infallible;

use encl::crypto::Secret;
use rand::rand_core::{TryCryptoRng, TryRng, utils};

/// A random generator that gives the bytes of a vector, and fails when they are used up.
struct Scripted(VecDeque<u8>);

impl Scripted {
    fn new(bytes: &[u8]) -> Self {
        Self(bytes.iter().copied().collect())
    }

    /// Whether all bytes were drawn.
    fn is_spent(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryRng for Scripted {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        assert!(
            self.0.len() >= out.len(),
            "the vector has no more random bytes"
        );
        out.fill_with(|| self.0.pop_front().unwrap());
        Ok(())
    }
}

impl TryCryptoRng for Scripted {}

fn secret(bytes: &[u8]) -> Secret<32> {
    Secret::from_slice(bytes).unwrap()
}
