//! What gates answered, as failures.

use encl::gate::rules::Refusal;
use encl::operations::gate::{
    AddGateError, AskError, GateRefused, LogError, StateUnknown, Unreached,
};

use crate::cli::display::time;
use crate::cli::errors::{Exit, Failure, io_message, keystore};
use crate::cli::terminal::safe;

/// The class of a gate that was not reached.
pub(crate) const UNREACHABLE: &str = "gate_unreachable";
/// The class of a gate that lied.
pub(crate) const FORKED: &str = "gate_forked";

/// Too few gates were reached.
pub(crate) fn unreachable(failure: Failure, gates: &[Unreached]) -> Failure {
    let failure = Failure {
        class: Some(UNREACHABLE),
        ..failure.exit(Exit::Failed)
    };
    gates.iter().fold(failure, |failure, one| {
        failure.reason(format!("the gate {}: {}", safe(&one.gate), safe(&one.why)))
    })
}

/// A gate lied.
pub(crate) fn forked(failure: Failure, gate: &str, what: &str) -> Failure {
    let failure = Failure {
        class: Some(FORKED),
        ..failure.exit(Exit::Damaged)
    };
    failure
        .reason(format!("the gate {} cannot be trusted: {what}", safe(gate)))
        .hint(
            "tell its operator, and others who use it: `encl gate compare` compares what they saw",
        )
}

/// Why the gates of an envelope did not open it.
pub(crate) fn not_opened(failure: Failure, error: &AskError) -> Failure {
    match error {
        AskError::Refused(refused) => refusal(failure, refused),
        AskError::Forged(deceit) => forked(failure, &deceit.gate, &deceit.what.to_string()),
        AskError::Unreachable(gates) => unreachable(failure, gates),
        AskError::Nobody => failure
            .exit(Exit::Refused)
            .reason("its gates are not among your contacts")
            .hint("`encl gate add URL` adds one; `encl inspect` shows which it asks"),
        AskError::Keystore(error) => keystore::failure(&failure.what, error),
    }
}

/// A refusal, in words.
pub(crate) fn refusal(failure: Failure, refused: &GateRefused) -> Failure {
    let failure = Failure {
        class: Some("refused"),
        ..failure.exit(Exit::Refused)
    };
    let said = describe_refusal(refused.reason);
    let gate = safe(&refused.gate);
    match &refused.proof {
        Some(proof) => failure.reason(format!(
            "{said} (stated by an owner at {}, as the gate {gate} shows)",
            time::local(proof.at())
        )),
        None => failure.reason(format!("{said} (says the gate {gate})")),
    }
}

/// Why a gate refused.
pub(crate) fn describe_refusal(reason: Refusal) -> &'static str {
    match reason {
        Refusal::Blocked => "the operator of the gate has blocked you",
        Refusal::Unknown => "the gate knows of no right of yours to ask for it",
        Refusal::Revoked => "it was revoked",
        Refusal::Denied => "access was taken from you",
        Refusal::Early => "it may not be opened yet",
        Refusal::Expired => "it has expired",
        Refusal::Frozen => "the gate answers nobody until its operator has looked at it",
        Refusal::Clock => "the clocks of this machine and of the gate are too far apart",
        Refusal::Limit => "the gate was asked too often",
        Refusal::Broken => {
            "the gate cannot use the lock or its slot: it was changed, or is for another gate"
        }
        Refusal::Full => "the gate cannot store anything at the moment",
    }
}

/// Why it is not known what owners have restricted.
pub(crate) fn describe_unknown(unknown: &StateUnknown) -> String {
    let why = match unknown {
        StateUnknown::NotOwner => "you are no owner of it".to_owned(),
        StateUnknown::NotAsked => "no gate is asked (--no-gate)".to_owned(),
        StateUnknown::Unreached(_) => "too few of them answered".to_owned(),
        StateUnknown::Failed(what) => safe(what),
    };
    format!("its gates did not say from whom access was taken: {why}")
}

/// Why a gate was not added.
pub(crate) fn not_found(failure: Failure, error: &AddGateError) -> Failure {
    match error {
        AddGateError::Transport(error) => Failure {
            class: Some(UNREACHABLE),
            ..failure.exit(Exit::Failed).reason(safe(&error.to_string()))
        },
        AddGateError::Read(_) => failure.exit(Exit::Failed).caused_by(error),
        AddGateError::Card(_) | AddGateError::TooLong => {
            failure.exit(Exit::Damaged).reason(format!(
                "there is no card of a gate in it: {}",
                safe(&error.to_string())
            ))
        }
    }
}

/// Why the log of a gate was not read.
pub(crate) fn not_read(failure: Failure, gate: &str, error: &LogError) -> Failure {
    match error {
        LogError::Refused(refused) => {
            let failure = Failure {
                class: Some("refused"),
                ..failure.exit(Exit::Refused)
            };
            let said = describe_refusal(refused.reason);
            failure.reason(format!("the gate {}: {said}", safe(gate)))
        }
        LogError::Lied(what) => forked(failure, gate, &what.to_string()),
        LogError::Unreachable(why) => {
            let (gate, why) = (gate.to_owned(), why.clone());
            unreachable(failure, &[Unreached { gate, why }])
        }
        LogError::Endless => failure.reason(format!("the gate {}: {error}", safe(gate))),
        LogError::Export { .. } => forked(failure, gate, &safe(&error.to_string())),
        LogError::System(error) => failure.reason(io_message(error)),
        LogError::Keystore(error) => keystore::failure(&failure.what, error),
    }
}
