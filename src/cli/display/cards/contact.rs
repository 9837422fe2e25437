//! The outcome of a card that was added, in words.

use encl::directory::{Lookalike, Trust};
use encl::identity::Card;
use encl::keystore::AcceptOutcome;
use encl::operations::cards::AcceptedCard;

use crate::cli::display::names::DisplayName;
use crate::cli::display::trust::label;
use crate::cli::terminal::{safe, typed};

/// For people: "added, not verified yet".
pub(crate) fn describe_accepted(accepted: &AcceptedCard, trust: Trust, card: &Card) -> String {
    let outcome = accepted.outcome;
    let done = match outcome {
        AcceptOutcome::Known if accepted.is_counted_now => {
            "is already here, and all its addresses count from now on"
        }
        AcceptOutcome::New => "added",
        AcceptOutcome::Updated => "updated",
        AcceptOutcome::Successor => "has a new key, signed by the old one",
        AcceptOutcome::Known => "is already here",
    };
    match (outcome, trust.blocks_use()) {
        (_, true) => format!(
            "{done} but {}, so nothing is encrypted for them",
            label(trust)
        ),
        (AcceptOutcome::New, _) => format!("{done}, {}", label(trust)),
        (AcceptOutcome::Successor, _) => {
            let who = typed(&card.addresses()[0], "WHO");
            format!("{done}; compare the safety number again (`encl contact verify {who}`)")
        }
        _ => done.to_owned(),
    }
}

/// For programs.
pub(crate) fn accepted_word(outcome: AcceptOutcome) -> &'static str {
    match outcome {
        AcceptOutcome::New => "added",
        AcceptOutcome::Updated => "updated",
        AcceptOutcome::Successor => "successor",
        AcceptOutcome::Known => "known",
    }
}

/// Warns of a name or an address that somebody could take for another person's.
pub(crate) fn describe_lookalike(lookalike: &Lookalike) -> String {
    let Lookalike {
        text,
        known,
        person,
    } = lookalike;
    let (text, person) = (safe(text), person.display_name());
    if known.contains('@') {
        let known = safe(known);
        return format!(
            "{text} looks like {known} of {person}, and is another address: some letters are of another script"
        );
    }
    format!("the name {text} is, or looks like, that of {person}, who is somebody else")
}
