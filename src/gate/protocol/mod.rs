//! What is said to a gate and what it says: objects and their bytes, in both directions (FORMAT.md, "Asking a gate").
//!
//! * A *request* is a head, a body and signatures, sealed to the gate. The head says what is asked without naming it, and is kept by
//!   the gate as evidence; the body holds the locks. See [`RequestDraft`] and [`Request`].
//! * An [`Answer`] is one line, signed by the gate's log key and sealed to a key that was drawn for the request.
//! * An [`Entry`] is a line of the gate's log, a [`SignedStatement`] what an owner says of a ticket.
//!
//! Nothing here decides anything.

mod answer;
mod answer_item;
mod draft;
mod entry;
mod head;
mod item;
mod pages;
mod request;
mod statement;

pub use answer::{Answer, AnswerError, Said};
pub use answer_item::{ItemAnswer, LoggedEntry};
pub use draft::{DraftItem, Pending, RequestDraft, RequestError};
pub use entry::{Entry, EntryOp};
pub use head::{Head, Op};
pub use item::{Ask, Item};
pub use pages::{LogLine, LogPage};
pub use request::{Request, RequestBody, RequestFault, Signatures, split};
pub use statement::{SignedStatement, StatementError};

use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::gate::log::{Hash, PROOF_HASHES_MAX};
use crate::json::{self, Error, Value};

/// Bytes of the head of a request.
pub const HEAD_BYTES_MAX: usize = 16_384;
/// Bytes of the body of a request.
pub const BODY_BYTES_MAX: usize = 1_048_576;
/// Items of one request.
pub const ITEMS_MAX: usize = 256;
/// Bytes of a whole request: key id, encapsulated key, tag, head, body, two line feeds, signatures.
pub const REQUEST_BYTES_MAX: usize =
    32 + 1_120 + 16 + HEAD_BYTES_MAX + BODY_BYTES_MAX + 2 + 64 * (ITEMS_MAX + 1);
/// Bytes of a whole answer.
pub const ANSWER_BYTES_MAX: usize = 1_310_720;
/// Bytes of a statement with its signature.
pub const STATEMENT_BYTES_MAX: usize = 2_048;
/// Bytes of an entry.
pub const ENTRY_BYTES_MAX: usize = 4_096;
/// Bytes of a checkpoint in a request or an answer.
pub const CHECKPOINT_BYTES_MAX: usize = 8_192;

/// The hashes of a proof.
fn proof(value: Value<'_>) -> Result<Vec<Hash>, Error> {
    value.array(PROOF_HASHES_MAX, Value::base64)
}

/// Bytes that are written as base64. No copy of them stays in memory: they may be a share.
struct Base64<'a>(&'a [u8]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&Zeroizing::new(json::to_b64(self.0)))
    }
}

/// Hashes that are written as a list of base64.
struct Hashes<'a>(&'a [Hash]);

impl Serialize for Hashes<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.0.iter().map(|hash| Base64(hash)))
    }
}

#[cfg(test)]
mod tests;
