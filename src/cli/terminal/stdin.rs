//! Standard input, which holds one thing: who reads it claims it.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::process::descriptors::Standard;

/// Standard input of one run. All clones stand for the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct StdinGuard {
    is_claimed: Arc<AtomicBool>,
}

/// Standard input is read for something else already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("standard input cannot be read twice")]
pub(crate) struct StdinClaimed;

impl StdinGuard {
    /// Claims standard input as data. From now on no passphrase comes from there.
    pub(crate) fn claim(&self) -> Result<(), StdinClaimed> {
        match self.is_claimed.swap(true, Ordering::Relaxed) {
            true => Err(StdinClaimed),
            false => Ok(()),
        }
    }

    /// Whether it is data already.
    pub(crate) fn is_claimed(&self) -> bool {
        self.is_claimed.load(Ordering::Relaxed)
    }
}

/// Opens standard input for data, without the standard library's buffer. It must not have been closed.
pub(crate) fn open() -> io::Result<File> {
    match Standard::Input.was_closed() {
        true => Err(io::Error::other("it is closed")),
        false => Ok(io::stdin().as_fd().try_clone_to_owned()?.into()),
    }
}

/// `-` stands for standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_claimed_once() {
        let stdin = StdinGuard::default();
        let other = stdin.clone();
        assert!(!other.is_claimed());
        assert_eq!(stdin.claim(), Ok(()));
        assert!(other.is_claimed());
        assert_eq!(other.claim(), Err(StdinClaimed));
    }
}
