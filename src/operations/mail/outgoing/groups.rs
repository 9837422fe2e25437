//! Who gets which message: one goes to everybody whom the header names, and one to each who is blind.

use super::recipients::{
    OnAddressNotice, RecipientsError, mailboxes, recipients_at_mailboxes, report_misleading,
};
use crate::address::is_same_address;
use crate::directory::{People, Person, Recipients};
use crate::mail::{Header, Invocation, Mailbox, parse_address, recipients};
use crate::time::Time;

/// One message that goes out.
pub struct MessageGroup {
    /// Who can read it.
    pub readers: Recipients,
    /// The addresses to which it is sent.
    pub recipients: Vec<String>,
}

/// All messages that go out.
pub struct MessageGroups {
    /// Each of them.
    pub each: Vec<MessageGroup>,
    /// The readers of all of them.
    pub everybody: Recipients,
}

impl MessageGroups {
    /// For the recipients of a call; `me` reads each of them too. All who are unknown are named at once.
    ///
    /// # Errors
    /// [`RecipientsError`].
    pub fn of_call(
        call: &Invocation,
        header: &Header,
        me: Option<&Person>,
        people: &People,
        now: Time,
        on_notice: &mut OnAddressNotice<'_>,
    ) -> Result<Self, RecipientsError> {
        let visible = mailboxes(&recipients::visible(header))?;
        let recipients = without_repeats(recipients_of(call, header, &visible)?);
        if recipients.is_empty() {
            return Err(RecipientsError::Nobody);
        }
        let readers = |mailboxes: &[Mailbox], on_notice: &mut OnAddressNotice<'_>| {
            let found = recipients_at_mailboxes(mailboxes, people, on_notice)?;
            Ok::<_, RecipientsError>(Recipients::new(found, me, now)?)
        };
        let everybody = readers(&recipients, on_notice)?;
        report_misleading(&visible, on_notice);
        let blind = recipients.iter().filter(|one| !is_among(one, &visible));
        report_misleading(blind, on_notice);
        let mut each = Vec::new();
        for group in groups(recipients, &visible) {
            each.push(MessageGroup {
                readers: readers(&group, on_notice)?,
                recipients: group.into_iter().map(|mailbox| mailbox.address).collect(),
            });
        }
        Ok(Self { each, everybody })
    }
}

/// Those on the command line, and with `-t` those in the header.
fn recipients_of(
    call: &Invocation,
    header: &Header,
    visible: &[Mailbox],
) -> Result<Vec<Mailbox>, RecipientsError> {
    let typed = call.recipients.iter().map(|word| {
        parse_address(word).map_err(|source| RecipientsError::Word {
            word: word.clone(),
            source,
        })
    });
    let mut recipients = typed.collect::<Result<Vec<Mailbox>, RecipientsError>>()?;
    if call.from_header {
        recipients.extend_from_slice(visible);
        recipients.extend(mailboxes(&recipients::blind_readers(header))?);
    }
    Ok(recipients)
}

fn without_repeats(mailboxes: Vec<Mailbox>) -> Vec<Mailbox> {
    let mut distinct: Vec<Mailbox> = Vec::new();
    for mailbox in mailboxes {
        if !distinct.iter().any(|other| is_repeated(other, &mailbox)) {
            distinct.push(mailbox);
        }
    }
    distinct
}

/// Local parts that differ in case may be two people's: neither is dropped.
fn is_repeated(a: &Mailbox, b: &Mailbox) -> bool {
    a.local_part() == b.local_part() && a.domain().eq_ignore_ascii_case(b.domain())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(groups: &[Vec<Mailbox>]) -> Vec<Vec<&str>> {
        groups
            .iter()
            .map(|group| group.iter().map(|one| &*one.address).collect())
            .collect()
    }

    #[test]
    fn whoever_is_blind_gets_a_message_alone() {
        let list = |text: &str| crate::mail::parse_list(text).unwrap();
        let visible = list("a@b.c, d@e.f");
        let recipients = without_repeats(list("x@y.z, a@B.C, d@e.f, a@b.c, v@w.x"));
        assert_eq!(
            addresses(&groups(recipients, &visible)),
            [vec!["a@B.C", "d@e.f"], vec!["x@y.z"], vec!["v@w.x"]]
        );
    }
}
