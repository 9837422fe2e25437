//! Mail, tested with every message of our own corpus, and of the outside corpus if it is installed.

#![expect(
    clippy::format_collect,
    reason = "hostile fields are made in the shortest way"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod address_table;
mod addresses;
mod attached;
mod attachments;
#[path = "../support/complaints.rs"]
mod complaints;
#[expect(dead_code, reason = "mboxes as a whole are tested in the library")]
mod corpus;
mod counted;
mod fed;
mod forms;
mod hostile;
mod letters;
mod memory;
mod outer;
#[path = "../support/python.rs"]
mod python;
mod structure;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tell.rs"]
mod tell;
mod transport;
mod wrapped;
