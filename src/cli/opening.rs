//! What unwrap, verify and inspect share: reading an envelope, and saying why it does not open.

use std::path::Path;

use encl::envelope::{NoKey, OpenError, Quorum};
use encl::policy::Refusal;

use super::files::Input;
use super::report::{Exit, Failure, system_words};
use super::terminal::safe;
use super::when;

/// Why an envelope could not be read, opened or trusted, for people and programs.
pub(crate) fn failure(input: &Input, verb: &str, error: OpenError) -> Failure {
    let class = error.class().map(encl::envelope::Class::name);
    let mut failure = input.cannot(verb, class.map_or(Exit::Failed, Exit::of_class));
    failure.class = class;
    match error {
        OpenError::Keyring(inner) => match inner.downcast::<Failure>() {
            Ok(inner) => locked(failure, *inner),
            Err(inner) => failure.because(safe(&inner.to_string())),
        },
        OpenError::Read(error) => failure.because(system_words(&error)),
        OpenError::Write(error) => super::stdout::failed(&error),
        OpenError::NoKey(NoKey::NotNamed) => {
            let hint = hint_inspect(
                input,
                "lists the recipients, `encl key list` your identities",
            );
            failure.because(NoKey::NotNamed.to_string()).hint(hint)
        }
        OpenError::NoKey(NoKey::SlotRemoved) => failure
            .because(
                "the policy, not verified, says that you may read it, but your slot was removed",
            )
            .hint("ask whoever sent it"),
        OpenError::Quorum(quorum @ Quorum::OtherLock { .. }) => {
            failure.because(safe(&format!("the policy, not verified, says: {quorum}")))
        }
        OpenError::Refused(Refusal::TooEarly(time)) => {
            failure.because(format!("it may not be opened before {}", when::local(time)))
        }
        OpenError::Refused(Refusal::Expired(time)) => {
            failure.because(format!("it expired at {}", when::local(time)))
        }
        other => failure.because(safe(&other.to_string())),
    }
}

/// A passphrase that could not be had is the reason why the envelope stays shut.
fn locked(failure: Failure, inner: Failure) -> Failure {
    let mut failure = Failure {
        exit: inner.exit,
        class: inner.class,
        hint: inner.hint,
        ..failure
    };
    failure.because.push(inner.what);
    failure.because.extend(inner.because);
    failure
}

fn hint_inspect(input: &Input, rest: &str) -> String {
    match input {
        Input::Stdin => format!("`encl inspect` {rest}"),
        Input::File(path) => format!("`encl inspect {}` {rest}", quoted(path)),
    }
}

/// A path as it can be typed into a shell, when it is short and plain; else the word FILE.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%=:,".contains(c);
    match !text.is_empty() && text.len() <= 100 && !text.starts_with('-') && text.chars().all(plain)
    {
        true => text.into_owned(),
        false => "FILE".to_owned(),
    }
}
