//! How many threads share one payload.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// The most threads that are useful. More would wait for each other, since a file takes one write at a time.
const WORKERS_MAX: usize = 4;
/// The most threads that are useful if chunks are also hashed, which costs twice as much as encrypting them.
const HASHING_WORKERS_MAX: usize = 8;

/// The number of threads that share the work on one payload, including the calling thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// One per processor, up to the useful number. The calling thread alone when there is little to do.
    Processors,
    /// Exactly this many, however little there is to do.
    Exactly(NonZeroUsize),
}

impl Default for Workers {
    fn default() -> Self {
        Self::ONE
    }
}

impl Workers {
    /// The calling thread alone.
    pub const ONE: Self = Self::Exactly(NonZeroUsize::MIN);

    /// The number of threads. Asks the system, which is too slow for short contents.
    pub(super) fn count(self, is_hashing: bool) -> usize {
        let most = if is_hashing {
            HASHING_WORKERS_MAX
        } else {
            WORKERS_MAX
        };
        match self {
            Self::Processors => available_parallelism().map_or(1, usize::from).min(most),
            Self::Exactly(count) => count.get(),
        }
    }
}
