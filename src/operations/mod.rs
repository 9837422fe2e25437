//! Use cases: what the program does for people, without a terminal.
//!
//! Readers, writers, the time, randomness and whatever has to be asked are handed in; outcomes and typed errors come back.

pub mod backup;
pub mod cards;
pub mod check_up;
pub mod identity;
pub mod restore;
