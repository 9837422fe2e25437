//! Nothing is lost: the program is killed at its system calls, refused its writes and robbed of its disk, and never leaves
//! a partial file, a changed input, a keystore that does not open, or plaintext that others can read.
//!
//! The short form takes a spread of the crash points and every one that writes; `ENCL_SWEEP=full` takes all of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod errors;
mod kills;
mod outputs;
mod scene;
mod signals;
mod trace;
