//! Messages in words.

/// The fields of a header that are shown, in this order.
pub(crate) const FIELDS: [&str; 5] = ["From", "To", "Cc", "Date", "Subject"];
