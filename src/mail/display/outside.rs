//! What stands in no part of a message: in front of the first delimiter of a multipart, behind the last, or all of a body in which
//! the announced delimiter never comes.

use super::super::scan::Visitor;
use super::{Text, numbered};

/// How much of it is kept, in bytes.
const BYTES_MAX: usize = 256 << 10;
/// What mail programs write there for programs without MIME.
const USUAL: [&str; 2] = [
    "This is a multi-part message in MIME format.",
    "This is a multipart message in MIME format.",
];

#[derive(Default)]
pub(super) struct Outside {
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Visitor for Outside {
    fn outside(&mut self, bytes: &[u8]) {
        let room = BYTES_MAX - self.bytes.len();
        self.bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.is_cut |= bytes.len() > room;
    }
}

impl Outside {
    /// What is worth reading, if anything.
    pub(super) fn text(self, above: &str) -> Option<Text> {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let read = text.trim();
        (!read.is_empty() && !USUAL.contains(&read)).then(|| Text {
            number: numbered(above, "1"),
            text,
            is_cut: self.is_cut,
        })
    }
}
