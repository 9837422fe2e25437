//! Why an envelope stays as it is: errors of rewriting as failures.

use encl::atomic_file::ReplaceError;
use encl::envelope::{ResealError, RewriteError, SealError};
use encl::operations::gate::StateUnknown;
use encl::operations::rewrite::{UpdateError, WalkError};

use crate::cli::display::envelope::access;
use crate::cli::display::names::list;
use crate::cli::errors::envelope::{self, unlock_failure};
use crate::cli::errors::files::not_made;
use crate::cli::errors::gate::{describe_unknown, unreachable};
use crate::cli::errors::keystore::NO_IDENTITY;
use crate::cli::errors::seal;
use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::terminal::{safe, shown};

/// Granting access is signed, so it needs an identity.
pub(crate) fn no_identity(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Usage, what)
        .reason("you have no identity, and giving access needs your signature")
        .hint(NO_IDENTITY)
}

/// Why an access line stays as it is. `cannot` says what was attempted.
pub(crate) fn not_rewritten(cannot: Failure, error: &RewriteError) -> Failure {
    let reason = error.to_string();
    let (exit, hint) = match error {
        RewriteError::Private => (
            Exit::Refused,
            "--resign encrypts it again under your signature; `encl rewrap FILE --to …` sets all its readers, `encl revoke` removes one",
        ),
        RewriteError::WhichLock { .. } | RewriteError::NoSuchLock { .. } => (
            Exit::Usage,
            "`encl inspect` shows the locks, --lock N chooses one",
        ),
        RewriteError::NoShare { .. } => (
            Exit::Refused,
            "a person who holds a share in it can do that",
        ),
        RewriteError::NobodyLeft { .. } => (
            Exit::Refused,
            "`encl rewrap FILE --to …` encrypts it again for others",
        ),
        RewriteError::IsGate { .. } => (
            Exit::Refused,
            "somebody else can be given access; a helper approves: `encl approve`",
        ),
        // An envelope that does not open is explained where it was opened.
        RewriteError::Open(_) | RewriteError::Request(_) => {
            return cannot.exit(Exit::Usage).reason(reason);
        }
    };
    cannot.exit(exit).reason(reason).hint(hint)
}

/// Why an envelope is not brought in line. `cannot` says what was attempted.
pub(crate) fn not_updated(cannot: Failure, error: UpdateError) -> Failure {
    match error {
        UpdateError::Rewrite(error) => not_rewritten(cannot, &error),
        UpdateError::UnknownReaders(readers) => {
            let names: Vec<String> = readers.iter().map(access::holder).collect();
            cannot
                .exit(Exit::Recipient)
                .reason(format!(
                    "it must be encrypted again, and no key is known here for {}",
                    list(&names)
                ))
                .hint("add their cards, remove them too (`encl revoke --from` accepts a key id), or name everybody who remains: `encl rewrap FILE --to …`")
        }
        UpdateError::UnknownGate(gate) => {
            let name = gate.name.as_deref().unwrap_or("one without a name");
            cannot
                .exit(Exit::Recipient)
                .reason(format!(
                    "it must be encrypted again, and its gate is not known here: {}",
                    safe(name)
                ))
                .hint("add it: encl gate add URL")
        }
        UpdateError::Denied(names) => {
            let names: Vec<String> = names.iter().map(|name| safe(name)).collect();
            cannot
                .exit(Exit::Refused)
                .reason(format!(
                    "access was taken from {} at its gates, and encrypting it again would give it back",
                    list(&names)
                ))
                .hint("remove them too: encl revoke --from WHO")
        }
        UpdateError::GateRevoked => cannot
            .exit(Exit::Refused)
            .reason("an owner revoked it at its gates, for everybody and for ever")
            .hint("if it still opens for you, decrypt it (`encl unwrap`), and encrypt the content anew (`encl wrap`)"),
        UpdateError::GateState(unknown) => {
            let failure = match &unknown {
                StateUnknown::Unreached(gates) => unreachable(cannot, gates),
                StateUnknown::NotOwner | StateUnknown::NotAsked => cannot.exit(Exit::Refused),
                StateUnknown::Failed(_) => cannot.exit(Exit::Failed),
            };
            failure
                .reason(describe_unknown(&unknown))
                .hint("--unasked encrypts it again all the same: who lost access by another machine gets it back")
        }
        UpdateError::ChangedSince => cannot
            .exit(Exit::Failed)
            .reason("it was changed after it was checked")
            .hint("run it again"),
        UpdateError::NoIdentity => no_identity(cannot.what),
        UpdateError::Locked(error) => unlock_failure(error),
        UpdateError::Directory(error) => error.into(),
        UpdateError::Reseal(error) => not_resealed(cannot, error),
        // A batch asks about them before anything is done.
        UpdateError::Unmeant(readers) => {
            let names: Vec<String> = readers.iter().map(access::doubtful).collect();
            let reason = format!(
                "somebody whom your list may lack would lose access: {}",
                list(&names)
            );
            cannot.exit(Exit::Refused).reason(reason)
        }
    }
}

fn not_resealed(cannot: Failure, error: ResealError) -> Failure {
    match error {
        ResealError::Open(error) => envelope::failure(cannot, error),
        ResealError::Seal(SealError::Request(reason)) => {
            cannot.exit(Exit::Refused).reason(safe(&reason))
        }
        ResealError::Seal(error) => seal::not_sealed(|exit| cannot.exit(exit), error),
    }
}

/// Why a file cannot be replaced where it is.
pub(crate) fn not_replaced(cannot: Failure, error: &ReplaceError) -> Failure {
    let reason = match error {
        ReplaceError::System(error) => return cannot.exit(Exit::Failed).reason(io_message(error)),
        ReplaceError::NotCommitted(error) => return not_made(cannot, error),
        ReplaceError::Link(path) => format!("{} is a symbolic link", shown(path)),
        other => other.to_string(),
    };
    match error {
        ReplaceError::Folder => cannot
            .exit(Exit::Usage)
            .reason(reason)
            .hint("-r changes all envelopes below it"),
        ReplaceError::Link(_) => cannot
            .exit(Exit::Exists)
            .reason(reason)
            .hint("links are never followed: name the file itself, or write to -o OUT"),
        ReplaceError::HardLinks(_) => cannot
            .exit(Exit::Exists)
            .reason(reason)
            .hint("the other names would keep the old envelope; -o OUT writes a new one"),
        _ => cannot.exit(Exit::Failed).reason(reason),
    }
}

/// A file or folder that cannot be looked into.
pub(crate) fn not_walked(error: &WalkError) -> Failure {
    let what = format!("cannot read the folder {}", shown(&error.path));
    let failure = Failure::new(Exit::Failed, what).file(&error.path);
    failure.reason(io_message(&error.source))
}
