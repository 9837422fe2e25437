//! What people bring with them: inputs that are neither hostile nor as expected, found where people met them with other programs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod clocks;
#[path = "../mail/corpus.rs"]
#[expect(dead_code, reason = "only the messages are needed here")]
mod corpus;
#[path = "../mail/fed.rs"]
mod fed;
mod homes;
#[path = "../mail/letters.rs"]
#[expect(dead_code, reason = "nobody starts other programs here")]
mod letters;
mod limits;
mod mail;
mod mail_folders;
mod mail_outside;
mod mail_reading;
mod scene;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod systems;
#[path = "../support/tell.rs"]
mod tell;
