//! Backups that cannot be made or restored, as failures. `cannot` begins a failure about the file.

use encl::envelope::OpenError;
use encl::operations::backup::BackupError;
use encl::operations::restore::MergeError;

use crate::cli::errors::{Exit, Failure, io_message, keystore};
use crate::cli::terminal::safe;

/// Why there is no backup.
pub(crate) fn not_begun(error: BackupError, cannot: impl Fn(Exit) -> Failure) -> Failure {
    match error {
        BackupError::Empty => cannot(Exit::Failed).reason(error.to_string()),
        BackupError::Keystore(error) => keystore::unreadable(&error),
    }
}

/// Why a backup was not merged to its end. `not_opened` translates an error of its envelope.
pub(crate) fn not_merged(
    error: MergeError,
    cannot: impl Fn(Exit) -> Failure,
    not_opened: impl FnOnce(OpenError) -> Failure,
) -> Failure {
    match error {
        MergeError::NotABackup => cannot(Exit::Damaged)
            .reason(error.to_string())
            .hint("`encl unwrap` opens it"),
        MergeError::Pipe(error) => cannot(Exit::Failed).reason(io_message(&error)),
        MergeError::Open(error) => not_opened(error),
        MergeError::Content(error) => cannot(Exit::Damaged).reason(safe(&error.to_string())),
        MergeError::Keystore(error) => {
            keystore::failure("cannot restore into the keystore", &error)
        }
    }
}
