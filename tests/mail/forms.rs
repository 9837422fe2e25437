//! The messages of the corpora with other line ends, and their headers.

use encl::mail::Header;

use crate::corpus::{Message, messages};

/// The message as it is, with LF and with CRLF.
pub(crate) fn forms(message: &Message) -> [(&'static str, Vec<u8>); 3] {
    [
        ("as it is", message.bytes.clone()),
        ("LF", with_lf(&message.bytes)),
        ("CRLF", with_crlf(&message.bytes)),
    ]
}

/// Bytes with every CRLF turned into LF.
pub(crate) fn with_lf(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut after_cr = false;
    for byte in bytes {
        if *byte == b'\n' && after_cr {
            out.pop();
        }
        after_cr = *byte == b'\r';
        out.push(*byte);
    }
    out
}

/// Bytes with every line end turned into CRLF.
pub(crate) fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let lf = with_lf(bytes);
    let lines = lf.split(|byte| *byte == b'\n');
    lines.collect::<Vec<_>>().join(&b"\r\n"[..])
}

/// The header blocks of all messages.
pub(crate) fn headers() -> Vec<Header> {
    let read = |message: &Message| Header::read(&mut message.bytes.as_slice()).unwrap();
    messages().map(read).collect()
}
