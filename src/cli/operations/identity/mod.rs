//! Changing identities.

pub(crate) mod find;
pub(crate) mod report;
pub(crate) mod restore_backup;
pub(crate) mod update;
