//! Seal files and mail for the people named on the envelope.

pub mod crypto;
pub mod json;
pub mod payload;
pub mod time;
