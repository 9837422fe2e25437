//! Cards that come in, from files and messages.

pub(crate) mod accept;
pub(crate) mod card_source;
pub(crate) mod invitation_reply;
