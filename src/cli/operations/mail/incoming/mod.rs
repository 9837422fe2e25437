//! A message that came in.

pub(crate) mod attachments;
pub(crate) mod header_tap;
pub(crate) mod open;
pub(crate) mod received;
pub(crate) mod sender_check;
