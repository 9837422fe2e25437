//! Things of the domain as text and as JSON.

pub(crate) mod card;
pub(crate) mod mail;
pub(crate) mod names;
pub(crate) mod paper;
pub(crate) mod policy;
pub(crate) mod qr;
pub(crate) mod recipients;
pub(crate) mod time;
pub(crate) mod trust;
