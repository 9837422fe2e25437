//! Sealing and opening messages and mailboxes.

pub(crate) mod compare;
pub(crate) mod incoming;
pub(crate) mod is_sealed;
pub(crate) mod mailbox;
pub(crate) mod outgoing;
pub(crate) mod seal_attachments;
pub(crate) mod seal_message;
pub(crate) mod unseal;
