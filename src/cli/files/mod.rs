//! Inputs, outputs and targets.

pub(crate) mod input;
pub(crate) mod out_file;
pub(crate) mod output;
pub(crate) mod parallel;
pub(crate) mod placement;
pub(crate) mod roots;
pub(crate) mod spool;
pub(crate) mod target;
pub(crate) mod twice;
