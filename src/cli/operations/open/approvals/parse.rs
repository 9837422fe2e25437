//! Approvals in whatever they came in: a file of their own, one a line, a saved message, a chat.

use encl::envelope::{Approval, ApprovalError};

const PREFIX: &[u8] = b"encl-approval1:";
/// Lines over which one approval is wrapped, at most. Bounds the work that a hostile file makes.
const LINES_MAX: usize = 256;

/// All approvals in `bytes`, in their order, at least one. Text around them is ignored; an approval that is incomplete is an
/// error.
pub(crate) fn approvals(bytes: &[u8]) -> Result<Vec<Approval>, ApprovalError> {
    if bytes.first() == Some(&b'{') {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        return lines.map(Approval::from_bytes).collect();
    }
    let bytes = without_soft_breaks(bytes);
    let mut found = Vec::new();
    let mut rest = after_text(&bytes, 0);
    while let Some(text) = rest {
        let end = after_text(text, PREFIX.len()).map_or(text.len(), |next| text.len() - next.len());
        found.push(approval(&text[..end])?);
        rest = after_text(text, PREFIX.len());
    }
    if found.is_empty() {
        // The library's own words for what does not begin like an approval.
        return Approval::from_bytes(&[]).map(|approval| vec![approval]);
    }
    Ok(found)
}

/// From the next place on where an approval begins, at `from` or behind it.
fn after_text(bytes: &[u8], from: usize) -> Option<&[u8]> {
    let at = bytes[from..]
        .windows(PREFIX.len())
        .position(|window| window == PREFIX)?;
    Some(&bytes[from + at..])
}

/// The approval at the beginning of `text`, whatever follows: as many lines as make one. Its check characters and its JSON
/// leave no doubt where it ends.
fn approval(text: &[u8]) -> Result<Approval, ApprovalError> {
    let mut end = 0;
    let mut latest = None;
    for line in text.split_inclusive(|byte| *byte == b'\n').take(LINES_MAX) {
        if is_blank(line) {
            break;
        }
        end += line.len();
        match Approval::from_bytes(text[..end].trim_ascii_end()) {
            // The text is complete; whether it makes sense is decided elsewhere.
            made @ (Ok(_) | Err(ApprovalError::Line(_))) => return made,
            Err(error) => latest = Some(error),
        }
    }
    match latest {
        Some(error) => Err(error),
        None => Approval::from_bytes(text),
    }
}

/// A line with nothing in it but quoting.
fn is_blank(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| byte.is_ascii_whitespace() || *byte == b'>')
}

/// Long lines in messages are broken by `=` (quoted-printable), which is no character of an approval's.
fn without_soft_breaks(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match after {
            [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] if *first == b'=' => rest = after,
            _ => out.push(*first),
        }
    }
    out
}

#[cfg(test)]
mod tests;
