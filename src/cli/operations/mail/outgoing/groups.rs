//! Who gets which message: one goes to everybody whom the header names, and one to each who is blind.

use encl::address::is_same_address;
use encl::directory::{People, Person, Recipients};
use encl::mail::{Field, Header, Invocation, Mailbox, parse_list, recipients};

use crate::cli::context::Context;
use crate::cli::errors::sysexits::{Sysexit, cannot_send as cannot};
use crate::cli::errors::{Exit, Failure};
use crate::cli::operations::mail::outgoing::header_recipients;
use crate::cli::operations::mail::outgoing::header_recipients::warn_of_names;
use crate::cli::operations::recipients::at_mailboxes;
use crate::cli::terminal::safe;

/// One message that goes out: who can read it, and whom the sendmail is told.
pub(crate) struct MessageGroup {
    pub(crate) readers: Recipients,
    pub(crate) recipients: Vec<String>,
}

/// All that go out.
pub(crate) struct MessageGroups {
    pub(crate) each: Vec<MessageGroup>,
    /// The readers of all of them.
    pub(crate) everybody: Recipients,
}

impl MessageGroups {
    /// For the recipients of a call; `me` reads each of them too. All who are unknown are named at once.
    pub(crate) fn of_call(
        call: &Invocation,
        header: &Header,
        me: Option<&Person>,
        people: &People,
        context: &Context,
    ) -> Result<Self, Failure> {
        let visible = mailboxes(&recipients::visible(header))?;
        let recipients = each_once(recipients(call, header, &visible)?);
        if recipients.is_empty() {
            return Err(cannot(Exit::Usage).reason("no recipient is named"));
        }
        let readers = |mailboxes: &[Mailbox]| {
            let found = at_mailboxes(mailboxes, people, context)?;
            Ok::<_, Failure>(Recipients::new(found, me, context.now)?)
        };
        let everybody = readers(&recipients)?;
        warn_of_names(&visible, context);
        let blind = recipients.iter().filter(|one| !is_among(one, &visible));
        warn_of_names(&blind.cloned().collect::<Vec<_>>(), context);
        let mailing = |group: Vec<Mailbox>| {
            Ok::<_, Failure>(MessageGroup {
                readers: readers(&group)?,
                recipients: group.into_iter().map(|mailbox| mailbox.address).collect(),
            })
        };
        let groups = groups(recipients, &visible);
        let each = groups.into_iter().map(mailing).collect::<Result<_, _>>()?;
        Ok(Self { each, everybody })
    }
}

/// Those on the command line, and with `-t` those in the header.
fn recipients(
    call: &Invocation,
    header: &Header,
    visible: &[Mailbox],
) -> Result<Vec<Mailbox>, Failure> {
    let typed = call.recipients.iter().map(|word| one(word));
    let mut recipients = typed.collect::<Result<Vec<Mailbox>, Failure>>()?;
    if call.from_header {
        recipients.extend_from_slice(visible);
        recipients.extend(mailboxes(&recipients::blind_readers(header))?);
    }
    Ok(recipients)
}

fn each_once(mailboxes: Vec<Mailbox>) -> Vec<Mailbox> {
    let mut kept: Vec<Mailbox> = Vec::new();
    for mailbox in mailboxes {
        if !kept
            .iter()
            .any(|other| is_one_and_the_same(other, &mailbox))
        {
            kept.push(mailbox);
        }
    }
    kept
}

/// Local parts that differ in case may be two people's: neither is dropped.
fn is_one_and_the_same(one: &Mailbox, other: &Mailbox) -> bool {
    let domains = [one, other].map(Mailbox::domain);
    one.local_part() == other.local_part() && domains[0].eq_ignore_ascii_case(domains[1])
}

/// Those who may see each other, and each of the others alone.
fn groups(recipients: Vec<Mailbox>, visible: &[Mailbox]) -> Vec<Vec<Mailbox>> {
    let (open, blind): (Vec<_>, Vec<_>) = recipients
        .into_iter()
        .partition(|mailbox| is_among(mailbox, visible));
    let open = (!open.is_empty()).then_some(open);
    let blind = blind.into_iter().map(|mailbox| vec![mailbox]);
    open.into_iter().chain(blind).collect()
}

fn is_among(mailbox: &Mailbox, others: &[Mailbox]) -> bool {
    let mut others = others.iter();
    others.any(|other| is_same_address(&other.address, &mailbox.address))
}

/// A recipient on the command line.
fn one(word: &str) -> Result<Mailbox, Failure> {
    let malformed = |because: &str| {
        malformed()
            .reason(format!("`{}` cannot be read", safe(word)))
            .reason(because)
    };
    let mut list = parse_list(word).map_err(|error| malformed(&safe(&error.to_string())))?;
    match (list.pop(), list.is_empty()) {
        (Some(mailbox), true) => Ok(mailbox),
        _ => Err(malformed("it is not one address")),
    }
}

fn mailboxes(fields: &[Field<'_>]) -> Result<Vec<Mailbox>, Failure> {
    header_recipients::mailboxes(fields, malformed)
}

fn malformed() -> Failure {
    cannot(Exit::Recipient).sysexit(Sysexit::DataErr)
}
