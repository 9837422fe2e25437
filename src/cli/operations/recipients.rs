//! Recipients found in the keystore, with what should be known about them said on the way.

use encl::directory::{
    DirectoryError, NotRemembered, People, Recipients, ResolvedRecipient, Who, WhoForm, WhoUse,
    resolve,
};
use encl::mail::Mailbox;
use encl::operations::mail::outgoing::recipients::recipients_at_mailboxes;

use crate::cli::context::{Context, KeystoreChoice};
use crate::cli::display::mail::show_address_notice;
use crate::cli::display::names::list_of;
use crate::cli::display::recipients::show_notices;
use crate::cli::errors::Failure;
use crate::cli::errors::keystore::failure;

/// Stores the cards that are new, and says what should be known about everybody.
pub(crate) fn store_cards(
    recipients: &Recipients,
    people: &People,
    context: &Context,
) -> Result<(), Failure> {
    let (notices, not_remembered) = recipients.store_cards(people, context.now)?;
    show_notices(&notices, context.terminal);
    if let Some(NotRemembered { names, reason }) = not_remembered {
        let why = match context.keystore_choice {
            KeystoreChoice::LeftOut => String::new(),
            KeystoreChoice::Named | KeystoreChoice::Usual => format!(
                ": {} ($ENCL_KEYSTORE names a folder for the keystore)",
                failure("", &reason).reasons.join(": ")
            ),
        };
        context.terminal.warning(&format!(
            "not verified, and the card will not be remembered: {}{why}",
            list_of(&names)
        ));
    }
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
