//! Who can read a message: the people whom its header names.

use crate::address::Address;
use crate::directory::{
    DirectoryError, People, Person, Recipients, ResolvedRecipient, WhoUse, recipients_at, resolve,
};
use crate::mail::{
    AddressError, Doubt, Field, Header, HeaderEnd, Mailbox, NotOneAddress, parse_list, recipients,
};
use crate::operations::mail::from::{MisleadingName, misleading_names};
use crate::time::Time;

/// What should be known about an address before anything is sealed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressNotice {
    /// Its name looks like another address.
    MisleadingName(MisleadingName),
    /// It is known without its `+detail` only.
    WithoutDetail {
        /// The address.
        address: String,
        /// What it was taken for.
        base: Address,
    },
}

/// Called for each notice about an address, before an error about other addresses is returned.
pub type OnAddressNotice<'o> = dyn FnMut(AddressNotice) + 'o;

/// Why it is not clear who can read a message.
#[derive(Debug, thiserror::Error)]
pub enum RecipientsError {
    /// The header was not read to its end.
    #[error("its header is longer than 1 MiB and was not read")]
    HeaderTooLong,
    /// The header names nobody.
    #[error("it names nobody in To or Cc")]
    NobodyInHeader,
    /// To or Cc stand where readers differ whether the header goes on.
    #[error("line {line} of its header {doubt}, and To or Cc stand behind it")]
    Doubtful {
        /// The number of the line, from 1.
        line: usize,
        /// What it is.
        doubt: Doubt,
    },
    /// No recipient was given, and the header names none.
    #[error("no recipient is named")]
    Nobody,
    /// A field cannot be read.
    #[error("the addresses in {name} cannot be read")]
    Field {
        /// The field.
        name: String,
        /// The reason.
        source: AddressError,
    },
    /// A recipient that was given is not one address.
    #[error("`{word}` is not one address")]
    Word {
        /// As it was given.
        word: String,
        /// The reason.
        source: NotOneAddress,
    },
    /// Somebody is unknown, or cannot be encrypted to.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// Everybody whom the header names, the people named by `also`, and `me`.
///
/// # Errors
/// [`RecipientsError`].
pub fn recipients_of_header(
    header: &Header,
    also: &[String],
    me: Option<&Person>,
    people: &People,
    now: Time,
    on_notice: &mut OnAddressNotice<'_>,
) -> Result<Recipients, RecipientsError> {
    if header.end() == HeaderEnd::OverLimit {
        return Err(RecipientsError::HeaderTooLong);
    }
    let named = mailboxes(&recipients::visible(header))?;
    if named.is_empty() && also.is_empty() {
        return Err(nobody(header));
    }
    report_misleading(&named, on_notice);
    let mut found = recipients_at_mailboxes(&named, people, on_notice)?;
    found.extend(resolve(also, WhoUse::Recipient, people)?);
    Ok(Recipients::new(found, me, now)?)
}

fn nobody(header: &Header) -> RecipientsError {
    let names_readers = |field: Field<'_>| {
        ["To", "Cc"]
            .iter()
            .any(|name| field.name.eq_ignore_ascii_case(name))
    };
    match header.doubtful_line() {
        Some(line) if header.doubtful_fields().any(names_readers) => RecipientsError::Doubtful {
            line: line.line,
            doubt: line.doubt,
        },
        _ => RecipientsError::NobodyInHeader,
    }
}

/// Everybody whom these mailboxes mean.
///
/// # Errors
/// [`DirectoryError`].
pub fn recipients_at_mailboxes(
    mailboxes: &[Mailbox],
    people: &People,
    on_notice: &mut OnAddressNotice<'_>,
) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    let addresses: Vec<&str> = mailboxes.iter().map(|one| &*one.address).collect();
    let resolved = recipients_at(&addresses, people)?;
    for (address, base) in resolved.without_detail {
        on_notice(AddressNotice::WithoutDetail { address, base });
    }
    Ok(resolved.recipients)
}

/// Reports those whose name looks like another address.
pub(super) fn report_misleading<'m>(
    mailboxes: impl IntoIterator<Item = &'m Mailbox>,
    on_notice: &mut OnAddressNotice<'_>,
) {
    misleading_names(mailboxes)
        .map(AddressNotice::MisleadingName)
        .for_each(on_notice);
}

/// The mailboxes of several fields, in their order. A field that cannot be read whole is an error, never a shorter list.
pub(super) fn mailboxes(fields: &[Field<'_>]) -> Result<Vec<Mailbox>, RecipientsError> {
    let mut mailboxes = Vec::new();
    for field in fields {
        let list = parse_list(&field.text()).map_err(|source| RecipientsError::Field {
            name: field.name.to_owned(),
            source,
        });
        mailboxes.extend(list?);
    }
    Ok(mailboxes)
}
