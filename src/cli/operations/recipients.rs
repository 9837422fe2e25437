//! Recipients found in the keystore, with what should be known about them said on the way.

use encl::directory::{People, Recipients, ResolvedRecipient};
use encl::mail::Mailbox;
use encl::operations::mail::outgoing::recipients::recipients_at_mailboxes;

use crate::cli::context::Context;
use crate::cli::display::mail::show_address_notice;
use crate::cli::display::recipients::show_notices;
use crate::cli::errors::Failure;

/// Stores the cards that are new, and says what should be known about everybody.
pub(crate) fn store_cards(
    recipients: &Recipients,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let notices = recipients.store_cards(people, context.now)?;
    show_notices(&notices, context.terminal);
    Ok(())
}

/// Everybody whom these mail addresses mean.
pub(crate) fn at_mailboxes(
    mailboxes: &[Mailbox],
    people: &People,
    context: &Context,
) -> Result<Vec<ResolvedRecipient>, Failure> {
    let show = &mut |notice| show_address_notice(&notice, context.terminal);
    Ok(recipients_at_mailboxes(mailboxes, people, show)?)
}
