//! Mail messages around envelopes: structure, addresses, headers, mailboxes. Original bytes are kept exactly.
//!
//! Nothing here knows keys: whoever seals or opens is handed in.

pub mod archive;
mod header;
mod reread;

pub use header::{Field, HEADER_BYTES_MAX, Header, HeaderEnd};
pub use reread::{FileFrom, Reread};
