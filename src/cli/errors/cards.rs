//! Cards that cannot be found or accepted, as failures.

use encl::directory::Names;
use encl::file_kind::FileKind;
use encl::identity::{CardError, fingerprint};
use encl::json;
use encl::operations::cards::{AcceptError, CardSourceError};

use crate::cli::display::names::DisplayName;
use crate::cli::errors::directory::changed_hint;
use crate::cli::errors::file_kind::recognised;
use crate::cli::errors::{Exit, Failure, io_message, keystore};
use crate::cli::terminal::{safe, typed};

/// Why an input does not give one card. `cannot` begins a failure about that input.
pub(crate) fn not_found(error: CardSourceError, cannot: impl Fn(Exit) -> Failure) -> Failure {
    let reason = error.to_string();
    match error {
        CardSourceError::Read(error) => cannot(Exit::Failed).reason(io_message(&error)),
        CardSourceError::TooLong
        | CardSourceError::Message(_)
        | CardSourceError::TooManyCards(_) => Failure {
            class: Some("over-limit"),
            ..cannot(Exit::Damaged).reason(reason)
        },
        CardSourceError::Several { first, second } => cannot(Exit::Recipient)
            .reason(format!("{reason}:"))
            .reason(first.display_name())
            .reason(second.display_name())
            .hint("save the one that you mean to a file of its own"),
        CardSourceError::Card(CardError::Line(json::Error::Newer(_))) => {
            cannot(Exit::Newer).reason(safe(&reason))
        }
        CardSourceError::NoCard | CardSourceError::Card(_) => {
            let failure = cannot(Exit::Damaged).reason(safe(&reason));
            recognised(
                failure,
                &[
                    FileKind::Card,
                    FileKind::Revocation,
                    FileKind::Invitation,
                    FileKind::TextWithCard,
                ],
            )
        }
        CardSourceError::PrivateKeys => cannot(Exit::Recipient).reason(reason).hint(
            "if they are yours, `encl key import FILE`; if somebody sent them to you, tell them: whoever has this file \
             can decrypt what is encrypted for them. What you need is what `encl key card` prints",
        ),
        CardSourceError::Sender(_) => cannot(Exit::Damaged)
            .reason(safe(&reason))
            .hint("save the card alone to a file, and add that"),
        CardSourceError::OtherSender { from, card } => cannot(Exit::Recipient)
            .reason(format!("the message says that it is from {}", safe(&from)))
            .reason(format!(
                "and the card in it is for {}",
                addresses(&card.addresses)
            ))
            .hint("ask whose card it is by another way; saved alone to a file it can be added"),
        CardSourceError::Keystore(error) => keystore::unreadable(&error),
    }
}

fn addresses(addresses: &[String]) -> String {
    let addresses: Vec<_> = addresses.iter().map(|address| safe(address)).collect();
    addresses.join(", ")
}

impl From<AcceptError> for Failure {
    fn from(error: AcceptError) -> Self {
        let what = |names: &Names| format!("cannot accept the card of {}", names.display_name());
        match error {
            AcceptError::Contact(source) => keystore::failure("cannot read the contact", &source),
            AcceptError::Keystore(source) => keystore::unreadable(&source),
            AcceptError::Refused { names, source } => keystore::failure(&what(&names), &source),
            AcceptError::Conflict(conflict) => {
                let failure = keystore::failure(&what(&conflict.names), &conflict.source)
                    .reason(format!("known {}", fingerprint(&conflict.known)))
                    .reason(format!("given {}", fingerprint(&conflict.offered)));
                match &conflict.changed {
                    Some(names) => marked_as_changed(failure, names),
                    None => failure,
                }
            }
            AcceptError::NotRecorded(source) => {
                let what = "cannot record that your invitation was answered";
                keystore::failure(what, &source)
            }
        }
    }
}

/// Explains the new state of the contact that the card contradicts, and what to do.
fn marked_as_changed(failure: Failure, names: &Names) -> Failure {
    let who = typed(names.addresses.first().map_or("", String::as_str), "WHO");
    failure
        .reason(format!(
            "{} is marked as changed: nothing is encrypted for them until you decide",
            names.display_name()
        ))
        .hint(changed_hint(&who))
}
