//! Changing who may read: one session, many envelopes.

pub(crate) mod batch;
pub(crate) mod changes;
pub(crate) mod envelope_file;
pub(crate) mod session;
pub(crate) mod update;
