//! Things of the domain as text and as JSON.

pub(crate) mod access;
pub(crate) mod card;
pub(crate) mod contact;
pub(crate) mod doctor;
pub(crate) mod inspection;
pub(crate) mod invitation;
pub(crate) mod names;
pub(crate) mod paper;
pub(crate) mod policy;
pub(crate) mod qr;
pub(crate) mod recipients;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod time;
pub(crate) mod trust;

/// The fields of a message that are shown, in this order.
pub(crate) const FIELDS: [&str; 5] = ["From", "To", "Cc", "Date", "Subject"];
