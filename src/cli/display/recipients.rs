//! Recipients in a sentence: whom an envelope is for, and what should be known about them.

use encl::directory::{Names, RecipientNotice, Recipients, ResolvedQuorum};
use encl::identity::fingerprint;

use crate::cli::display::cards::contact::describe_lookalike;
use crate::cli::display::envelope::policy;
use crate::cli::display::names::{DisplayName, list, list_of};
use crate::cli::terminal::{Terminal, safe};

/// "for 2 people: Bob <bob@example.org> and you"
pub(crate) fn summary(recipients: &Recipients, has_passphrase: bool) -> String {
    if !recipients.quorums.is_empty() {
        return rule(recipients, has_passphrase);
    }
    let people: Vec<String> = names(recipients);
    let by_name = match people.len() {
        0 => return "for anybody who knows the passphrase".to_owned(),
        1 => format!("for 1 person: {}", people[0]),
        number => format!("for {number} people: {}", list(&people)),
    };
    if has_passphrase {
        by_name + "; and for anybody who knows the passphrase"
    } else {
        by_name
    }
}

/// "for 4 people: any one of Bob and you, and also Carol and Dan together"
fn rule(recipients: &Recipients, has_passphrase: bool) -> String {
    let mut locks = Vec::new();
    if has_passphrase || !recipients.any_of.is_empty() {
        locks.push(policy::lock(1, &names(recipients), has_passphrase));
    }
    locks.extend(recipients.quorums.iter().map(quorum));
    let count = match recipients.everybody().len() {
        1 => "1 person".to_owned(),
        number => format!("{number} people"),
    };
    format!("for {count}: {}", policy::all(&locks))
}

fn names(recipients: &Recipients) -> Vec<String> {
    let people = recipients.any_of.iter();
    people.map(DisplayName::display_name).collect()
}

/// "any 2 of Carol, Dan and you together"
pub(crate) fn quorum(quorum: &ResolvedQuorum) -> String {
    let people: Vec<_> = quorum
        .members
        .iter()
        .map(DisplayName::display_name)
        .collect();
    policy::lock(quorum.need, &people, false)
}

/// The addresses that do not count yet, and what makes them count.
fn uncounted(names: &Names) -> String {
    let others = &names.addresses[names.counting().len()..];
    if others.is_empty() {
        return String::new();
    }
    format!(
        "; its other addresses count only after `encl contact add`: {}",
        all(others)
    )
}

fn all(addresses: &[String]) -> String {
    let addresses: Vec<String> = addresses.iter().map(|address| safe(address)).collect();
    addresses.join(", ")
}

/// Says what should be known about recipients.
pub(crate) fn show_notices(notices: &[RecipientNotice], terminal: Terminal) {
    for notice in notices {
        terminal.notice(&match notice {
            RecipientNotice::NewContact(names) => format!(
                "{} is now a contact, not verified yet (first use): {}{}",
                names.display_name(),
                fingerprint(&names.id),
                uncounted(names)
            ),
            RecipientNotice::LaterCard(names, added) if added.is_empty() => {
                format!("{}: a newer card was stored", names.display_name())
            }
            RecipientNotice::LaterCard(names, added) => format!(
                "{}: a newer card was stored, and these addresses are new: {}",
                names.display_name(),
                all(added)
            ),
            RecipientNotice::Lookalike(lookalike) => describe_lookalike(lookalike),
            RecipientNotice::Unverified(names) => format!("not verified yet: {}", list_of(names)),
            RecipientNotice::Unproven(names) => format!(
                "not verified on this machine, although the keystore says so: {}; `encl contact verify WHO` verifies them here",
                list_of(names)
            ),
            RecipientNotice::Classic(names) => format!(
                "a classic key, no protection against quantum computers: {}",
                list_of(names)
            ),
            RecipientNotice::WithoutDetail { address, base } => format!(
                "nobody has the address {}: encrypted for {}",
                safe(address),
                safe(base.as_str())
            ),
        });
    }
}
