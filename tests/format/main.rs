//! Integrity of envelopes: every change, cut, splice or forgery is refused with the class that FORMAT.md gives, and only
//! authentic content is released.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]
#![expect(clippy::print_stdout, reason = "figures are part of the result")]

mod access;
mod access_quorums;
mod ed25519;
mod every_bit;
mod gate;
mod hostile_sweep;
mod insider;
mod json;
mod kit;
mod lines;
mod lying_gate;
#[path = "../support/node.rs"]
mod node;
mod other_readers;
mod padding;
mod plans;
#[path = "../support/python.rs"]
mod python;
mod quorums;
mod resealing;
mod rewriting;
mod second_reader;
mod second_reader_access;
mod second_reader_gate;
mod shapes;
mod sizes;
mod splices;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tell.rs"]
mod tell;
mod times;
mod workers;
