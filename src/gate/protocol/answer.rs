//! What a gate answers to a request: one line, signed by its log key, sealed to the key that the request has for it.

use serde::Serialize;
use zeroize::Zeroizing;

use super::answer_item::{ItemLine, answer_item};
use super::entry::known_reason;
use super::{
    ANSWER_BYTES_MAX, Base64, CHECKPOINT_BYTES_MAX, Hashes, ITEMS_MAX, ItemAnswer, Op, Pending,
    proof,
};
use crate::crypto::kdf::gate as kdf;
use crate::crypto::signing::{Purpose, RootId, Signature, SigningKey};
use crate::crypto::{CryptoRng, Kem, PublicKey, hpke};
use crate::gate::log::Hash;
use crate::gate::rules::Refusal;
use crate::identity::{VERSION, known_version};
use crate::json::{Error, Text};
use crate::time::Time;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request that it answers.
    pub request: Hash,
    /// When, by the gate's clock.
    pub at: Time,
    /// What it says.
    pub said: Said,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing of the request was looked at.
    Refused(Refusal),
    /// An answer to each item.
    Items {
        /// In the order of the request.
        items: Vec<ItemAnswer>,
        /// The state of the log, in which the entries are.
        checkpoint: Vec<u8>,
        /// That the log which the asker had seen is the beginning of it; empty without `seen`.
        consistency: Vec<Hash>,
    },
}

/// Why bytes are not the answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// They are longer than any answer.
    #[error("it is too long for an answer")]
    TooLong,
    /// They are not sealed to the key of the request.
    #[error("it does not open: it is not the answer to this request")]
    Sealed,
    /// The gate did not sign it.
    #[error("the gate did not sign it")]
    Signature,
    /// It is not as the format demands.
    #[error(transparent)]
    Line(#[from] Error),
    /// It is the answer to another request.
    #[error("it is the answer to another request")]
    Request,
}

impl Answer {
    /// The answer as it is written, without a line feed.
    #[must_use]
    pub fn to_line(&self) -> Zeroizing<Vec<u8>> {
        let (refused, items, checkpoint, consistency) = match &self.said {
            Said::Refused(refusal) => (Some(refusal.word()), None, None, None),
            Said::Items {
                items,
                checkpoint,
                consistency,
            } => {
                let lines = items.iter().map(ItemAnswer::line).collect();
                let path = (!consistency.is_empty()).then(|| Hashes(consistency));
                (None, Some(lines), Some(Base64(checkpoint)), path)
            }
        };
        let line = AnswerLine {
            answer: VERSION,
            request: Base64(&self.request),
            at: self.at,
            refused,
            items,
            checkpoint,
            consistency,
        };
        // Room from the start for what is usual: a buffer that grows leaves copies of shares behind.
        let mut text = Zeroizing::new(Vec::with_capacity(self.bytes_expected()));
        serde_json::to_writer(&mut *text, &line).expect("a Vec takes every write");
        text
    }

    pub(super) fn bytes_expected(&self) -> usize {
        match &self.said {
            Said::Refused(_) => 256,
            Said::Items { items, .. } => {
                let items = items.iter().map(ItemAnswer::bytes_expected);
                16_384 + items.sum::<usize>()
            }
        }
    }

    /// Signs the answer and seals it to the key of the request. Each call seals anew.
    #[must_use]
    pub fn seal(&self, log: &SigningKey, reply: &PublicKey, rng: &mut dyn CryptoRng) -> Vec<u8> {
        let line = self.to_line();
        let signature = log.sign(Purpose::GateAnswer, &[&line]);
        let text = Zeroizing::new([&line[..], b"\n", &signature.0].concat());
        let info = kdf::answer_info(&self.request);
        let sealed = hpke::seal(reply, &info, &text, rng)
            .expect("a key that was accepted gives no all-zero secret");
        [sealed.enc, sealed.ct].concat()
    }

    /// Opens the answer to a request, and checks that the gate signed it. What it says is not compared with anything.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn open(answer: &[u8], pending: &Pending, log: RootId) -> Result<Self, AnswerError> {
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(AnswerError::TooLong);
        }
        let parts = answer.split_at_checked(Kem::XWing.enc_bytes());
        let (enc, ct) = parts.ok_or(AnswerError::Sealed)?;
        let info = kdf::answer_info(&pending.hash);
        let text = hpke::open(&pending.reply, enc, &info, ct).map_err(|_| AnswerError::Sealed)?;
        let parts = text.split_last_chunk::<{ Signature::BYTES }>();
        let parts = parts.and_then(|(line, end)| Some((line.strip_suffix(b"\n")?, end)));
        let (line, end) = parts.ok_or_else(|| Error::malformed("no line and signature"))?;
        let verified = log.verify(Purpose::GateAnswer, &[line], &Signature(*end));
        verified.map_err(|_| AnswerError::Signature)?;
        let answer = Self::parse(line, pending.head.op)?;
        match answer.request == pending.hash {
            true => Ok(answer),
            false => Err(AnswerError::Request),
        }
    }

    /// Reads the line of an answer to a request with this op.
    ///
    /// # Errors
    /// [`Error`].
    pub fn parse(line: &[u8], op: Op) -> Result<Self, Error> {
        let (mut version, mut request, mut at, mut refused) = (None, None, None, None);
        let (mut items, mut checkpoint, mut consistency) = (None, None, None);
        Text::check(line)?.object(|name, value| {
            match name {
                "answer" => version = Some(known_version(value)?),
                "request" => request = Some(value.base64()?),
                "at" => at = Some(value.time()?),
                "refused" => refused = Some(known_reason(value)?),
                "items" => {
                    let item = |item| answer_item(item, op);
                    items = Some(value.array(ITEMS_MAX, item)?);
                }
                "checkpoint" => checkpoint = Some(value.base64_up_to(CHECKPOINT_BYTES_MAX)?),
                "consistency" => consistency = Some(proof(value)?),
                other => return Err(Error::unknown(other)),
            }
            Ok(())
        })?;
        version.ok_or_else(|| Error::missing("answer"))?;
        let said = match (refused, items, checkpoint, consistency) {
            (Some(refusal), None, None, None) => Said::Refused(refusal),
            (None, Some(items), Some(checkpoint), consistency) => Said::Items {
                items,
                checkpoint,
                consistency: consistency.unwrap_or_default(),
            },
            _ => return Err(Error::malformed("neither refused nor answered")),
        };
        Ok(Self {
            request: request.ok_or_else(|| Error::missing("request"))?,
            at: at.ok_or_else(|| Error::missing("at"))?,
            said,
        })
    }
}

#[derive(Serialize)]
struct AnswerLine<'a> {
    answer: &'static str,
    request: Base64<'a>,
    at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemLine<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistency: Option<Hashes<'a>>,
}
