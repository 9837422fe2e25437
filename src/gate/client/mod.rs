//! Asking gates: several questions to several gates at once, and every answer checked before anything of it is used.
//!
//! Nothing here knows a network: [`Transport`] carries bytes. Nothing is remembered: what was seen of a gate's log is handed in with a
//! [`Peer`], and what is to be kept from now on comes back in [`Outcome`]. The caller stores that before it uses a share.

mod audit;
mod check;
mod exchange;
mod growing;
mod kept;
mod peer;
mod reply;
mod spread;
mod tiles;
mod transport;

pub use audit::{AuditEntry, AuditLine, Signed, audit_line};
pub use check::{Lie, LieKind, LogNews};
pub use exchange::{Question, Wanted};
pub use growing::GrowingTree;
pub use kept::{KeptCheckpoint, contradict};
pub use peer::{Asker, Outcome, Peer, PeerNews};
pub use reply::{NoReply, Receipt, Refused, Reply};
pub use spread::ask;
pub use tiles::Tiles;
pub use transport::{CARD_BYTES_MAX, GatePlace, Transport, TransportError};

#[cfg(test)]
pub(crate) mod tests;
