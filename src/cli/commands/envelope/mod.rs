//! Files: wrap, unwrap, verify, inspect.

pub(crate) mod inspect;
pub(crate) mod unwrap;
pub(crate) mod verify;
pub(crate) mod wrap;
