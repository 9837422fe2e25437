//! What is fuzzed: one function a file, which takes any bytes and panics where something is wrong.

pub mod address;
pub mod approval;
pub mod armor;
pub mod base64_body;
pub mod card;
pub mod gate;
pub mod identity_file;
pub mod manifest;
pub mod open;
pub mod scanner;

/// A target's entry point.
pub type Run = fn(&[u8]);

/// All targets by name.
pub const ALL: [(&str, Run); 10] = [
    ("manifest", manifest::run),
    ("card", card::run),
    ("gate", gate::run),
    ("approval", approval::run),
    ("identity_file", identity_file::run),
    ("armor", armor::run),
    ("open", open::run),
    ("scanner", scanner::run),
    ("base64_body", base64_body::run),
    ("address", address::run),
];
