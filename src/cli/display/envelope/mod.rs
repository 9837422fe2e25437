//! What an envelope says, and how its access changes.

pub(crate) mod access;
pub(crate) mod gate;
pub(crate) mod inspection;
pub(crate) mod opened;
pub(crate) mod policy;
