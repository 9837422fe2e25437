//! What is wrong with a message in which no envelope is found: damage that programs on the way are known to do.

use std::io::{self, Read};

use super::super::header::Header;
use super::super::reopen::Reopen;

/// How much of a message is looked at, in bytes.
const BYTES_MAX: u64 = 1 << 20;
/// The longest content type from which a boundary is taken, in bytes: decoding takes the square of it.
const TYPE_BYTES_MAX: usize = 4 << 10;

/// Something that keeps readers from seeing the parts of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A program has put a CR before each CR LF.
    #[error("line {line} ends in CR CR LF, so no empty line ends the header")]
    CrCrLf {
        /// The number of the first such line, from 1.
        line: usize,
    },
    /// A delimiter has more dashes, or fewer, than it was announced with.
    #[error(
        "line {line} would separate parts, but has other dashes than the boundary in the header"
    )]
    Dashes {
        /// The number of the first such line, from 1.
        line: usize,
    },
}

/// Looks for the reason why a message with this header has no parts.
///
/// # Errors
/// When the message cannot be read.
pub fn fault(message: &dyn Reopen, header: &Header) -> io::Result<Option<Fault>> {
    let mut bytes = Vec::new();
    message.open()?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    let content_type = header.first("Content-Type").map(|field| field.text());
    let content_type = content_type.filter(|value| value.len() <= TYPE_BYTES_MAX);
    let boundary = content_type.and_then(|value| {
        let mut parsed = mailparse::parse_content_type(&value);
        parsed.params.remove("boundary")
    });
    let boundary = boundary.filter(|boundary| !boundary.trim_matches('-').is_empty());
    for (line, text) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        if text.ends_with(b"\r\r\n") {
            return Ok(Some(Fault::CrCrLf { line }));
        }
        let has_other_dashes = |boundary: &String| {
            let text = String::from_utf8_lossy(text.trim_ascii_end());
            text.starts_with('-')
                && text.trim_matches('-') == boundary.trim_matches('-')
                && text != format!("--{boundary}")
                && text != format!("--{boundary}--")
        };
        if boundary.as_ref().is_some_and(has_other_dashes) {
            return Ok(Some(Fault::Dashes { line }));
        }
    }
    Ok(None)
}
