//! Use cases that several commands share.

pub(crate) mod identity;
pub(crate) mod mail;
pub(crate) mod open;
pub(crate) mod recipients;
pub(crate) mod rewrite;
pub(crate) mod seal;
