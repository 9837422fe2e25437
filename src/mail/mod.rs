//! Mail messages around envelopes: structure, addresses, headers, mailboxes. Original bytes are kept exactly.
//!
//! Nothing here knows keys: functions that seal or open are handed in.

pub mod address;
pub mod archive;
pub mod attachments;
mod base64_lines;
mod display;
mod find;
mod header;
mod html;
mod maildir_name;
mod message;
pub mod outer;
pub mod recipients;
mod reopen;
mod scan;
mod sendmail;
mod transfer;
pub mod words;

pub use address::{AddressError, AddressFault, Mailbox, NotOneAddress, parse_address, parse_list};
pub use base64_lines::Base64Lines;
pub use display::{Display, Listed, Text, Unread, Why};
pub use find::{Fault, Findings, Form, MEDIA_TYPE, Other, Sealed, fault, find, open_body};
pub use header::{Doubt, DoubtfulLine, Field, HEADER_BYTES_MAX, Header, HeaderEnd};
pub use maildir_name::{MaildirPlace, maildir_name};
pub use message::{Body, Boundary, Eol, Frame, NOTICE_BYTES_MAX, Notice, NoticeError, SealedBy};
pub use outer::{Difference, Outer, differences, trace};
pub use reopen::{FileFrom, Reopen};
pub use scan::{
    BLANK_BYTES_MAX, DEPTH_MAX, Disposition, Encoding, Nested, PARTS_MAX, Part, ScanError, Shape,
    Structure, Visitor, scan,
};
pub use sendmail::{Invocation, InvocationError};
pub use transfer::{Decoded, Decoder};
pub use words::decode as decoded_words;
