//! Who may read an envelope: grant, drop, revoke, rewrap, approve.

pub(crate) mod approve;
pub(crate) mod drop;
pub(crate) mod grant;
pub(crate) mod revoke;
pub(crate) mod rewrap;
