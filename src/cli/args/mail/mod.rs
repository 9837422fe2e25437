//! Options of the mail commands, as they are typed.

pub(crate) mod mailbox;
pub(crate) mod message;
pub(crate) mod sendmail;
