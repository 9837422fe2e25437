//! What the gates of an envelope are asked for.

use zeroize::Zeroizing;

use crate::crypto::kdf::gate::HolderSecret;
use crate::envelope::{GateLock, GateSlot, MaskedPass};

/// What the gates of a lock are asked: the lock, and what proves that all other locks were opened.
pub struct GateQuestion<'a> {
    /// The lock.
    pub lock: &'a GateLock,
    /// The slots of its gates, in the order of the gates.
    pub slots: Vec<&'a GateSlot>,
    /// What only whoever opened all other locks has.
    pub holder: &'a HolderSecret,
    /// The passes, one of which may be the reader's; `None` where nobody needs one.
    pub passes: Option<&'a [MaskedPass]>,
    /// How many shares are still missing.
    pub missing: u8,
}

/// What the gates answered: the lock's secret or shares, each with the position of its gate.
pub type GateParts = Vec<(u8, Zeroizing<Vec<u8>>)>;
