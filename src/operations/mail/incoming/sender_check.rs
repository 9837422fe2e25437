//! What is checked of an opened message beside its signature: whether it is from whoever signed it, and whether it is what stands
//! outside.

use crate::directory::{Names, People, Person};
use crate::envelope::{Mail, Opened};
use crate::mail::{Difference, Header, HeaderEnd, differences};
use crate::operations::mail::from::is_from;
use crate::operations::mail::is_message;

/// Other authors that an error names.
const OTHERS_MAX: usize = 12;

/// Whether a message may be from somebody else than its signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FromMismatch {
    /// It is not opened.
    Refuse,
    /// It is opened all the same.
    Allow,
}

/// A message that is not from its signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is not from whoever signed it")]
pub struct SenderMismatch {
    /// Who signed it.
    pub signer: Names,
    /// Why it is not from them.
    #[source]
    pub fault: FromFault,
}

/// Why a message is not from its signer alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FromFault {
    /// The header was not read to its end.
    #[error("its header is too long to find the sender")]
    HeaderTooLong,
    /// Some mail programs see a From that others do not see.
    #[error("it hides another From behind a carriage return")]
    Hidden,
    /// These From fields name somebody else.
    #[error("it says that it is from somebody else")]
    Others(Vec<String>),
}

/// Refuses a message whose From has an address that is not on the card of its signer. A file is checked too, since it may be
/// handed on as a message. Nothing is known about the addresses of an unknown signer.
///
/// # Errors
/// [`SenderMismatch`].
pub fn check_from(
    opened: &Opened,
    header: &Header,
    rule: FromMismatch,
    people: &People,
) -> Result<(), SenderMismatch> {
    let Some(signer) = signer(opened, people).filter(|_| rule == FromMismatch::Refuse) else {
        return Ok(());
    };
    fault(&signer, header, is_message(opened)).map_or(Ok(()), |fault| {
        Err(SenderMismatch {
            signer: signer.names(),
            fault,
        })
    })
}

/// The signer, if the keystore has the card.
pub(super) fn signer(opened: &Opened, people: &People) -> Option<Person> {
    let signer = opened.signer()?;
    people.with_id(signer).ok().flatten()
}

/// Why not everybody whom the header may be from is the signer, whatever way a mail program reads it.
fn fault(signer: &Person, header: &Header, is_message: bool) -> Option<FromFault> {
    if header.end() == HeaderEnd::OverLimit && is_message {
        return Some(FromFault::HeaderTooLong);
    }
    if has_from_behind_cr(header.bytes()) {
        return Some(FromFault::Hidden);
    }
    let texts = header.all("From").map(|field| field.text());
    let others: Vec<String> = texts
        .filter(|from| !is_from(signer, from))
        .take(OTHERS_MAX)
        .collect();
    (!others.is_empty()).then_some(FromFault::Others(others))
}

/// A bare CR ends a line for some readers, such as Python's, and of two From fields they take the first.
fn has_from_behind_cr(header: &[u8]) -> bool {
    let mut lines = header.split(|byte| *byte == b'\r').skip(1);
    lines.any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        name.len() < line.len() && name.trim_ascii_end().eq_ignore_ascii_case(b"from")
    })
}

/// Fields outside that arrived otherwise than they were sealed. What is inside counts.
#[must_use]
pub fn changed_outside(opened: &Opened, arrived: &Header) -> Vec<Difference> {
    match &opened.private.info.mail {
        Some(Mail::Message { outer }) => differences(outer, arrived),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_from_is_hidden_only_behind_a_bare_cr() {
        for hidden in ["Subject: x\rFrom: a@b\n", "\rfrom \t: a@b", "X: y\n\rFROM:"] {
            assert!(has_from_behind_cr(hidden.as_bytes()), "{hidden:?}");
        }
        for plain in [
            "From: a@b\r\nFrom: b\r\n",
            "Subject: x\rFrom a",
            "x\rFromage: y",
            "x\rfrom",
        ] {
            assert!(!has_from_behind_cr(plain.as_bytes()), "{plain:?}");
        }
    }
}
