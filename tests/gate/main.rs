//! Gates as they run: real `encl-gate` programs on loopback, asked by a small client of our own and by hand.
//!
//! `cargo test --features gate --test gate` tries a spread of the cases; `ENCL_SWEEP=full` tries all of them, and measures longer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod amnesia;
mod asking;
mod client;
mod clocks;
mod disks;
mod floods;
mod interleavings;
mod keeping;
mod kills;
mod large;
mod link;
mod office;
mod operators;
mod requests;
mod server;
mod stories;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tell.rs"]
mod tell;
mod throughput;
mod tiles;
mod tls;
mod witnesses;
mod witnessing;
