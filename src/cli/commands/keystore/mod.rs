//! The keystore as one thing: backup, restore, doctor, unlock.

pub(crate) mod backup;
pub(crate) mod doctor;
pub(crate) mod restore;
pub(crate) mod unlock;
