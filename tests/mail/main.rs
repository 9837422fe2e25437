//! Mail, tested with the corpus that lies beside the repository: what is said there of every message holds of every message.

#![expect(
    clippy::format_collect,
    reason = "hostile fields are made in the shortest way"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod address_table;
mod addresses;
mod attached;
mod attachments;
mod corpus;
mod hostile;
mod letters;
mod memory;
mod outer;
mod structure;
mod transport;
mod wrapped;

/// One line for whoever reads the log of the tests.
fn tell(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}
