//! Other people: contacts, groups, invitations.

pub(crate) mod contact;
pub(crate) mod group;
pub(crate) mod invite;
