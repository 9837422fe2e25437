//! A request as whoever asks makes it.

use zeroize::Zeroizing;

use super::{BODY_BYTES_MAX, HEAD_BYTES_MAX, Head, ITEMS_MAX, Item, Op, RequestBody, Signatures};
use crate::crypto::kdf::gate as kdf;
use crate::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use crate::crypto::{CryptoRng, Kem, PrivateKey, PublicKey, hpke};
use crate::gate::log::Hash;
use crate::time::Time;

/// What shall be asked of a gate.
pub struct RequestDraft<'a> {
    /// What is asked of all items.
    pub op: Op,
    /// When, by the asker's clock.
    pub at: Time,
    /// When, by the gate's clock, if it said so.
    pub told: Option<Time>,
    /// The root key of whoever asks; `None` to ask without a name.
    pub who: Option<&'a SigningKey>,
    /// Whether the answer shall be kept for as long as the lock allows.
    pub keep: bool,
    /// The last checkpoint of this gate; only with `who`, since it would link unnamed requests.
    pub seen: Option<&'a [u8]>,
    /// 1 to 256 items, whose tickets differ.
    pub items: Vec<DraftItem<'a>>,
}

/// An item, and the key that signs for it: the holder's to open, an owner's to read the log; none for a statement.
pub struct DraftItem<'a> {
    /// The item.
    pub item: Item,
    /// Who signs.
    pub proof: Option<&'a SigningKey>,
}

/// Why a draft cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It has no item, or more than 256.
    #[error("a request has 1 to {ITEMS_MAX} items")]
    Items,
    /// An item does not fit the op, or its signer is missing or not due.
    #[error("an item does not belong into the request")]
    Item,
    /// Head or body are too long: ask for fewer items at once.
    #[error("the request is too long")]
    TooLong,
}

/// A request that was sent, as far as its answer has to be compared with it.
pub struct Pending {
    /// The name of the request.
    pub hash: Hash,
    /// The key that the answer is sealed to.
    pub reply: PrivateKey,
    /// The head.
    pub head: Head,
    /// The head as it was sent.
    pub head_bytes: Vec<u8>,
    /// The items.
    pub items: Vec<Item>,
}

impl RequestDraft<'_> {
    /// Signs the request and seals it to a gate: the bytes to post, and what the answer has to fit.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn seal(
        self,
        (gate, key): (RootId, &PublicKey),
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<u8>, Pending), RequestError> {
        self.check()?;
        let reply = PrivateKey::generate(Kem::XWing, rng);
        let head = Head {
            op: self.op,
            gate,
            at: self.at,
            told: self.told,
            who: self.who.map(SigningKey::id),
            keep: self.keep,
            reply: reply.public_key().key_id(),
            items: self.items.iter().map(|one| one.item.commitment()).collect(),
        };
        let head_bytes = head.to_line();
        let hash = kdf::request_hash(&head_bytes);
        let signatures = self.signatures(&head_bytes, &hash);
        let body = RequestBody {
            reply: reply.public_key(),
            seen: self.seen.map(<[u8]>::to_vec),
            items: self.items.into_iter().map(|one| one.item).collect(),
        };
        let sealed = seal(&head_bytes, &body.to_line(), &signatures, (gate, key), rng)?;
        let pending = Pending {
            hash,
            reply,
            head,
            head_bytes,
            items: body.items,
        };
        Ok((sealed, pending))
    }

    fn check(&self) -> Result<(), RequestError> {
        if !(1..=ITEMS_MAX).contains(&self.items.len()) {
            return Err(RequestError::Items);
        }
        let is_signed = self.op.proofs(1) == 1;
        let fits =
            |one: &DraftItem<'_>| one.item.ask.op() == self.op && one.proof.is_some() == is_signed;
        match self.items.iter().all(fits) {
            true => Ok(()),
            false => Err(RequestError::Item),
        }
    }

    fn signatures(&self, head: &[u8], hash: &Hash) -> Signatures {
        let sign = |who: &SigningKey| who.sign(Purpose::GateRequest, &[head]);
        let numbered = (0_u16..).zip(&self.items);
        let proofs = numbered.filter_map(|(number, one)| {
            let message: [&[u8]; 2] = [hash, &number.to_be_bytes()];
            Some(one.proof?.sign(Purpose::GateProof, &message))
        });
        let proofs: Vec<Signature> = proofs.collect();
        Signatures {
            who: self.who.map(sign),
            proofs,
        }
    }
}

/// Seals the three parts of a request.
fn seal(
    head: &[u8],
    body: &[u8],
    signatures: &Signatures,
    (gate, key): (RootId, &PublicKey),
    rng: &mut dyn CryptoRng,
) -> Result<Vec<u8>, RequestError> {
    if head.len() > HEAD_BYTES_MAX || body.len() > BODY_BYTES_MAX {
        return Err(RequestError::TooLong);
    }
    let text = [head, b"\n", body, b"\n", &signatures.to_bytes()].concat();
    let text = Zeroizing::new(text);
    let info = kdf::request_info(&gate.0);
    let sealed = hpke::seal(key, &info, &text, rng)
        .expect("a key that was accepted gives no all-zero secret");
    Ok([&key.key_id().0[..], &sealed.enc, &sealed.ct].concat())
}
