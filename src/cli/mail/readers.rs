//! Who may read a message: the people its header names, or those on the command line.

use encl::mail::{Field, Header, HeaderEnd, Mailbox, parse_list, recipients};

use super::super::addressing;
use super::super::context::Context;
use super::super::files::Input;
use super::super::people::{People, Person};
use super::super::readers::Readers;
use super::super::report::{Exit, Failure};
use super::super::terminal::safe;

/// Everybody whom the header names, `also`, and `me`.
pub(crate) fn of_header(
    header: &Header,
    also: &[String],
    me: Option<&Person>,
    people: &People,
    context: &Context,
    input: &Input,
) -> Result<Readers, Failure> {
    let cannot = || input.cannot("wrap", Exit::Recipient);
    if header.end() == HeaderEnd::OverLimit {
        return Err(cannot()
            .because("its header is longer than 1 MiB and was not read")
            .hint("--to WHO names the readers"));
    }
    let named = mailboxes(&recipients::visible(header), input)?;
    if named.is_empty() && also.is_empty() {
        return Err(cannot()
            .because("it names nobody in To or Cc")
            .hint("--to WHO names the readers"));
    }
    for mailbox in &named {
        if let Some(other) = mailbox.poses_as() {
            context.terminal.warning(&format!(
                "{} is named `{}`, which looks like another address; the envelope is for {}",
                safe(&mailbox.address),
                safe(&other),
                safe(&mailbox.address)
            ));
        }
    }
    let mut found = addressing::people_at(&named, people, context)?;
    found.extend(Readers::find(also, people, context)?);
    Readers::of_found(found, me, context)
}

/// The mailboxes of several fields, in their order. A field that cannot be read whole is a failure, never a shorter list.
pub(crate) fn mailboxes(fields: &[Field<'_>], input: &Input) -> Result<Vec<Mailbox>, Failure> {
    let mut mailboxes = Vec::new();
    for field in fields {
        let list = parse_list(&field.text()).map_err(|error| {
            input
                .cannot("wrap", Exit::Recipient)
                .because(format!("the addresses in {} cannot be read", field.name))
                .because(safe(&error.to_string()))
        })?;
        mailboxes.extend(list);
    }
    Ok(mailboxes)
}
