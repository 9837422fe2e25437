//! Mail: messages and attachments sealed, opened and delivered, and whole mailboxes converted.

pub mod from;
pub mod incoming;
pub mod is_sealed;
pub mod mailbox;
pub mod outgoing;
pub mod spool;

use crate::crypto::CryptoRng;
use crate::envelope::{Mail, Opened};

/// Gives a source of randomness to each thread that needs one.
pub type NewRng<'a> = dyn Fn() -> Box<dyn CryptoRng> + Sync + 'a;

/// Whether the content of an envelope is a whole message.
#[must_use]
pub fn is_message(opened: &Opened) -> bool {
    matches!(opened.private.info.mail, Some(Mail::Message { .. }))
}
