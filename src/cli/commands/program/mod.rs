//! The program itself: help, manual, completions, version.

pub(crate) mod completions;
pub(crate) mod help;
pub(crate) mod man;
pub(crate) mod reader;
pub(crate) mod version;
