//! Which standard descriptors were closed when the program was started. Rust's runtime opens `/dev/null` in their place before
//! `main`, which other programs hand over as well, and with the same flags: daemon(3), Python's `DEVNULL`, Node's `ignore`.

use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::{Errno, fcntl_getfd};
use rustix::stdio;

/// A standard descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standard {
    Input,
    Output,
}

impl Standard {
    fn bit(self) -> u8 {
        match self {
            Self::Input => 1,
            Self::Output => 2,
        }
    }

    /// Whether it was closed when the program was started.
    pub(crate) fn was_closed(self) -> bool {
        CLOSED.load(Ordering::Relaxed) & self.bit() != 0
    }
}

static CLOSED: AtomicU8 = AtomicU8::new(0);

/// Runs before `main`, and so before the runtime opens anything. Nothing of the standard library that needs the runtime may be
/// used here: no memory, no panic.
#[ctor::ctor]
fn look() {
    for (standard, descriptor) in [
        (Standard::Input, stdio::stdin()),
        (Standard::Output, stdio::stdout()),
    ] {
        if fcntl_getfd(descriptor) == Err(Errno::BADF) {
            CLOSED.fetch_or(standard.bit(), Ordering::Relaxed);
        }
    }
}
