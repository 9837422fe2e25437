//! Seal files and mail for the people named on the envelope.

pub mod atomic_file;
pub mod crypto;
pub mod envelope;
pub mod identity;
pub mod json;
pub mod payload;
pub mod policy;
pub mod time;
