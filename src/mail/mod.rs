//! Mail messages around envelopes: structure, addresses, headers, mailboxes. Original bytes are kept exactly.
//!
//! Nothing here knows keys: whoever seals or opens is handed in.

mod base64_lines;
mod header;
mod message;
pub mod recipients;
mod reread;

pub use base64_lines::Base64Lines;
pub use header::{Field, HEADER_BYTES_MAX, Header, HeaderEnd};
pub use message::{
    Body, Boundary, Eol, Frame, MEDIA_TYPE, NOTICE_BYTES_MAX, Notice, NoticeError, SealedBy,
};
pub use reread::{FileFrom, Reread};
