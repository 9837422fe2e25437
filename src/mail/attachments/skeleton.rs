//! What stays in the open of a message: its hash and its line ends.

use std::io;

use memchr::memchr;
use sha2::{Digest, Sha256};

use super::super::header::Header;
use super::super::reopen::Reopen;
use super::passage::Passage;
use crate::envelope::LineEnds;
use crate::policy::Hash;

/// Hashes what stays in the open, as it passes.
pub(super) struct Skeleton {
    hash: Sha256,
    /// Where the body begins: of the header before, only the `Content-*` fields are hashed.
    body: u64,
    /// A CR is not hashed before what follows is known, nor line ends before text follows.
    cr_is_held: bool,
    line_feeds: u64,
    line_ends: Option<LineEnds>,
    last: u8,
}

impl Skeleton {
    /// The skeleton of a message without those ranges.
    pub(super) fn of(
        message: &dyn Reopen,
        header: &Header,
        body: u64,
        ranges: impl Iterator<Item = (u64, u64)>,
    ) -> io::Result<(Hash, LineEnds)> {
        let mut skeleton = Self::new(header, body);
        let mut passage = Passage::new(message)?;
        for (start, end) in ranges {
            passage.pass_to(start, &mut |at, bytes| {
                skeleton.pass(at, bytes);
                Ok(())
            })?;
            passage.pass_to(end, &mut |_, _| Ok(()))?;
        }
        passage.pass_to_end(&mut |at, bytes| {
            skeleton.pass(at, bytes);
            Ok(())
        })?;
        Ok(skeleton.finish())
    }

    pub(super) fn new(header: &Header, body: u64) -> Self {
        let mut skeleton = Self {
            hash: Sha256::new(),
            body,
            cr_is_held: false,
            line_feeds: 0,
            line_ends: None,
            last: 0,
        };
        for field in header.fields() {
            let name = field.name.as_bytes();
            if name.len() > 8 && name[..8].eq_ignore_ascii_case(b"content-") {
                skeleton.add(field.raw);
            }
        }
        skeleton
    }

    /// Takes the next bytes that stay in the open, and their offset.
    pub(super) fn pass(&mut self, at: u64, bytes: &[u8]) {
        self.see_line_ends(bytes);
        let before_body = self.body.saturating_sub(at);
        let before_body = usize::try_from(before_body).unwrap_or(usize::MAX);
        self.add(&bytes[before_body.min(bytes.len())..]);
    }

    pub(super) fn finish(mut self) -> (Hash, LineEnds) {
        self.release_cr();
        let line_ends = self.line_ends.unwrap_or(LineEnds::Lf);
        (Hash(self.hash.finalize().into()), line_ends)
    }

    fn add(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(line_feed) = memchr(b'\n', rest) {
            self.add_text(&rest[..line_feed]);
            self.cr_is_held = false; // it belongs to the line end
            self.line_feeds += 1;
            rest = &rest[line_feed + 1..];
        }
        self.add_text(rest);
    }

    fn add_text(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.release_cr();
        let before_cr = text.strip_suffix(b"\r");
        self.cr_is_held = before_cr.is_some();
        let text = before_cr.unwrap_or(text);
        if !text.is_empty() {
            self.release_line_feeds();
            self.hash.update(text);
        }
    }

    fn release_cr(&mut self) {
        if std::mem::take(&mut self.cr_is_held) {
            self.release_line_feeds();
            self.hash.update(b"\r");
        }
    }

    fn release_line_feeds(&mut self) {
        for _ in 0..std::mem::take(&mut self.line_feeds) {
            self.hash.update(b"\n");
        }
    }

    fn see_line_ends(&mut self, bytes: &[u8]) {
        let mut from = 0;
        while let Some(found) = memchr(b'\n', &bytes[from..]) {
            if self.line_ends == Some(LineEnds::Mixed) {
                break;
            }
            let at = from + found;
            let before = if at == 0 { self.last } else { bytes[at - 1] };
            let this = if before == b'\r' {
                LineEnds::CrLf
            } else {
                LineEnds::Lf
            };
            if *self.line_ends.get_or_insert(this) != this {
                self.line_ends = Some(LineEnds::Mixed);
            }
            from = at + 1;
        }
        self.last = bytes.last().copied().unwrap_or(self.last);
    }
}
