//! Mail messages around envelopes: structure, addresses, headers, mailboxes. Original bytes are kept exactly.
//!
//! Nothing here knows keys: whoever seals or opens is handed in.

pub mod archive;
pub mod attachments;
mod base64_lines;
mod find;
mod header;
mod message;
mod reread;
mod scan;
mod transfer;

pub use base64_lines::Base64Lines;
pub use find::{Findings, Form, MEDIA_TYPE, Other, Sealed, find, open_body};
pub use header::{Field, HEADER_BYTES_MAX, Header, HeaderEnd};
pub use message::{Body, Boundary, Eol, Frame, NOTICE_BYTES_MAX, Notice, NoticeError, SealedBy};
pub use reread::{FileFrom, Reread};
pub use scan::{
    BLANK_BYTES_MAX, DEPTH_MAX, Disposition, Encoding, Messages, PARTS_MAX, Part, ScanError, Shape,
    Structure, Watch, scan,
};
pub use transfer::{Decoded, Decoder};
