//! Cards, contacts and invitations.

pub(crate) mod card;
pub(crate) mod contact;
pub(crate) mod group;
pub(crate) mod invitation;
