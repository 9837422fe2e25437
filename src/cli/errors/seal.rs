//! Errors of sealing as failures.

use encl::envelope::SealError;

use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::terminal::safe;

/// Why nothing was sealed. `cannot` says what was attempted.
pub(crate) fn not_sealed(cannot: impl FnOnce(Exit) -> Failure, error: SealError) -> Failure {
    match error {
        SealError::Read(error) | SealError::Write(error) => {
            cannot(Exit::Failed).reason(io_message(&error))
        }
        SealError::Passphrase(error) => cannot(Exit::of_passphrase(error)).caused_by(&error),
        SealError::GateKeeper(error) => cannot(Exit::Failed)
            .reason("what is needed to revoke it later cannot be kept")
            .reason(safe(&error.to_string())),
        SealError::Request(reason) => cannot(Exit::Usage).reason(safe(&reason)),
    }
}
