//! Who may read a message: the people its header names, or those on the command line.

use encl::directory::{People, Person, Recipients, resolve};
use encl::mail::{Field, Header, HeaderEnd, Mailbox, parse_list, recipients};

use crate::cli::context::Context;
use crate::cli::errors::{Exit, Failure};
use crate::cli::files::input::Input;
use crate::cli::operations::recipients::at_mailboxes;
use crate::cli::terminal::safe;

/// Everybody whom the header names, `also`, and `me`.
pub(crate) fn of_header(
    header: &Header,
    also: &[String],
    me: Option<&Person>,
    people: &People,
    context: &Context,
    input: &Input,
) -> Result<Recipients, Failure> {
    let cannot = || input.cannot("wrap", Exit::Recipient);
    if header.end() == HeaderEnd::OverLimit {
        return Err(cannot()
            .reason("its header is longer than 1 MiB and was not read")
            .hint("--to WHO names the recipients"));
    }
    let named = mailboxes(&recipients::visible(header), cannot)?;
    if named.is_empty() && also.is_empty() {
        return Err(cannot()
            .reason("it names nobody in To or Cc")
            .hint("--to WHO names the recipients"));
    }
    warn_of_names(&named, context);
    let mut found = at_mailboxes(&named, people, context)?;
    found.extend(resolve(also, people)?);
    Ok(Recipients::new(found, me, context.now)?)
}

/// Says whose name looks like another address: whoever sees only the name is misled.
pub(crate) fn warn_of_names(mailboxes: &[Mailbox], context: &Context) {
    for mailbox in mailboxes {
        if let Some(other) = mailbox.poses_as() {
            context.terminal.warning(&format!(
                "{} is named `{}`, which looks like another address; the envelope is for {}",
                safe(&mailbox.address),
                safe(&other),
                safe(&mailbox.address)
            ));
        }
    }
}

/// The mailboxes of several fields, in their order. A field that cannot be read whole is a failure, never a shorter list.
pub(crate) fn mailboxes(
    fields: &[Field<'_>],
    cannot: impl Fn() -> Failure,
) -> Result<Vec<Mailbox>, Failure> {
    let mut mailboxes = Vec::new();
    for field in fields {
        let list = parse_list(&field.text()).map_err(|error| {
            cannot()
                .reason(format!("the addresses in {} cannot be read", field.name))
                .reason(safe(&error.to_string()))
        })?;
        mailboxes.extend(list);
    }
    Ok(mailboxes)
}
