//! Seal files and mail for the people named on the envelope.

pub mod json;
pub mod time;
