//! A request as the gate reads it: opened, taken apart, and checked for its form and for being meant for this gate.

use std::collections::HashSet;

use serde::Serialize;
use zeroize::Zeroizing;

use super::item::ItemLine;
use super::{
    BODY_BYTES_MAX, Base64, CHECKPOINT_BYTES_MAX, HEAD_BYTES_MAX, Head, ITEMS_MAX, Item,
    REQUEST_BYTES_MAX,
};
use crate::crypto::kdf::gate as kdf;
use crate::crypto::signing::{Purpose, RootId, Signature};
use crate::crypto::{Kem, KeyId, PrivateKey, PublicKey, hpke};
use crate::gate::log::Hash;
use crate::json::{Error, Text};

/// Bytes of the id of the key that a request is sealed to, which it begins with.
const KEY_ID_BYTES: usize = 32;

/// A request that was opened: its form is right, and it is meant for this gate. Nothing in it is proved but who signed the head.
pub struct Request {
    /// What the head says.
    pub head: Head,
    /// The head as it was written.
    pub head_bytes: Vec<u8>,
    /// The hash of the head: the name of the request.
    pub hash: Hash,
    /// The key that the answer is sealed to.
    pub reply: PublicKey,
    /// A checkpoint of this gate that the asker has kept.
    pub seen: Option<Vec<u8>>,
    /// The items, whose tickets differ.
    pub items: Vec<Item>,
    /// The signatures.
    pub signatures: Signatures,
}

/// The signatures of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures {
    /// That of whoever asks, if the head names somebody.
    pub who: Option<Signature>,
    /// One for each item, if the op has any.
    pub proofs: Vec<Signature>,
}

/// Why a request is not even answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestFault {
    /// It is longer than any request.
    #[error("it is too long for a request")]
    TooLong,
    /// It does not open with a key of this gate.
    #[error("it is not sealed to a key of this gate")]
    Sealed,
    /// It has not three parts, or they do not fit each other.
    #[error("{0}")]
    Form(&'static str),
    /// A line of it is not as the format demands.
    #[error(transparent)]
    Line(#[from] Error),
    /// It is meant for another gate.
    #[error("it is meant for another gate")]
    Gate,
    /// Whoever asks did not sign it.
    #[error("whoever asks did not sign it")]
    Signature,
}

/// The id of the key that a request is sealed to, the encapsulated key and the ciphertext.
///
/// # Errors
/// [`RequestFault::TooLong`], [`RequestFault::Sealed`] when it is too short.
pub fn split(request: &[u8]) -> Result<(KeyId, &[u8], &[u8]), RequestFault> {
    if request.len() > REQUEST_BYTES_MAX {
        return Err(RequestFault::TooLong);
    }
    let id = request.split_first_chunk::<KEY_ID_BYTES>();
    let (id, sealed) = id.ok_or(RequestFault::Sealed)?;
    let (enc, ct) = sealed
        .split_at_checked(Kem::XWing.enc_bytes())
        .ok_or(RequestFault::Sealed)?;
    Ok((KeyId(*id), enc, ct))
}

impl Request {
    /// Opens and reads a request to the gate with this root key, which has the private key that [`split`] names.
    ///
    /// # Errors
    /// [`RequestFault`].
    pub fn open(request: &[u8], gate: RootId, key: &PrivateKey) -> Result<Self, RequestFault> {
        let (_, enc, ct) = split(request)?;
        let info = kdf::request_info(&gate.0);
        let text = hpke::open(key, enc, &info, ct).map_err(|_| RequestFault::Sealed)?;
        Self::parse(&text, gate)
    }

    /// Reads the text of a request.
    ///
    /// # Errors
    /// [`RequestFault`].
    pub fn parse(text: &[u8], gate: RootId) -> Result<Self, RequestFault> {
        let (head_bytes, rest) = line(text, HEAD_BYTES_MAX)?;
        let (body_bytes, signatures) = line(rest, BODY_BYTES_MAX)?;
        let head = Head::parse(head_bytes)?;
        if head.gate != gate {
            return Err(RequestFault::Gate);
        }
        let body = RequestBody::parse(body_bytes, head.op)?;
        body.fits(&head)?;
        let signatures = Signatures::parse(signatures, &head)?;
        if let (Some(who), Some(signature)) = (head.who, &signatures.who) {
            let verified = who.verify(Purpose::GateRequest, &[head_bytes], signature);
            verified.map_err(|_| RequestFault::Signature)?;
        }
        Ok(Self {
            hash: kdf::request_hash(head_bytes),
            head_bytes: head_bytes.to_vec(),
            head,
            reply: body.reply,
            seen: body.seen,
            items: body.items,
            signatures,
        })
    }

    /// Whether the proof of the item with this number was made by `key`.
    #[must_use]
    pub fn is_proved(&self, item: usize, key: RootId) -> bool {
        let proof = self.signatures.proofs.get(item);
        let number = u16::try_from(item).expect("a request has at most 256 items");
        let message: [&[u8]; 2] = [&self.hash, &number.to_be_bytes()];
        proof.is_some_and(|proof| key.verify(Purpose::GateProof, &message, proof).is_ok())
    }
}

/// A line of at most `max` bytes, and what is behind its line feed.
fn line(text: &[u8], max: usize) -> Result<(&[u8], &[u8]), RequestFault> {
    let begin = &text[..text.len().min(max + 1)];
    let end = begin.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or(RequestFault::Form("it has not three parts"))?;
    Ok((&text[..end], &text[end + 1..]))
}

impl Signatures {
    fn parse(bytes: &[u8], head: &Head) -> Result<Self, RequestFault> {
        let proofs = head.op.proofs(head.items.len());
        let due = usize::from(head.who.is_some()) + proofs;
        let (all, rest) = bytes.as_chunks::<{ Signature::BYTES }>();
        if all.len() != due || !rest.is_empty() {
            return Err(RequestFault::Form("it has not as many signatures as due"));
        }
        let mut all = all.iter().map(|bytes| Signature(*bytes));
        let who = head.who.and_then(|_| all.next());
        Ok(Self {
            who,
            proofs: all.collect(),
        })
    }

    /// The signatures as they stand behind the body.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let all = self.who.iter().chain(&self.proofs);
        all.flat_map(|signature| signature.0).collect()
    }
}

/// The body of a request.
pub struct RequestBody {
    /// The key that the answer is sealed to.
    pub reply: PublicKey,
    /// A checkpoint of the gate that the asker has kept.
    pub seen: Option<Vec<u8>>,
    /// The items.
    pub items: Vec<Item>,
}

impl RequestBody {
    /// The body as it is written, without a line feed.
    #[must_use]
    pub fn to_line(&self) -> Zeroizing<Vec<u8>> {
        let line = BodyLine {
            reply: Base64(self.reply.as_bytes()),
            seen: self.seen.as_deref().map(Base64),
            items: self.items.iter().map(Item::line).collect(),
        };
        let text = serde_json::to_vec(&line);
        Zeroizing::new(text.expect("it has only texts, numbers and lists"))
    }

    fn parse(line: &[u8], op: super::Op) -> Result<Self, Error> {
        let (mut reply, mut seen, mut items) = (None, None, None);
        Text::check(line)?.object(|name, value| {
            match name {
                "reply" => reply = Some(value.base64_of(&[Kem::XWing.public_bytes()])?),
                "seen" => seen = Some(value.base64_up_to(CHECKPOINT_BYTES_MAX)?),
                "items" => {
                    items = Some(value.array(ITEMS_MAX, |item| Item::parse(item, op))?);
                }
                other => return Err(Error::unknown(other)),
            }
            Ok(())
        })?;
        let reply = reply.ok_or_else(|| Error::missing("reply"))?;
        let reply = PublicKey::new(Kem::XWing, &reply);
        Ok(Self {
            reply: reply.map_err(|_| Error::malformed("a `reply` that is not a key"))?,
            seen,
            items: items.ok_or_else(|| Error::missing("items"))?,
        })
    }

    /// Head and body belong together, and no ticket is asked for twice.
    fn fits(&self, head: &Head) -> Result<(), RequestFault> {
        if self.items.len() != head.items.len() {
            return Err(RequestFault::Form("head and body have not as many items"));
        }
        if self.reply.key_id() != head.reply {
            return Err(RequestFault::Form("the key for the answer is another one"));
        }
        if self.seen.is_some() && head.who.is_none() {
            return Err(RequestFault::Form("`seen` without `who`"));
        }
        let tickets: HashSet<_> = self.items.iter().map(Item::ticket).collect();
        match tickets.len() == self.items.len() {
            true => Ok(()),
            false => Err(RequestFault::Form("one ticket twice")),
        }
    }
}

#[derive(Serialize)]
struct BodyLine<'a> {
    reply: Base64<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<Base64<'a>>,
    items: Vec<ItemLine<'a>>,
}
