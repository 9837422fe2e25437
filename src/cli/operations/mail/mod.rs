//! The library's use cases of mail, with the program's files, passphrases and terminal.

pub(crate) mod attachments;
pub(crate) mod author;
pub(crate) mod mailbox;
pub(crate) mod open;
pub(crate) mod subprocess;
