//! Cards that cannot be found or accepted, as failures.

use encl::directory::Names;
use encl::file_kind::FileKind;
use encl::identity::{CardError, fingerprint};
use encl::json;
use encl::operations::cards::{AcceptError, CardSourceError, TakeError};

use crate::cli::display::names::DisplayName;
use crate::cli::display::time;
use crate::cli::errors::directory::{blocked, changed_hint};
use crate::cli::errors::files::kind::recognised;
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
        CardSourceError::SeveralGroups(_) => cannot(Exit::Recipient)
            .reason(reason)
            .hint("save the one that you mean to a file of its own, with the cards behind it"),
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
                    FileKind::Group,
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

/// Why a group was not taken. Nothing was stored.
pub(crate) fn group_not_taken(error: TakeError, name: &str) -> Failure {
    let name = safe(name);
    let what = format!("cannot add the group @{name}");
    let cannot = |exit| Failure::new(exit, what.clone());
    let reason = error.to_string();
    match error {
        TakeError::Keystore(error) => keystore::failure(&what, &error),
        TakeError::Directory(error) => error.into(),
        TakeError::NoKeeper(id) | TakeError::NoMember(id) => cannot(Exit::Recipient)
            .reason(format!("{reason}: {}", fingerprint(&id)))
            .hint("ask whoever keeps the group for all that `encl group card` prints"),
        TakeError::Keeper { names, trust } => blocked(what, trust, &names),
        TakeError::Member { names, source } => keystore::failure(&what, &source).reason(format!(
            "this is about the card of {}",
            names.display_name()
        )),
        TakeError::OtherGroup(here) => cannot(Exit::Exists)
            .reason(format!("there is another group @{}", safe(&here)))
            .hint(format!(
                "`--group NAME` gives it another name; or `encl group delete {}` first",
                safe(&here)
            )),
        TakeError::ChangedHere(here) => cannot(Exit::Exists).reason(reason).hint(format!(
            "`encl group card {0}` gives yours to others; or `encl group delete {0}` first",
            safe(&here)
        )),
        TakeError::Older { latest } => cannot(Exit::Recipient)
            .reason(format!("{reason}, of {}", time::local(latest)))
            .hint("ask whoever keeps the group for the newest"),
        TakeError::OtherCard => cannot(Exit::Recipient)
            .reason(reason)
            .hint("ask whoever keeps the group for a new one"),
        TakeError::AddressTaken { address, owner } => cannot(Exit::Recipient)
            .reason(format!("{reason}: {} to {}", safe(&address), safe(&owner)))
            .hint("mail to that address would be encrypted for the group: ask whoever keeps it"),
    }
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
