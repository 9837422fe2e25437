//! The gate lock of an envelope: its terms in line 2, its slots and passes in line 3, and how it is sealed.

pub(super) mod lock;
pub(super) mod seal;
pub(super) mod terms;

pub use lock::{GateLock, MaskedPass, PUBLIC_BLIND, Ticket};
pub use seal::{GateAddressee, GateKeeper, GateRequest};
