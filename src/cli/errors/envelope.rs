//! Errors of envelopes and keys as failures.

use encl::envelope::{KeyringError, NoKey, OpenError};
use encl::file_kind::FileKind;
use encl::policy::Refusal;

use crate::cli::display::time;
use crate::cli::errors::files::kind::recognised;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::terminal::safe;

/// Why an identity cannot be unlocked: the failure of the program's own question for its passphrase.
pub(crate) fn unlock_failure(error: KeyringError) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => *failure,
        Err(error) => Failure::new(Exit::Failed, "cannot unlock your identity")
            .reason(safe(&error.to_string())),
    }
}

/// Why an envelope could not be read, opened or trusted. `cannot` says what was attempted.
pub(crate) fn failure(cannot: Failure, error: OpenError) -> Failure {
    let class = error.class().map(encl::envelope::Class::name);
    let failure = Failure {
        exit: class.map_or(Exit::Failed, Exit::of_class),
        class,
        ..cannot
    };
    match error {
        OpenError::Keyring(inner) | OpenError::GateRefused(inner) => {
            match inner.downcast::<Failure>() {
                Ok(inner) => locked(failure, *inner),
                Err(inner) => failure.reason(safe(&inner.to_string())),
            }
        }
        OpenError::Read(error) => failure.reason(io_message(&error)),
        OpenError::NoKey(NoKey::SlotRemoved) => failure
            .reason(
                "the policy, not verified, says that you may read it, but your slot was removed",
            )
            .hint("ask the person who sent it"),
        OpenError::Quorum(quorum) => {
            failure.reason(safe(&format!("the policy, not verified, says: {quorum}")))
        }
        OpenError::Refused(Refusal::TooEarly(time)) => {
            failure.reason(format!("it may not be opened before {}", time::local(time)))
        }
        OpenError::Refused(Refusal::Expired(time)) => {
            failure.reason(format!("it expired at {}", time::local(time)))
        }
        OpenError::InPage => failure.reason(safe(&OpenError::InPage.to_string())),
        other => {
            let failure = failure.reason(safe(&other.to_string()));
            match class {
                Some("not-an-envelope") => recognised(failure, &[FileKind::Envelope]),
                _ => failure,
            }
        }
    }
}

/// Whether a passphrase is wrong or could not be had, so that nothing else is to be tried.
pub(crate) fn is_locked(error: &OpenError) -> bool {
    match error {
        OpenError::Keyring(inner) => {
            let failure = inner.downcast_ref::<Failure>();
            failure.is_some_and(|failure| failure.exit == Exit::Locked)
        }
        error => {
            let class = error.class().map(encl::envelope::Class::name);
            class.is_some_and(|class| Exit::of_class(class) == Exit::Locked)
        }
    }
}

/// Explains an envelope that does not open by the passphrase that is missing or wrong.
fn locked(failure: Failure, inner: Failure) -> Failure {
    let mut failure = Failure {
        exit: inner.exit,
        class: inner
            .class
            .or((inner.exit == Exit::Locked).then_some("passphrase")),
        hint: inner.hint,
        ..failure
    };
    failure.reasons.push(inner.what);
    failure.reasons.extend(inner.reasons);
    failure
}
