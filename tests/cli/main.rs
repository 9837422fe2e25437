//! Stories: the commands that a person types, and all output on both streams.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod access;
mod backups;
mod broken_keystores;
mod exit_codes;
#[path = "../support/folder.rs"]
mod folder;
mod folders;
mod groups;
mod help;
mod hostile;
mod hostile_keystores;
mod invitations;
mod json;
mod key_changes;
mod keystore;
mod let_in;
mod mail;
mod mailboxes;
mod newcomers;
mod pages;
mod paper;
mod prompts;
mod quorum;
mod scrub;
mod sending;
mod session;
mod shells;
mod stale_lists;
mod strangers;
#[path = "../support/mod.rs"]
mod support;
mod sysexits;
#[path = "../support/tell.rs"]
mod tell;
mod trust;
mod unlock;
mod years;
