//! Ed25519 signatures (RFC 8032) with one label per purpose, verified strictly.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer;
use rand::CryptoRng;
use serde::Serialize;

use super::Secret;

/// The purpose of a signature. Each purpose has its own label, so that a signature for one is not valid for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The content of an envelope, by its author.
    Envelope,
    /// A slot, by the reader who granted it.
    Grant,
    /// A card, by the identity it describes.
    Card,
    /// The revocation of an identity, by itself.
    Revocation,
    /// The successor of an identity, by the identity that is replaced.
    Succession,
    /// A group, by whoever keeps it.
    Group,
    /// The card of a gate, by its root key.
    GateCard,
    /// The pass of a person, by the key of an envelope's list.
    GatePass,
    /// A request to a gate, by whoever asks.
    GateRequest,
    /// An item of a request, by the holder of all other locks or by an owner.
    GateProof,
    /// What a gate answers, by its log key.
    GateAnswer,
    /// What an owner says of a ticket.
    GateStatement,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Envelope => b"encl/1 signature\0",
            Self::Grant => b"encl/1 grant\0",
            Self::Card => b"encl/1 card\0",
            Self::Revocation => b"encl/1 revocation\0",
            Self::Succession => b"encl/1 succession\0",
            Self::Group => b"encl/1 group\0",
            Self::GateCard => b"encl/1 gate card\0",
            Self::GatePass => b"encl/1 gate pass\0",
            Self::GateRequest => b"encl/1 gate request\0",
            Self::GateProof => b"encl/1 gate proof\0",
            Self::GateAnswer => b"encl/1 gate answer\0",
            Self::GateStatement => b"encl/1 gate statement\0",
        }
    }
}

/// The signature is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold")]
pub struct SignatureMismatch;

/// An Ed25519 public key, which is the id of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RootId(#[serde(serialize_with = "crate::json::b64")] pub [u8; 32]);

impl RootId {
    /// Verifies a signature over the purpose's label and `message`, strictly: S below the group order, A and R
    /// canonical and not of small order, no cofactor.
    ///
    /// # Errors
    /// [`SignatureMismatch`], whatever the reason.
    pub fn verify(
        &self,
        purpose: Purpose,
        message: &[&[u8]],
        signature: &Signature,
    ) -> Result<(), SignatureMismatch> {
        self.verify_unlabelled(&labelled(purpose, message), signature)
    }

    /// Verifies like [`RootId::verify`], but without a label: for signed notes, and for published test vectors.
    ///
    /// # Errors
    /// [`SignatureMismatch`], whatever the reason.
    pub fn verify_unlabelled(
        &self,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureMismatch> {
        let key = self.verifying_key().ok_or(SignatureMismatch)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(message, &signature)
            .map_err(|_| SignatureMismatch)
    }

    /// Whether these bytes are a valid key: a canonical point that is not of small order.
    #[must_use]
    pub fn is_acceptable(&self) -> bool {
        self.verifying_key().is_some()
    }

    fn verifying_key(&self) -> Option<ed25519_dalek::VerifyingKey> {
        // Decompression also accepts y ≥ p, which is not canonical (RFC 8032 §5.1.3). The other non-canonical encodings, a sign
        // bit at x = 0, are of two points of small order, which `is_weak` finds.
        if !is_below_p(&self.0) {
            return None;
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.0).ok()?;
        (!key.is_weak()).then_some(key)
    }
}

/// Whether y, little-endian without the topmost bit, is below p = 2²⁵⁵ - 19.
fn is_below_p(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    let near_p = high & 0x7F == 0x7F && middle.iter().all(|byte| *byte == 0xFF);
    !near_p || *low < 0xED
}

impl fmt::Display for RootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 64 lower-case hexadecimal digits")]
pub struct NotAnId;

impl FromStr for RootId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NotAnId);
        }
        let mut id = [0; 32];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self(id))
    }
}

fn hex_digit(digit: u8) -> Result<u8, NotAnId> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(NotAnId),
    }
}

/// An Ed25519 signature: R and S, 32 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Signature(#[serde(serialize_with = "crate::json::b64")] pub [u8; 64]);

impl Signature {
    /// Bytes of a signature.
    pub const BYTES: usize = 64;
}

/// An identity's root key, kept as its 32-byte seed.
pub struct SigningKey {
    seed: Secret<32>,
    /// On the heap like the seed, since it contains the seed.
    key: Box<ed25519_dalek::SigningKey>,
}

impl SigningKey {
    /// Takes over the seed (RFC 8032 §5.1.5).
    #[must_use]
    pub fn new(seed: Secret<32>) -> Self {
        let key = Box::new(ed25519_dalek::SigningKey::from_bytes(seed.expose()));
        Self { seed, key }
    }

    /// Draws a new key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self::new(Secret::random(rng))
    }

    /// The seed, for storing it.
    #[must_use]
    pub fn seed(&self) -> &Secret<32> {
        &self.seed
    }

    /// The public half.
    #[must_use]
    pub fn id(&self) -> RootId {
        RootId(self.key.verifying_key().to_bytes())
    }

    /// Signs the purpose's label and `message`.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, message: &[&[u8]]) -> Signature {
        Signature(self.key.sign(&labelled(purpose, message)).to_bytes())
    }

    /// Signs the text of a note, which other programs read and which has no label. A label has a zero byte, and no note has one: no
    /// signature for a purpose is one of a note.
    #[must_use]
    pub fn sign_note(&self, text: &[u8]) -> Signature {
        Signature(self.key.sign(text).to_bytes())
    }
}

fn labelled(purpose: Purpose, message: &[&[u8]]) -> Vec<u8> {
    let mut text = purpose.label().to_vec();
    for part in message {
        text.extend_from_slice(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An encoding is canonical if decompressing and compressing it gives the same bytes.
    fn is_canonical(bytes: &[u8; 32]) -> bool {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes);
        key.is_ok_and(|key| key.to_edwards().compress().to_bytes() == *bytes && !key.is_weak())
    }

    #[test]
    fn only_canonical_keys_are_acceptable() {
        let mut accepted = 0;
        for low in 0..=255 {
            for (middle, high) in [(0, 0), (0, 0x80), (0xFF, 0x7F), (0xFF, 0xFF), (0xFF, 0x7E)] {
                let mut bytes = [middle; 32];
                (bytes[0], bytes[31]) = (low, high);
                let id = RootId(bytes);
                assert_eq!(id.is_acceptable(), is_canonical(&bytes), "{id}");
                accepted += u32::from(id.is_acceptable());
            }
        }
        assert!((300..900).contains(&accepted), "{accepted}");
    }
}
