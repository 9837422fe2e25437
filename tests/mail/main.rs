//! Mail, tested with the corpus that lies beside the repository: what is said there of every message holds of every message.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod attachments;
mod corpus;
mod structure;
