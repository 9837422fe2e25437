#![doc = include_str!("PROTOCOL.md")]
//!
//! # The modules
//!
//! * [`answering`]: what it does with a request.
//! * [`card`]: its keys and its address, signed.
//! * [`client`]: asking it, and checking what it says.
//! * [`protocol`]: what is said to it and what it says, byte by byte.
//! * [`log`]: the tamper-evident log, a Merkle tree (RFC 6962) with checkpoints and proofs that anybody can check offline.
//! * [`rules`]: what a ticket's state allows; pure functions of the terms, the state and the time.

pub mod answering;
pub mod card;
pub mod client;
pub mod log;
pub mod protocol;
pub mod rules;

#[cfg(test)]
pub(crate) mod scene;
