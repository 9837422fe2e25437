//! Changing identities.

pub(crate) mod restore_backup;
pub(crate) mod update;
