//! Mail, tested with the corpus that lies beside the repository: what is said there of every message holds of every message.

#![expect(
    clippy::print_stdout,
    reason = "a test says what it saw and what it could not try"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod address_table;
mod addresses;
mod corpus;
mod outer;
mod structure;
