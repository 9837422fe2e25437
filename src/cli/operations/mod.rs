//! Use cases that several commands share.

pub(crate) mod contacts;
pub(crate) mod doctor;
pub(crate) mod gate;
pub(crate) mod identity;
pub(crate) mod keyring;
pub(crate) mod mail;
pub(crate) mod open;
pub(crate) mod recipients;
pub(crate) mod rewrite;
pub(crate) mod seal;
pub(crate) mod wrap;
