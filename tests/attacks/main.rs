//! Attacks, one file a kind: each test does what an attacker would do, and says what comes of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod answer;
mod cost;
mod door;
#[path = "../support/folder.rs"]
mod folder;
mod mail;
mod names;
mod passphrase_slot;
mod people;
mod restore;
mod scene;
mod signatures;
mod state;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/tell.rs"]
mod tell;
mod verified;
mod who;
