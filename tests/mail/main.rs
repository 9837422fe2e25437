//! Mail, held against CPython's `email` and against the corpus of real messages.

#![expect(
    clippy::print_stdout,
    reason = "a test says what it saw and what it could not try"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod address_table;
mod addresses;
mod corpus;
mod outer;
