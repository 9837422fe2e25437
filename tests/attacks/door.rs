//! Whoever may write in a folder on the way leads nothing elsewhere: no file is made, deleted or given away outside.

pub(crate) mod ground;
mod links;
mod locks;
mod owners;
mod race;
mod targets;
