//! Cosignatures (C2SP tlog-cosignature, version 1, Ed25519): a witness says that it saw this checkpoint, and none that contradicts it.

use super::note::{DASH, NoteError, NoteKey, SignedNote};
use crate::crypto::signing::{Signature, SigningKey};
use crate::json;
use crate::time::Time;

/// What the specification calls the key of an Ed25519 cosignature.
const COSIGNATURE: u8 = 4;
/// The time, and an Ed25519 signature.
const COSIGNATURE_BYTES: usize = 8 + 64;

/// What is signed: the header line, the time, and the whole text of the note.
fn message(seconds: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

/// The signature line of a witness below a checkpoint, with its line feed. `text` is that of the note.
#[must_use]
pub fn cosign(text: &str, name: &str, key: &SigningKey, at: Time) -> String {
    let own = NoteKey {
        name: name.to_owned(),
        key: key.id(),
    };
    let seconds = at.unix();
    let signature = key.sign_note(message(seconds, text).as_bytes());
    let id = own.id_of(COSIGNATURE);
    let bytes = [&id[..], &seconds.to_be_bytes(), &signature.0].concat();
    format!("{DASH}{name} {}\n", json::to_b64(&bytes))
}

impl SignedNote {
    /// The cosignature of a witness as it is written, and the time that it tells. Signatures of other keys are not looked at.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`], [`NoteError::Signature`].
    pub fn cosignature(&self, witness: &NoteKey) -> Result<(String, u64), NoteError> {
        let id = witness.id_of(COSIGNATURE);
        let mut own = self.of_key(&witness.name, id);
        let bytes = own.next().ok_or(NoteError::NotSigned)?;
        let bytes: &[u8; COSIGNATURE_BYTES] = bytes.try_into().map_err(|_| NoteError::Signature)?;
        let (seconds, signature) = bytes.split_first_chunk::<8>().ok_or(NoteError::Signature)?;
        let signature = Signature(signature.try_into().map_err(|_| NoteError::Signature)?);
        let seconds = u64::from_be_bytes(*seconds);
        let signed = message(seconds, self.text());
        let verified = witness.key.verify_unlabelled(signed.as_bytes(), &signature);
        verified.map_err(|_| NoteError::Signature)?;
        let line = [&id[..], &bytes[..]].concat();
        let line = format!("{DASH}{} {}\n", witness.name, json::to_b64(&line));
        Ok((line, seconds))
    }
}
