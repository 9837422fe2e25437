//! Changing who may read: one session, many envelopes.

pub(crate) mod batch;
pub(crate) mod envelope_file;
pub(crate) mod inputs;
pub(crate) mod printers;
mod question;
pub(crate) mod session;
mod work;
