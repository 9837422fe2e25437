//! Things of the domain as text and as JSON.

pub(crate) mod cards;
pub(crate) mod envelope;
pub(crate) mod framed;
pub(crate) mod mail;
pub(crate) mod names;
pub(crate) mod paper;
pub(crate) mod recipients;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod time;
pub(crate) mod trust;
