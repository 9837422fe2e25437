//! Sealing files: one by one, and all below a folder.

pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod plan;
