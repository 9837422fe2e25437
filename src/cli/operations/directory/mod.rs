//! Who is meant by a name, a card, an address or a group.

pub(crate) mod confusables;
pub(crate) mod mail_address;
pub(crate) mod people;
pub(crate) mod recipients;
pub(crate) mod removals;
pub(crate) mod resolve;
