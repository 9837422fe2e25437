//! Identities that cannot be made or changed, as failures.

use encl::identity::PaperError;
use encl::operations::identity::{UnlockError, UpdateError};

use crate::cli::errors::{Exit, Failure, keystore};
use crate::cli::terminal::safe;

/// Why an identity was not made or changed. `what` is "cannot …".
pub(crate) fn failure(what: &str, error: UpdateError) -> Failure {
    let reason = safe(&error.to_string());
    let because = |exit| Failure::new(exit, what).reason(&*reason);
    match error {
        UpdateError::Locked(source) | UpdateError::NoPassphrase(source) => asked(what, source),
        UpdateError::Unreadable(source) | UpdateError::Keystore(source) => {
            keystore::failure(what, &source)
        }
        UpdateError::Request(_) => because(Exit::Usage),
        UpdateError::Naming(_) => because(Exit::Usage)
            .hint("nobody accepts a card like this: choose another name or address"),
        UpdateError::Merge(_) => because(Exit::Exists),
        UpdateError::Rotate(_) => {
            because(Exit::Failed).hint("`encl key replace` makes a new identity in its place")
        }
        UpdateError::Paper(PaperError::TooLong { .. }) => {
            because(Exit::Failed).hint("`encl key export` writes all of it to a file")
        }
        UpdateError::Paper(PaperError::Differs("card")) => {
            because(Exit::Failed).hint("`encl key renew` signs a new card first")
        }
        UpdateError::Paper(_)
        | UpdateError::LastSerial
        | UpdateError::Card(_)
        | UpdateError::Removed => because(Exit::Failed),
    }
}

/// Why a page was not restored. Somebody who forgot the passphrase, or has a damaged file, printed the page for that.
pub(crate) fn not_restored(what: &str, error: UpdateError) -> Failure {
    let is_about_local_keys = matches!(error, UpdateError::Locked(_) | UpdateError::Unreadable(_));
    let failure = failure(what, error);
    match failure.hint {
        None if is_about_local_keys => failure.hint(
            "if the identity in the keystore cannot be opened any more, --keystore DIR restores the page into another keystore; newer keys are not on the page",
        ),
        _ => failure,
    }
}

/// Why the words or the code of a page are wrong. `what` is "cannot …".
pub(crate) fn not_a_page(what: &str, error: &PaperError) -> Failure {
    let exit = match error {
        PaperError::Newer(_) => Exit::Newer,
        _ => Exit::Damaged,
    };
    Failure::new(exit, what).reason(safe(&error.to_string()))
}

/// What the program itself said when it was asked for a passphrase.
fn asked(what: &str, error: UnlockError) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => *failure,
        Err(error) => Failure::new(Exit::Failed, what).reason(safe(&error.to_string())),
    }
}
