//! What a gate does with a request: who may ask, what is logged, what is answered. Network, database and clock are the program's.
//!
//! 1. [`Prepared::new`] checks what no database is needed for: locks, proofs, passes, slots. It costs the most, and can run on many
//!    threads.
//! 2. [`Prepared::decide`] decides inside one transaction of a [`Ledger`], and appends the entries. Nothing is decided before or
//!    twice: an operator's block or an owner's statement either is in the transaction, or comes after the answer in the log.
//! 3. [`Decided::answer`] adds proofs to what was decided, once the transaction has a size. The answer goes out when it is durable.

mod decide;
mod items;
mod keys;
mod ledger;
mod limits;
mod pages;
mod prepare;
mod prove;

pub use decide::{BACK_SECONDS_MAX, Moment};
pub use keys::GateKeys;
pub use ledger::{Ledger, LogHead, Outcome, OutcomeKey, Row};
pub use limits::{Budget, Place};
pub use prepare::Prepared;
pub use prove::Decided;

/// How many seconds the time of a request may be away from the gate's.
pub const FRESH_SECONDS: u64 = 600;

#[cfg(test)]
mod memory;
#[cfg(test)]
mod tests;
