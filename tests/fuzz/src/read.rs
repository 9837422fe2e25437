//! Reading what needs no key.

use std::io::Read;

use encl::envelope::{Class, Envelope, OpenError};

/// Reads everything that needs no key: the class of the error, or the bytes of payload.
///
/// # Errors
/// The class, `None` if the input could not be read.
pub fn read(input: impl Read) -> Result<u64, Option<Class>> {
    let class = |error: OpenError| error.class();
    let mut envelope = Envelope::read(input).map_err(class)?;
    let manifest = envelope.manifest();
    assert!(manifest.bytes > 0 && !manifest.policy.locks.is_empty());
    envelope.payload_bytes().map_err(class)
}
