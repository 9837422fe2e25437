//! What became of a card that came in.

use encl::directory::Trust;
use encl::identity::Card;
use encl::keystore::AcceptOutcome;
use encl::operations::cards::Lookalike;

use crate::cli::display::trust::label;
use crate::cli::terminal::{safe, typed};

/// For people: "added, not verified yet".
pub(crate) fn describe_accepted(outcome: AcceptOutcome, trust: Trust, card: &Card) -> String {
    let done = match outcome {
        AcceptOutcome::New => "added",
        AcceptOutcome::Updated => "brought up to date",
        AcceptOutcome::Successor => "has a new key, and the old one signed for it",
        AcceptOutcome::Known => "was here already",
    };
    match (outcome, trust.blocks_use()) {
        (_, true) => format!("{done} but {}, so nothing is sealed for them", label(trust)),
        (AcceptOutcome::New, _) => format!("{done}, {}", label(trust)),
        (AcceptOutcome::Successor, _) => {
            let who = typed(&card.addresses()[0], "WHO");
            format!("{done}; the numbers have to be compared again (`encl contact verify {who}`)")
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

/// Warns of an address that somebody could take for another person's.
pub(crate) fn describe_lookalike(lookalike: &Lookalike) -> String {
    format!(
        "{} looks like {} of {}, and is another address: some letters are of another script",
        safe(&lookalike.address),
        safe(&lookalike.known),
        safe(&lookalike.name)
    )
}
