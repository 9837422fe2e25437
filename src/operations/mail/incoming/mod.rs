//! Messages that came in: the envelopes in them opened and checked.

pub mod attachments;
pub mod header_tap;
pub mod open;
pub mod received;
pub mod sender_check;
