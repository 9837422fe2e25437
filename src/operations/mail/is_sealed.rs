//! Whether a message is sealed already: decided by the envelope in it, never by what a header says.

use std::io;

use crate::crypto::KeyId;
use crate::envelope::{Envelope, Slot};
use crate::mail::{Findings, NOTICE_BYTES_MAX, Reopen, ScanError, Sealed, find, open_body};

/// The envelope of a message that needs no further sealing: exactly one that is well formed and names one of `keys` as a
/// reader, and beside it nothing but a text of at most 4 KiB.
///
/// # Errors
/// When the message cannot be read.
pub fn sealed_for<'f>(
    found: &'f Findings,
    source: &dyn Reopen,
    keys: &[KeyId],
) -> io::Result<Option<&'f Sealed>> {
    let [sealed] = &found.envelopes[..] else {
        return Ok(None);
    };
    let text_bytes = match &found.others[..] {
        [] => 0,
        [text] if text.part.media_type == "text/plain" => text.part.body_bytes(),
        _ => return Ok(None),
    };
    // What stands above armor is a text that somebody wrote, however short.
    if sealed.leading_bytes > 0 {
        return Ok(None);
    }
    if text_bytes + sealed.trailing_bytes + found.outside_bytes > NOTICE_BYTES_MAX as u64 {
        return Ok(None);
    }
    let Ok(envelope) = Envelope::read(open_body(source, sealed)?) else {
        return Ok(None);
    };
    let manifest = envelope.manifest();
    let named = |key: &KeyId| {
        manifest
            .policy
            .recipients()
            .any(|reader| reader.key == *key)
    };
    let has_slot = |key: &KeyId| {
        let of_key = |slot: &Slot| matches!(slot, Slot::Key(slot) if slot.key == Some(*key));
        manifest.access.slots.iter().any(of_key)
    };
    // A gate is asked besides; it is no lock of other people.
    let locks = manifest.policy.locks.iter();
    let locks = locks.filter(|lock| lock.gate().is_none()).count();
    let opens = locks == 1 && keys.iter().any(|key| named(key) && has_slot(key));
    Ok(opens.then_some(sealed))
}

/// Whether the message needs no further sealing. A message over the limits of the scanner is not sealed.
///
/// # Errors
/// When the message cannot be read.
pub fn is_sealed_for(source: &dyn Reopen, keys: &[KeyId]) -> io::Result<bool> {
    match find(&mut source.open()?) {
        Ok(found) => Ok(sealed_for(&found, source, keys)?.is_some()),
        Err(ScanError::Read(error)) => Err(error),
        Err(_) => Ok(false),
    }
}
