//! Opening: any bytes as an envelope, and envelopes whose cryptography fits whatever their lines and plaintext say.

use crate::forge::{PADDED, Parts, SIGNED};
use crate::{Ring, now};
use encl::envelope::{Envelope, Workers};
use encl::policy::Padding;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// One input.
pub fn run(input: &[u8]) {
    if input.starts_with(b"encl/") || input.starts_with(b"-----") {
        open(input);
    } else if let Some(parts) = Parts::of(input) {
        forged(&parts);
    }
}

/// The content, and whether the policy says signed and padded; `None` if it does not open.
fn open(envelope: &[u8]) -> Option<(Vec<u8>, u8)> {
    let content = Envelope::read(envelope)
        .ok()?
        .unlock(&mut Ring::default(), now())
        .ok()?;
    let mut out = Vec::new();
    let (about, bytes) = content.copy_to(&mut out, Workers::ONE).ok()?;
    assert_eq!(bytes, out.len() as u64);
    let policy = &about.manifest.policy;
    assert_eq!(policy.signed, about.signer().is_some());
    let signed = if policy.signed { SIGNED } else { 0 };
    let padded = if policy.padding == Padding::Padme {
        PADDED
    } else {
        0
    };
    Some((out, signed | padded))
}

/// What was sealed as the policy says comes out as it went in.
fn forged(parts: &Parts<'_>) {
    let envelope = parts.envelope(&mut StdRng::seed_from_u64(1));
    let Some((content, flags)) = open(&envelope) else {
        return;
    };
    if flags == parts.flags & (SIGNED | PADDED) {
        let mut lines = parts.plaintext.splitn(2, |byte| *byte == b'\n');
        assert_eq!(lines.nth(1), Some(&content[..]));
    }
}
