//! Recipients found in the keystore, with what should be known about them said on the way.

use encl::directory::{People, Recipients, ResolvedRecipient, recipients_at};
use encl::mail::Mailbox;

use crate::cli::context::Context;
use crate::cli::display::recipients::show_notices;
use crate::cli::errors::Failure;
use crate::cli::terminal::safe;

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
    let addresses: Vec<&str> = mailboxes.iter().map(|one| &*one.address).collect();
    let resolved = recipients_at(&addresses, people)?;
    for (address, base) in &resolved.without_detail {
        context.terminal.notice(&format!(
            "mail to {} is encrypted for {}",
            safe(address),
            safe(base.as_str())
        ));
    }
    Ok(resolved.recipients)
}
