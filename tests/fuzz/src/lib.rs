//! What the targets and the seeds share: fixed keys, and envelopes whose locks and MAC are right whatever they say.

pub mod forge;
pub mod mutation;
mod read;
mod ring;
pub mod seeds;
pub mod targets;

pub use read::read;
pub use ring::{Ring, author, identity, now};
