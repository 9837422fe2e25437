//! Signed notes (C2SP signed-note): a text, and one line for each signature. Only Ed25519 keys are known (type 1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::sha256;
use crate::crypto::signing::{RootId, Signature, SigningKey};

/// Bytes of a note; 16 signatures of post-quantum witnesses fit in.
const NOTE_BYTES_MAX: usize = 128 << 10;
/// Signatures of a note.
const SIGNATURES_MAX: usize = 32;
pub(super) const DASH: &str = "\u{2014} ";
/// What the specification calls an Ed25519 key.
const ED25519: u8 = 1;

/// The name and the public key of somebody who signs notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    /// The name; of a log its origin.
    pub name: String,
    /// The key.
    pub key: RootId,
}

/// Why something is not a note that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is not a signed note.
    #[error("it is not a signed note")]
    Form,
    /// It is longer than any note, or has more signatures.
    #[error("it is too long for a signed note")]
    TooLong,
    /// The key that is known did not sign it.
    #[error("the known key did not sign it")]
    NotSigned,
    /// A signature with the name of the known key is wrong.
    #[error("its signature is wrong")]
    Signature,
}

/// A note in its form; which signatures hold is asked for each key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    bytes: Vec<u8>,
}

/// Whether this can be the name of a key: something without blanks and `+`.
pub(super) fn is_key_name(name: &str) -> bool {
    let is_bad = |one: char| one.is_whitespace() || one.is_control() || one == '+';
    !name.is_empty() && !name.contains(is_bad)
}

impl NoteKey {
    fn id(&self) -> [u8; 4] {
        self.id_of(ED25519)
    }

    /// The id of the key for one type of signatures.
    pub(super) fn id_of(&self, kind: u8) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[kind], &self.key.0]);
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl NoteError {
    /// Whether it is a note, and the key is what is wrong.
    pub(super) fn is_of_key(self) -> bool {
        matches!(self, Self::NotSigned | Self::Signature)
    }
}

impl SignedNote {
    /// Signs a text, which ends in a line feed.
    #[must_use]
    pub fn sign(text: &str, name: &str, key: &SigningKey) -> Self {
        let own = NoteKey {
            name: name.to_owned(),
            key: key.id(),
        };
        let signature = NoteSignature {
            key_id: own.id(),
            name: own.name,
            bytes: key.sign_note(text.as_bytes()).0.to_vec(),
        };
        Self {
            text: text.to_owned(),
            signatures: vec![signature],
        }
    }

    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError::Form`], [`NoteError::TooLong`].
    pub fn read(note: &[u8]) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        let note = std::str::from_utf8(note).map_err(|_| NoteError::Form)?;
        if note.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Form);
        }
        // The last empty line is the one in front of the signatures.
        let end = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, lines) = (&note[..=end], &note[end + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        let signatures = lines.split('\n').map(signature);
        let signatures = signatures.collect::<Option<Vec<_>>>();
        let signatures = signatures.ok_or(NoteError::Form)?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NoteError::TooLong);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The text, which counts only where a known key signed it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks that a key signed the text. Signatures of other keys are not looked at.
    ///
    /// # Errors
    /// [`NoteError::NotSigned`], [`NoteError::Signature`].
    pub fn verify(&self, key: &NoteKey) -> Result<(), NoteError> {
        let mut is_signed = false;
        for bytes in self.of_key(&key.name, key.id()) {
            let bytes = bytes.try_into();
            let bytes = Signature(bytes.map_err(|_| NoteError::Signature)?);
            let verified = key.key.verify_unlabelled(self.text.as_bytes(), &bytes);
            verified.map_err(|_| NoteError::Signature)?;
            is_signed = true;
        }
        match is_signed {
            true => Ok(()),
            false => Err(NoteError::NotSigned),
        }
    }

    /// The signatures that name this key.
    pub(super) fn of_key(&self, name: &str, id: [u8; 4]) -> impl Iterator<Item = &[u8]> {
        let all = self.signatures.iter();
        let own = all.filter(move |one| one.name == name && one.key_id == id);
        own.map(|one| one.bytes.as_slice())
    }

    /// The note as it is written.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines = self.signatures.iter().map(|signature| {
            let bytes = [&signature.key_id[..], &signature.bytes].concat();
            format!("{DASH}{} {}\n", signature.name, STANDARD.encode(bytes))
        });
        let lines: String = lines.collect();
        format!("{}\n{lines}", self.text)
    }
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, text) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = STANDARD.decode(text).ok()?;
    let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
    (is_key_name(name) && !bytes.is_empty()).then(|| NoteSignature {
        name: name.to_owned(),
        key_id: *key_id,
        bytes: bytes.to_vec(),
    })
}
