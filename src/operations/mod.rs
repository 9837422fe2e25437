//! Use cases: what a program does for a person, without terminal, command line, environment and exit code.
//!
//! Readers, writers, the time and randomness are handed in. What has to be asked is asked through [`Unlock`]; what should be known
//! on the way goes to an observer, which a program implements for people and for programs. Outcomes and typed errors come back.

pub mod backup;
pub mod cards;
pub mod check_up;
pub mod gate;
pub mod identity;
pub mod keys;
pub mod mail;
pub mod open;
pub mod restore;
pub mod rewrite;
pub mod seal;

pub use open::approvals;

pub use keys::{MyKeys, Unlock};
