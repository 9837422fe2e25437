//! Tests that no data is lost: the program is killed at every system call, every write fails, disks are full, outputs are
//! closed, and targets are the input itself.
//!
//! `cargo test --test crash` tries a spread of the calls; `ENCL_SWEEP=full cargo test --test crash` tries all of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod access;
mod aliases;
mod backups;
#[path = "../support/complaints.rs"]
mod complaints;
#[expect(dead_code, reason = "only the messages are needed here")]
#[path = "../mail/corpus.rs"]
mod corpus;
mod crowd;
mod failures;
#[path = "../support/folder.rs"]
mod folder;
mod invitations;
mod key_changes;
mod keystores;
mod kills;
mod large_mailbox;
mod mailbox;
mod mailboxes;
mod outputs;
mod scenario;
mod scene;
mod secrets;
mod signals;
mod strace;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tell.rs"]
mod tell;
mod threads;
mod tree;

use complaints::complaints;
use tell::tell;

/// Reports what was tried, and fails if there are complaints.
fn judge(tried: &str, wrong: &str, complaints: &[String]) {
    tell(&format!("crash: {tried}, {} {wrong}", complaints.len()));
    assert!(complaints.is_empty(), "{complaints:#?}");
}
