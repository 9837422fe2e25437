//! Errors of the keystore as failures.

pub(crate) mod backup;
pub(crate) mod identity;

use encl::keystore::KeystoreError;

use crate::cli::errors::{Exit, Failure, io_message};
use crate::cli::terminal::{safe, shown};

/// What to do without an identity. Whoever had one on another machine needs those keys, and no new ones.
pub(crate) const NO_IDENTITY: &str = "if you had one, `encl restore BACKUP`, `encl key import FILE` or `encl key paper --restore` brings \
     it back; else `encl key new ADDRESS` creates one";

/// The keystore could not be read at all.
pub(crate) fn unreadable(error: &KeystoreError) -> Failure {
    let what = match error {
        KeystoreError::OwnMissing(_)
        | KeystoreError::OwnOlder { .. }
        | KeystoreError::NotAdopted(_) => "cannot use your identity",
        _ => "cannot read the keystore",
    };
    failure(what, error)
}

/// What went wrong with the keystore, as a failure of `what` ("cannot …").
pub(crate) fn failure(what: &str, error: &KeystoreError) -> Failure {
    let failure = Failure::new(exit(error), what).reason(safe(&error.to_string()));
    match error {
        KeystoreError::System { source, .. } => failure.reason(io_message(source)),
        KeystoreError::File(error) => match std::error::Error::source(error).and_then(|s| s.downcast_ref()) {
            Some(source) => failure.reason(io_message(source)),
            None => failure,
        },
        KeystoreError::Damaged { .. } | KeystoreError::NotA { .. } => {
            failure.hint("`encl doctor` says what is wrong, and what to do about it")
        }
        KeystoreError::OpenToOthers { path, .. } => failure.hint(format!("`chmod go= {}` makes it private", shown(path))),
        KeystoreError::AddressTaken { .. } => {
            failure.hint("`encl key card` prints its card; `encl key remove` removes it for ever")
        }
        KeystoreError::KeyChanged { .. } => failure.hint(
            "somebody may be pretending: ask by another way than this card came; if the key was really replaced, \
             `encl contact remove` the old card and add this one",
        ),
        KeystoreError::GateTaken { .. } => failure.hint(
            "somebody may be pretending: ask its operator for the fingerprint; if the gate was really set up anew, `encl gate remove` the \
             old one first",
        ),
        KeystoreError::Naming(_) => failure.hint(
            "no card may be called so: ask its owner for a card with another name or address",
        ),
        KeystoreError::OwnMissing(id) => failure.hint(format!(
            "`encl restore BACKUP` or `encl key import FILE` brings it back; `encl key remove {id}`, if you do not want it any more"
        )),
        KeystoreError::OwnOlder { .. } => {
            failure.hint("its keys may be ones that you replaced: `encl restore BACKUP` or `encl key import FILE` brings the newest back")
        }
        KeystoreError::NotAdopted(id) => failure.hint(format!(
            "if you made this identity, run `encl key adopt {id}`; `encl key list` shows all"
        )),
        KeystoreError::GroupNotAdopted(name) => failure.hint(format!(
            "`encl key adopt @{}` shows who came and who went, and takes the group as it is", safe(name)
        )),
        KeystoreError::StateDamaged { .. } => failure.hint(
            "remove this file, and this machine forgets what it says; remove the whole folder, and it begins anew, with nobody verified",
        ),
        KeystoreError::OfAnother { .. } => failure.hint("set $XDG_STATE_HOME to a folder of your own"),
        KeystoreError::StatementsFull(_) => failure.hint(
            "`encl gate revoke` without --who still has room; or encrypt it again for those who stay: `encl rewrap --to`",
        ),
        KeystoreError::Changed => failure.hint("run the command again"),
        KeystoreError::Blocked => failure.hint("run `encl contact unblock` first"),
        KeystoreError::NoState => failure.hint("set $XDG_STATE_HOME or $HOME"),
        _ => failure,
    }
}

fn exit(error: &KeystoreError) -> Exit {
    match error {
        KeystoreError::WrongPassphrase => Exit::Locked,
        KeystoreError::Passphrase(error) => Exit::of_passphrase(*error),
        KeystoreError::AddressTaken { .. } | KeystoreError::GroupExists(_) => Exit::Exists,
        KeystoreError::KeyChanged { .. }
        | KeystoreError::OlderCard { .. }
        | KeystoreError::OtherCard { .. }
        | KeystoreError::OwnCard
        | KeystoreError::Naming(_)
        | KeystoreError::OwnMissing(_)
        | KeystoreError::OwnOlder { .. }
        | KeystoreError::NotAdopted(_)
        | KeystoreError::GroupNotAdopted(_)
        | KeystoreError::GroupOfAnother(_)
        | KeystoreError::AddressVerified { .. }
        | KeystoreError::NotVerified
        | KeystoreError::Blocked
        | KeystoreError::NotBlocked
        | KeystoreError::Revoked
        | KeystoreError::GateTaken { .. }
        | KeystoreError::OlderGate { .. }
        | KeystoreError::OtherGateCard(_)
        | KeystoreError::Unknown(_) => Exit::Recipient,
        KeystoreError::GroupName(_)
        | KeystoreError::GroupAddress(_)
        | KeystoreError::GateName(_) => Exit::Usage,
        _ => Exit::Failed,
    }
}
