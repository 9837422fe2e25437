//! Functions that the test binaries share.

pub(crate) mod process;
pub(crate) mod sweep;
