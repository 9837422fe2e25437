//! Changing who may read: one session, many envelopes.

pub(crate) mod batch;
pub(crate) mod envelope_file;
pub(crate) mod printers;
pub(crate) mod session;
