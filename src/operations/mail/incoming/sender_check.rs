//! What is checked of an opened message beside its signature: whether it is from whoever signed it, and whether it is what stands
//! outside.

use crate::address::Address;
use crate::crypto::signing::RootId;
use crate::directory::{People, Person, Signer};
use crate::envelope::{Mail, Opened};
use crate::keystore::KeystoreError;
use crate::mail::trace::has_field_behind_cr;
use crate::mail::{Difference, Header, HeaderEnd, differences, parse_list};
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
#[derive(Debug, thiserror::Error)]
#[error("the message is not from whoever signed it")]
pub struct SenderMismatch {
    /// Who signed it.
    pub signer: Box<Signer>,
    /// Why it is not from them.
    #[source]
    pub fault: FromFault,
}

/// Why a message is not from its signer alone.
#[derive(Debug, thiserror::Error)]
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
    /// It cannot be compared with the cards of the keystore.
    #[error("the keystore cannot be read")]
    Keystore(#[source] Box<KeystoreError>),
}

/// Refuses a message whose From has an address that is not on the card of its signer, or that belongs to somebody else. Of a signer
/// without a card here only the second is known. A file is checked too, since it may be handed on as a message.
///
/// # Errors
/// [`SenderMismatch`].
pub fn check_from(
    opened: &Opened,
    header: &Header,
    rule: FromMismatch,
    people: &People,
) -> Result<(), SenderMismatch> {
    let Some(id) = opened.signer().filter(|_| rule == FromMismatch::Refuse) else {
        return Ok(());
    };
    let fault = match signer(opened, people) {
        _ if header.end() == HeaderEnd::OverLimit && is_message(opened) => {
            Some(FromFault::HeaderTooLong)
        }
        _ if has_field_behind_cr(header.bytes(), is_from_name) => Some(FromFault::Hidden),
        signer => fault(id, signer.as_ref(), header, people),
    };
    fault.map_or(Ok(()), |fault| {
        Err(SenderMismatch {
            signer: Box::new(people.signer(id)),
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
fn fault(
    id: RootId,
    signer: Option<&Person>,
    header: &Header,
    people: &People,
) -> Option<FromFault> {
    let mut others = Vec::new();
    for from in header.all("From").map(|field| field.text()) {
        match is_from_another(id, signer, &from, people) {
            Ok(true) if others.len() < OTHERS_MAX => others.push(from),
            Ok(_) => {}
            Err(error) => return Some(FromFault::Keystore(Box::new(error))),
        }
    }
    (!others.is_empty()).then_some(FromFault::Others(others))
}

/// Whether a From names anybody but the signer. One that cannot be read may name anybody.
pub(super) fn is_from_another(
    id: RootId,
    signer: Option<&Person>,
    from: &str,
    people: &People,
) -> Result<bool, KeystoreError> {
    let Ok(authors) = parse_list(from) else {
        return Ok(true);
    };
    if signer.is_some_and(|signer| !is_from(signer, from)) {
        return Ok(true);
    }
    for author in authors {
        let address = Address::new(author.address);
        let is_mine = || signer.is_some_and(|signer| signer.has_address(address.as_str()));
        // Who has `alice@…` is thought to have `alice+lists@…` too, unless the signer's card has just that.
        let base = address.without_detail().filter(|_| !is_mine());
        for one in [Some(&address), base.as_ref()].into_iter().flatten() {
            if people.is_address_of_others(one.as_str(), id)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Of two From fields, some programs take the first, also if it stands behind a bare CR.
fn is_from_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("from")
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
            assert!(
                has_field_behind_cr(hidden.as_bytes(), is_from_name),
                "{hidden:?}"
            );
        }
        for plain in [
            "From: a@b\r\nFrom: b\r\n",
            "Subject: x\rFrom a",
            "x\rFromage: y",
            "x\rfrom",
        ] {
            assert!(
                !has_field_behind_cr(plain.as_bytes(), is_from_name),
                "{plain:?}"
            );
        }
    }
}
