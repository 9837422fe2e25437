//! Recipients found in the keystore, with what should be known about them said on the way.

use encl::directory::{
    DirectoryError, People, Recipients, ResolvedRecipient, Who, WhoForm, WhoUse, resolve,
};
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

/// Everybody to whom mail goes, as they were named; what an address was taken for is said.
pub(crate) fn owners(
    words: &[String],
    wanted: WhoUse,
    people: &People,
    context: &Context,
) -> Result<Vec<ResolvedRecipient>, DirectoryError> {
    let mut found = Vec::new();
    for word in words {
        found.extend(match Who::parse(word, wanted)?.form() {
            WhoForm::Address(address) => {
                let mailbox = Mailbox {
                    name: None,
                    address: address.to_string(),
                };
                let show = &mut |notice| show_address_notice(&notice, context.terminal);
                recipients_at_mailboxes(&[mailbox], people, show)?
            }
            _ => resolve(&[word], wanted, people)?,
        });
    }
    Ok(found)
}
